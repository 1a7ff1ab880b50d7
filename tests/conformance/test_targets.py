"""What a run is, wherever it goes."""

from __future__ import annotations

import hashlib
import itertools
import time

import msgspec
import pytest

import sendoff
from packer.errors import SendoffError

IN_CONTAINERS = [pytest.param(name, marks=pytest.mark.stack) for name in ("docker", "kubernetes")]


def test_a_run_succeeds_with_its_results(site):
    run = site.end(
        site.script(
            "import json, sys, six\n"
            "print('six', six.__version__, flush=True)\n"
            "print('to the side', file=sys.stderr)\n"
            "json.dump({'accuracy': 0.5}, open('metrics.json', 'w'))\n"
            "open('weights.bin', 'wb').write(b'w' * 100_000)\n"
        )
    )
    assert run.state == "succeeded", run[0].status
    assert run.exit_code == 0
    assert "six 1.17.0\n" in run.logs()
    assert "to the side\n" in run.logs()
    assert run.metrics["accuracy"] == 0.5
    files = {file.path: file for file in run[0].files}
    assert set(files) == {"metrics.json", "weights.bin"}
    assert files["weights.bin"].sha256 == hashlib.sha256(b"w" * 100_000).hexdigest()


def test_results_arrive_verified(site, tmp_path):
    run = site.end(site.script("open('out.txt', 'w').write('here')"))
    (path,) = run.results(tmp_path / "out")
    assert path.read_text() == "here"
    assert path == tmp_path / "out" / "out.txt"


def test_a_command_that_fails(site):
    run = site.end(site.script("raise ValueError('wrong lr')"))
    failure = run[0].status.failure
    assert (run.state, run.exit_code) == ("failed", 1)
    assert (failure.code, failure.blame, failure.retryable) == ("EXIT_NONZERO", "user", False)
    assert any("wrong lr" in line for line in failure.evidence)


def test_its_own_failure_is_not_tried_again(site):
    run = site.end(site.script("import sys; open('a', 'w'); sys.exit(3)", retries=2))
    assert run[0].status.attempts == 1
    assert run.exit_code == 3
    assert [file.path for file in run[0].files] == ["a"]


def test_a_command_that_is_not_there(site):
    site.write("main.py", "")
    run = site.end(site.ship("no-such-program"))
    assert run[0].status.failure.code == "COMMAND_NOT_FOUND"
    assert run.exit_code == 127


def test_the_time_limit(site):
    run = site.end(site.script("import time; open('a', 'w'); time.sleep(600)", timeout=1, grace=5))
    assert run.state == "timed-out"
    assert run[0].status.failure.code == "TIMEOUT"
    assert [file.path for file in run[0].files] == ["a"]


def test_only_the_images_packages_can_be_imported(site):
    run = site.end(
        site.script(
            "import importlib.util as u\n"
            "names = 'minio', 'urllib3', 'msgspec', 'sendoff_runner'\n"
            "print([name for name in names if u.find_spec(name)])\n"
            "import sendoff; assert sendoff.inside()\n"
        )
    )
    assert run.state == "succeeded", run.logs()
    assert run.logs().splitlines()[0] == "[]"


def test_a_sweep_is_one_run_and_keeps_what_succeeded(site):
    site.write("main.py", "import sys; n = int(sys.argv[1]); print('n:', n); sys.exit(n == 2)")
    run = sendoff.sweep("python main.py {n}", {"n": range(4)}, project=site.project)
    site.end(run)
    assert [index.state for index in run] == ["succeeded", "succeeded", "failed", "succeeded"]
    assert [index.metrics.get("n") for index in run] == [0, 1, 2, 3]
    assert len({index.digest for index in run}) == 4
    assert all(index.status.manifest.digest == index.digest for index in run)


def test_max_parallel(site):
    site.write("main.py", "import sys, time; time.sleep(0.2); print(sys.argv[1])")
    run = sendoff.sweep("python main.py {n}", {"n": range(3)}, project=site.project, max_parallel=1)
    site.end(run)
    times = sorted((index.status.started, index.status.ended) for index in run)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(times))


def test_cancelling_a_run(site):
    run = site.script("import time\nprint('on', flush=True)\ntime.sleep(600)", grace=2)
    next(event for event in run.events() if "on" in event.text)
    run.cancel()
    site.end(run)
    assert run.state == "cancelled"


def test_cancelling_a_sweep_of_which_most_was_never_begun(site):
    site.write("main.py", "import time\nprint('on', flush=True)\ntime.sleep(600)")
    run = sendoff.sweep(
        "python main.py {n}", {"n": range(4)}, project=site.project, max_parallel=1, grace=2
    )
    next(event for event in run[0].events() if "on" in event.text)
    run.cancel()
    site.end(run)
    assert [(index.state, index.status.failure) for index in run] == [("cancelled", None)] * 4
    assert run.state == "cancelled"


def test_a_log_is_followed_while_it_grows(site):
    run = site.script(
        "import time\n"
        "for n in range(3): print('line', n, flush=True); time.sleep(0.1)\n"
        "print('é\\r\\x1b[31mred', flush=True)\n"
    )
    text = "".join(event.text for event in run.events())
    assert text == "line 0\nline 1\nline 2\né\r\x1b[31mred\n"


def test_variables_and_the_output_directory(site):
    run = site.end(
        site.script(
            "import os, pathlib\n"
            "print(os.environ['MODE'], os.environ['SENDOFF_INDEX'], os.environ['SENDOFF_RUN'])\n"
            "pathlib.Path(os.environ['SENDOFF_OUTPUT_DIR'], 'kept.txt').write_text('x')\n"
            "pathlib.Path('other.txt').write_text('y')\n",
            env={"MODE": "fast"},
            outputs=["none/*"],
        )
    )
    assert run.logs().split() == ["fast", "0", run.id]
    assert [file.path for file in run[0].files] == ["kept.txt"]


def test_the_project_is_a_copy_that_may_be_written(site):
    text = "open('main.py', 'a').write('# changed'); open('data/x', 'w')"
    (site.project / "data").mkdir()
    site.write("data/y", "")
    run = site.end(site.script(text))
    assert run.state == "succeeded", run.logs()
    assert {file.path for file in run[0].files} == {"main.py", "data/x"}
    assert site.end(site.script(text)).state == "succeeded"


def test_the_same_key_is_the_same_run(site):
    first = site.script("print(1)", idempotency_key=site.project.as_posix())
    again = site.script("print(1)", idempotency_key=site.project.as_posix())
    assert first.id == again.id
    with pytest.raises(SendoffError) as caught:
        site.script("print(2)", idempotency_key=site.project.as_posix())
    assert caught.value.code == "CONFLICT"
    assert site.end(first).state == "succeeded"


def test_a_run_is_found_from_elsewhere(site):
    run = site.end(site.script("print('here')"))
    other = sendoff.get(run.id, project=site.project)
    assert (other.state, other.digest, other.logs()) == ("succeeded", run.digest, "here\n")


def test_a_signal_ends_it(site):
    run = site.end(site.script("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"))
    status = run[0].status
    assert status.failure.code in {"SIGNAL", "CORE_DUMP"}
    assert status.manifest.signal == "SIGSEGV"


def test_memory_over_the_limit(site):
    run = site.end(site.script("x = bytearray(900 << 20); x[::4096] = x[::4096]", memory="256Mi"))
    assert run[0].status.failure.code == "OOM_HOST"


# `local` has what its machine has.
@pytest.mark.parametrize("site", IN_CONTAINERS, indirect=True)
def test_shared_memory_is_half_of_the_memory(site):
    text = "import os; s = os.statvfs('/dev/shm'); print(s.f_blocks * s.f_frsize)"
    run = site.end(site.script(text, memory="256Mi"))
    assert run.logs() == f"{128 << 20}\n"


def test_what_a_run_took_is_known(site):
    run = site.end(site.script("sum(range(10**7))"))
    manifest = run[0].status.manifest
    assert manifest.usage.wall > 0
    assert manifest.usage.cpu > 0
    phases = msgspec.to_builtins(manifest.phases)
    assert set(phases) == {"queued", "pulling", "starting", "running", "uploading"}
    assert min(phases.values()) >= 0
    assert phases["running"] == manifest.usage.wall
    assert manifest.hardware["python"]
    assert (
        abs(
            time.time()
            - time.mktime(time.strptime(manifest.ended[:19], "%Y-%m-%dT%H:%M:%S"))
            + time.timezone
        )
        < 600
    )


def test_inputs_from_outside_the_project(site, tmp_path):
    (tmp_path / "data" / "below").mkdir(parents=True)
    (tmp_path / "data" / "below" / "a.txt").write_text("a" * 10)
    (tmp_path / "one.bin").write_bytes(bytes(5_000_000))
    run = site.end(
        site.script(
            "import os\n"
            "print(open('given/below/a.txt').read(), os.path.getsize('one.bin'))\n"
            "print(oct(os.stat('one.bin').st_mode & 0o222))\n",
            inputs=[f"{tmp_path}/data:given", f"{tmp_path}/one.bin:one.bin"],
        )
    )
    assert run.state == "succeeded", run.logs()
    assert run.logs() == "aaaaaaaaaa 5000000\n0o0\n"
    assert not {"one.bin", "given/below/a.txt"} & {file.path for file in run[0].files}


# A cluster has its own secrets: tests/e2e/cluster looks for them.
@pytest.mark.parametrize("site", ["local", "docker"], indirect=True)
def test_a_secret_is_in_no_record(site, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cr3t-value")
    run = site.end(site.script("import os; print(len(os.environ['TOKEN']))", secrets=["TOKEN"]))
    assert run.logs() == "12\n"
    assert "s3cr3t-value" not in repr(run.record) + repr(run[0].status)
