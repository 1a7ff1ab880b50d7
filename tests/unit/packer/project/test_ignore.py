"""Our reading of ignore files against git's own, on trees made to be hard."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from packer.project import repository
from packer.project.ignore import DEFAULTS, Rules

git_only = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")

TREE = r"""
.hidden.log  a.log  keep.log  !bang  #hash  sp ace  trailing\x20  [x].txt  a\\*b  new\nline
build/out.o  build/keep.me  src/build/out.o  src/build.py  src/a.log  src/deep/er/a.log
docs/a.md  docs/api/a.md  docs/api/b/a.md  docs/notes.txt  docs/x/docs/a.md
data/raw/1.bin  data/raw/2.bin  data/keep/3.bin  data/.keep  a/b/c/d/e.txt  a/x/c/d/e.txt
logs/today.log  logs/old/yesterday.log  tmp/1  tmp/2/3  foo/bar/baz  foo/bar  bar/foo/baz
img1.png  img2.png  imgA.png  img-.png  img].png  \xff\xfe.bin  caf\xe9/x  UPPER.TXT  mixed.Txt
vendor/lib/x.py  vendor/lib/.git-not/x  secret.key  secrets/secret.key  trailing/slash/file
"""
IGNORED = {
    "": r"""
*.log
!keep.log
\!bang
\#hash
sp?ace
trailing\@@
[[]x].txt
a\\\*b
/build/
!build/keep.me
docs/**/a.md
!docs/api/a.md
data/*
!data/keep/
data/keep/*
!data/.keep
a/**/d
!/a/x/c/d/
**/foo/baz
img[0-9].png
img[]-].png
*.[tT][xX]T
tmp/**
!tmp/2/
trailing/slash/
secret.key
""",
    "logs": "!*.log\n/old\r\n",
    "vendor": "*\n!lib/\n!lib/**\n",
    "secrets": "!secret.key\n\\\n[\n[z-a]\n[[:nonsense:]]x\n**\n!**/\n!/secret.key",
}


def make(root: Path, names: list[bytes], rules: dict[bytes, bytes]) -> None:
    for name in names:
        path = root / os.fsdecode(name)
        # A random name may be in the way of another.
        with suppress(NotADirectoryError, FileExistsError, IsADirectoryError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    for directory, text in rules.items():
        folder = root / os.fsdecode(directory)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_bytes(text)


def kept_by_git(root: Path) -> set[bytes]:
    """What `git add .` would take from a fresh repository."""
    command = ["git", "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout
    return {name for name in listed.split(b"\0") if name}


def ignored_by_git(root: Path, names: list[bytes]) -> set[bytes]:
    command = ["git", "check-ignore", "-z", "--stdin"]
    done = subprocess.run(
        command, cwd=root, input=b"\0".join(names), capture_output=True, check=False
    )
    return {name for name in done.stdout.split(b"\0") if name}


def kept_by_us(root: Path) -> set[bytes]:
    top = os.fsencode(root)
    kept = set()
    ahead = [(root, repository.rules(top))]
    while ahead:
        directory, rules = ahead.pop()
        inner = b"" if directory == root else os.fsencode(directory.relative_to(root))
        present = {os.fsencode(path.name) for path in directory.iterdir()}
        rules = rules.within(top, inner, present)
        for path in directory.iterdir():
            name = os.fsencode(path.relative_to(root))
            if path.name == ".git" or rules.verdict(name, is_directory=path.is_dir()):
                continue
            if path.is_dir():
                ahead.append((path, rules))
            else:
                kept.add(name)
    return kept


def repository_at(root: Path) -> Path:
    root.mkdir()
    subprocess.run(["git", "init", "-q", root], check=True, env={**os.environ, "HOME": str(root)})
    return root


@git_only
def test_a_hard_tree_is_read_as_git_reads_it(tmp_path: Path):
    root = repository_at(tmp_path / "repo")
    names = [
        name.encode("latin-1").decode("unicode_escape").encode("latin-1")
        for line in TREE.splitlines()
        for name in line.split("  ")
        if name
    ]
    make(root, names, {os.fsencode(k): v.replace("@", " ").encode() for k, v in IGNORED.items()})
    kept = kept_by_us(root)
    assert kept == kept_by_git(root)
    everything = [
        os.fsencode(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and root / ".git" not in path.parents
    ]
    assert set(everything) - kept == ignored_by_git(root, everything)
    assert len(kept) > 15
    assert len(everything) - len(kept) > 20


NAMES = b"a,b,ab,a.log,b.log,foo,bar,x y,\xff,a\n,[a],a\\b,*,a ,-,],!a,#a,A1,a-b,.a".split(b",")
ATOMS = (
    b"a|b|*|**|?|[ab]|[!a]|[^b]|[a-z]|[]a]|[[:alpha:]]|[[:digit:]x]|.log|foo|bar|/|/|\\| |***|"
    b"[|]|-|[a-]|[\\]]|[[:x]|[[:zz:]]|\xff|[a|#|!|\\*|[+--]|[a-\\c]|[[:space:]-b]"
).split(b"|")


@git_only
@pytest.mark.parametrize("seed", range(60))
def test_random_patterns_are_read_as_git_reads_them(tmp_path: Path, seed: int):
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    root = repository_at(tmp_path / "repo")
    names = [b"/".join(chance.choices(NAMES, k=chance.randint(1, 4))) for _ in range(60)]
    make(root, names, {})
    folders = [
        os.fsencode(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_dir() and ".git" not in path.parts
    ]

    def pattern() -> bytes:
        glob = b"".join(chance.choices(ATOMS, k=chance.randint(1, 5)))
        before = chance.choices([b"", b"!", b"/", b"!/"], [6, 3, 1, 1])[0]
        return before + glob + chance.choices([b"", b"/"], [4, 1])[0]

    rules = {
        folder: chance.choice([b"\n", b"\r\n"]).join(pattern() for _ in range(chance.randint(1, 6)))
        for folder in [b"", *chance.sample(folders, min(2, len(folders)))]
    }
    make(root, [], rules)
    assert kept_by_us(root) == kept_by_git(root), rules


@git_only
def test_a_part_of_a_repository_has_the_rules_above_it(tmp_path: Path):
    root = repository_at(tmp_path / "repo")
    make(
        root,
        [b"lab/one/a.log", b"lab/one/data/x", b"lab/one/kept", b"lab/one/b.tmp", b"lab/c.log"],
        {b"": b"*.log\n/data\n/lab/one/b.tmp\n", b"lab": b"/one/data/\n"},
    )
    assert kept_by_us(root / "lab" / "one") == {b"kept"}
    verdict = repository.rules(os.fsencode(root / "lab" / "one")).verdict(
        b"a.log", is_directory=False
    )
    assert verdict == "../../.gitignore:1 *.log"


@git_only
def test_a_project_that_its_repository_ignores_is_packed_by_its_own_rules(tmp_path: Path):
    root = repository_at(tmp_path / "repo")
    make(root, [b"runs/one/a.log", b"runs/one/b"], {b"": b"*.log\nruns/\n"})
    assert kept_by_us(root / "runs" / "one") == {b"a.log", b"b"}


@git_only
def test_a_repository_inside_has_its_own_rules_alone(tmp_path: Path):
    root = repository_at(tmp_path / "repo")
    make(root, [b"sub/a.log", b"sub/b.tmp", b"c.log"], {b"": b"*.log\n"})
    repository_at(root / "sub2")
    (root / "sub" / ".git").write_text("gitdir: ../.git/modules/sub\n")
    make(root, [], {b"sub": b"*.tmp\n"})
    assert kept_by_us(root) >= {b"sub/a.log"}
    assert not kept_by_us(root) & {b"sub/b.tmp", b"c.log"}


def verdict(rules: Rules, path: str, *, is_directory: bool = False) -> str:
    return rules.verdict(path.encode(), is_directory=is_directory)


def test_sendoffignore_comes_before_all(tmp_path: Path):
    (tmp_path / ".gitignore").write_text("*.csv\nresults/\n")
    (tmp_path / ".sendoffignore").write_text("!needed.csv\nbig.bin\n!.env.example\n")
    rules = Rules.base().within(os.fsencode(tmp_path), b"", {b".gitignore", b".sendoffignore"})
    assert verdict(rules, "a.csv") == ".gitignore:1 *.csv"
    assert not verdict(rules, "needed.csv")
    assert not verdict(rules, "in/needed.csv")
    assert verdict(rules, "big.bin") == ".sendoffignore:2 big.bin"
    assert verdict(rules, "results", is_directory=True)
    assert not verdict(rules, "results")
    assert not verdict(rules, ".env.example")
    assert verdict(rules, ".env.local") == "never packed by default: .env*"


@pytest.mark.parametrize("name", [".git", ".env", ".envrc", "id_rsa", "id_ed25519", "x.p12"])
def test_what_is_never_packed_by_default(name: str):
    assert "by default" in verdict(Rules.base(), f"deep/{name}")


def test_caches_are_directories():
    assert verdict(Rules.base(), "a/__pycache__", is_directory=True)
    assert not verdict(Rules.base(), "a/__pycache__")
    assert b"__pycache__/" in DEFAULTS.splitlines()


def test_always_comes_before_gitignore_and_after_the_defaults(tmp_path: Path):
    (tmp_path / ".gitignore").write_text("*.so\n")
    rules = Rules.base(["pkg/*.so", ".env"]).within(os.fsencode(tmp_path), b"", {b".gitignore"})
    assert not verdict(rules, "pkg/_fast.so")
    assert verdict(rules, "other/_fast.so")
    assert verdict(rules, ".env")


def test_equal_rules_have_equal_keys(tmp_path: Path):
    root = os.fsencode(tmp_path)
    (tmp_path / ".gitignore").write_text("a\n")
    first = Rules.base().within(root, b"", {b".gitignore"})
    assert first.key == Rules.base().within(root, b"", {b".gitignore"}).key
    assert first.key != Rules.base().key
    (tmp_path / ".gitignore").write_text("b\n")
    assert first.key != Rules.base().within(root, b"", {b".gitignore"}).key
    assert Rules.base(["x"]).key != Rules.base().key
