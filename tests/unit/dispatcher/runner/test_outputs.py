"""What counts as a result, also where a command means ill."""

from __future__ import annotations

import os

import pytest

from dispatcher.runner.outputs import Tree, find
from dispatcher.runner.patterns import compile_pattern, matches


def paths(manifest) -> list[str]:
    return [file.path for file in manifest.files]


def test_what_was_created_or_changed_is_a_result(bench):
    digest = bench.code(main="print(1)", other="pass", config="pass")
    code = "python main.py; echo 2 >> other.py; mkdir -p a/b; echo 3 > a/b/c; touch config.py"
    manifest = bench.end(["sh", "-c", code], digest=digest)
    # Touching counts: the command has said that the file is its own.
    assert paths(manifest) == ["config.py", "other.py", "a/b/c"]


def test_byte_code_is_no_result(bench):
    digest = bench.code(main="import other", other="x = 1")
    manifest = bench.end(["python", "main.py"], digest=digest)
    assert paths(manifest) == []
    assert manifest.state == "succeeded"
    assert manifest.warnings == ("NO_OUTPUTS: the command wrote no files",)


def test_declared_patterns_choose(bench):
    code = "mkdir -p out/deep tmp; echo 1 > out/deep/a.csv; echo 2 > tmp/b; echo 3 > m.json"
    manifest = bench.end(["sh", "-c", code], outputs=("out", "*.json", "none/*.png"))
    assert paths(manifest) == ["m.json", "out/deep/a.csv"]
    assert manifest.warnings == (
        "OUTPUT_UNMATCHED: the command wrote nothing that matches none/*.png",
    )


def test_a_pattern_does_not_pick_up_what_was_packed(bench):
    layer = bench.layer({"/workspace/out/old.csv": "of another day"})
    from dispatcher.runner_tree import runner_tree

    digest = bench.image(bench.layer(dict(runner_tree())), layer)
    manifest = bench.end(["sh", "-c", "echo > out/new.csv"], digest=digest, outputs=("out/*.csv",))
    assert paths(manifest) == ["out/new.csv"]


def test_the_output_directory_comes_before_the_working_directory(bench):
    code = 'echo 1 > "$SENDOFF_OUTPUT_DIR/result"; echo 2 > scratch'
    assert paths(bench.end(["sh", "-c", code])) == ["result"]


def test_patterns_and_output_directory_add_up_and_the_directory_wins(bench):
    code = 'echo 1 > "$SENDOFF_OUTPUT_DIR/m"; echo 2 > m; echo 3 > n'
    manifest = bench.end(["sh", "-c", code], outputs=("m", "n"))
    assert paths(manifest) == ["m", "n"]
    assert bench.output(manifest, "m") == b"1\n"
    assert manifest.warnings == ("OUTPUT_SHADOWED: m of $SENDOFF_OUTPUT_DIR was kept",)


def test_results_of_a_failure_are_kept(bench):
    manifest = bench.end(["sh", "-c", "echo 1 > partial; exit 1"])
    assert paths(manifest) == ["partial"]


def test_links_and_special_files_are_never_followed(bench):
    code = (
        "ln -s /etc/passwd link; ln -s /etc folder; mkfifo pipe; echo 1 > real; "
        "mkdir sub; ln -s ../../../../etc/passwd sub/up; "
        "python -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")'"
    )
    manifest = bench.end(["sh", "-c", code])
    assert paths(manifest) == ["real"]
    assert manifest.warnings[0].startswith("OUTPUT_SKIPPED: 5 links or special files")
    assert b"root:" not in b"".join(
        path.read_bytes() for path in bench.stored.rglob("files/**/*") if path.is_file()
    )


def test_names_of_every_kind_arrive(bench):
    names = [b"new\nline", b"\xff\xfe raw", "ümläut €".encode(), b"x" * 250, b"..hidden", b"a b"]
    code = f"import os\nfor name in {names!r}: open(name, 'wb').write(name)\n"
    manifest = bench.end(["python", "main.py"], digest=bench.code(main=code))
    assert manifest.state == "succeeded", manifest.failure
    assert sorted(os.fsencode(path) for path in paths(manifest)) == sorted(names)


def test_too_many_files_are_a_failure_that_keeps_the_nearest(bench):
    code = (
        "import os\nos.makedirs('deep')\n"
        "for n in range(20000): open(f'deep/{n}', 'w').close()\n"
        "open('metrics.json', 'w').write('{}')\n"
    )
    manifest = bench.end(["python", "main.py"], digest=bench.code(main=code), timeout=120)
    assert manifest.failure.code == "UPLOAD_INCOMPLETE"
    assert "20001 files were written; the limit is 10000" in manifest.failure.evidence[0]
    assert len(manifest.files) == 10_000
    assert manifest.files[0].path == "metrics.json"


def test_how_much_may_be_left_is_the_requests(bench):
    command = ["sh", "-c", "for n in $(seq 12000); do : > $n; done"]
    assert bench.end(command, result_files=12_000, timeout=120).state == "succeeded"
    manifest = bench.end(["sh", "-c", "echo 1 > a; echo 2 > b"], result_files=1)
    assert manifest.failure.code == "UPLOAD_INCOMPLETE"
    assert (paths(manifest), manifest.failure.blame) == (["a"], "user")
    assert "result-files in [tool.sendoff]" in manifest.failure.fix
    manifest = bench.end(["sh", "-c", "echo 1 > a; echo 2 > b"], result_size=3)
    assert paths(manifest) == ["a"]
    assert "result-size in [tool.sendoff]" in manifest.failure.fix


def test_a_file_larger_than_the_limit_is_a_failure(bench):
    # Sparse: it takes no room here, but would in the store.
    manifest = bench.end(["sh", "-c", "truncate -s 200G huge; echo 1 > a"])
    assert manifest.failure.code == "UPLOAD_INCOMPLETE"
    assert paths(manifest) == ["a"]


def test_a_file_that_can_not_be_read_is_a_failure(tmp_path):
    workspace, given = tmp_path / "w", tmp_path / "o"
    workspace.mkdir()
    before = Tree(str(workspace))
    (workspace / "gone").mkdir()
    found = find(before, str(given), [], 10)
    assert found.files == {}


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", "out/a.csv", False),
        ("**/*.csv", "a.csv", True),
        ("**/*.csv", "x/y/a.csv", True),
        ("out", "out/deep/a", True),
        ("out/", "out/a", True),
        ("./out", "out/a", True),
        ("out", "output/a", False),
        ("out/**", "out/a/b", True),
        ("run?.log", "run1.log", True),
        ("run[0-9].log", "run7.log", True),
        ("run[!0-9].log", "run7.log", False),
        ("a[", "a[", True),
        ("*", "new\nline", True),
        ("*.pt", "a.pth", False),
        ("a.c", "abc", False),
    ],
)
def test_patterns(pattern, path, expected):
    assert matches([compile_pattern(pattern)], path) is expected
