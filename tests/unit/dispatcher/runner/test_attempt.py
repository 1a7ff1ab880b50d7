"""How attempts end, told apart; each with a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dispatcher import dispatch
from dispatcher.runner_tree import runner_tree
from tests import file_systems

MEMORY_GROUPS = Path("/sys/fs/cgroup/memory/memory.limit_in_bytes").exists() and os.geteuid() == 0
"""Elsewhere the limit may be one on each process, and its end a MemoryError."""


def test_the_exit_code_is_the_commands_own(bench):
    manifest = bench.end(["sh", "-c", "exit 7"])
    assert (manifest.state, manifest.exit_code, manifest.signal) == ("failed", 7, "")
    assert manifest.failure.code == "EXIT_NONZERO"
    assert manifest.failure.blame == "user"
    assert not manifest.failure.retryable


def test_a_failure_shows_the_last_traceback(bench):
    code = (
        "import sys, traceback\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: traceback.print_exc()\n"
        "print('more', file=sys.stderr)\n"
        "def deep(): raise KeyError('lr')\n"
        "deep()\n"
    )
    failure = bench.failure(["python", "main.py"], digest=bench.code(main=code))
    assert failure.evidence[0] == "Traceback (most recent call last):"
    assert failure.evidence[-1] == "KeyError: 'lr'"
    assert not any("ZeroDivision" in line for line in failure.evidence)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["no-such-program"], "no such program on PATH"),
        (["./no/such/file"], "no such file"),
        (["./README"], "Permission denied"),
        (["./script.py"], "interpreter in its #! line is missing"),
    ],
)
def test_a_command_that_can_not_start_is_named(bench, command, words):
    layer = bench.layer(
        {"/workspace/script.py": "#!/no/such/python\n", "/workspace/README": "read me"}
    )
    digest = bench.image(bench.layer(dict(runner_tree())), layer)
    manifest = bench.end(command, digest=digest)
    assert manifest.failure.code == "COMMAND_NOT_FOUND"
    assert manifest.exit_code == 127
    assert command[0] in manifest.failure.message
    assert words in manifest.failure.evidence[0]


@pytest.mark.parametrize(
    ("command", "fix"),
    [
        (["./go.sh"], "make it executable where it is packed: chmod +x ./go.sh; or: sh ./go.sh"),
        (["./train.py"], "start it with its interpreter: python ./train.py"),
        ([".venv/bin/python", "x.py"], "it: python"),
        (["/home/me/.venv/bin/torchrun"], "it: torchrun"),
        (["echo $HOME | wc"], "have one: -- bash -c 'echo $HOME | wc'"),
        (["cd", "/"], "have one: -- bash -c 'cd /'"),
        (["FOO=1 2", "python", "x.py"], "give the variable so: -e 'FOO=1 2' -- python x.py"),
        (["./broken"], "correct its first line"),
        (["nvcc"], "install it in the environment"),
    ],
)
def test_a_command_that_can_not_start_comes_with_one_that_can(bench, command, fix):
    files = {"go.sh": "echo go", "train.py": "print()", "broken": "#!/no/such/program\n"}
    layer = bench.layer({f"/workspace/{name}": text for name, text in files.items()})
    failure = bench.failure(command, digest=bench.image(bench.layer(dict(runner_tree())), layer))
    assert failure.code == "COMMAND_NOT_FOUND"
    assert fix in failure.fix
    assert failure.message.endswith(command[0])
    assert failure.message.startswith("can't" if command[0].startswith("./") else "no such")


def test_time_is_up(bench):
    manifest = bench.end(["sleep", "300"], timeout=0.2)
    assert (manifest.state, manifest.failure.code) == ("timed-out", "TIMEOUT")
    assert manifest.signal == "SIGTERM"
    assert 0.2 <= manifest.usage.wall < 5


def test_what_is_saved_in_the_grace_is_kept(bench):
    code = "trap 'echo saved > checkpoint; exit 0' TERM; sleep 300 & wait"
    manifest = bench.end(["sh", "-c", code], timeout=0.3)
    assert (manifest.state, manifest.exit_code) == ("timed-out", 0)
    assert bench.output(manifest, "checkpoint") == b"saved\n"


def test_a_child_that_saves_outlives_its_shell_by_the_grace(bench, tmp_path):
    # The shell dies of SIGTERM at once; what it started is still saving.
    code = (
        "import os, signal, time, pathlib\n"
        "def save(*_):\n"
        "    time.sleep(0.3); open('checkpoint', 'w').write('saved'); os._exit(0)\n"
        "signal.signal(signal.SIGTERM, save)\n"
        f"pathlib.Path('{tmp_path}/ready').write_text('1')\n"
        "while True: time.sleep(10)\n"
    )
    run = bench.submit(["sh", "-c", "python main.py; true"], digest=bench.code(main=code))
    bench.until((tmp_path / "ready").exists)
    dispatch.cancel(run.id, bench.places)
    manifest = bench.wait(run).indexes[0].manifest
    assert bench.output(manifest, "checkpoint") == b"saved"


def test_what_ignores_sigterm_is_killed_with_all_its_children(bench, tmp_path):
    code = (
        f"trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {tmp_path}/child; sleep 300' & "
        "while :; do sleep 0.1; done"
    )
    manifest = bench.end(["sh", "-c", code], timeout=0.5, grace=0.3)
    assert (manifest.state, manifest.signal) == ("timed-out", "SIGKILL")
    assert "killed" in manifest.failure.evidence[0]
    assert not bench.running(bench.marked(tmp_path / "child"))


def test_no_process_outlives_the_command(bench, tmp_path):
    # One in the group, one in a session of its own, one that was orphaned twice over.
    code = (
        f"sh -c 'echo $$ > {tmp_path}/a; exec sleep 300' & "
        f"setsid sh -c 'echo $$ > {tmp_path}/b; exec sleep 300' & "
        f"(setsid sh -c 'sh {tmp_path}/again &' &) ; "
        f"while ! test -s {tmp_path}/a -a -s {tmp_path}/b -a -s {tmp_path}/c; do sleep 0.01; done"
    )
    (tmp_path / "again").write_text(f"echo $$ > {tmp_path}/c; exec sleep 300")
    manifest = bench.end(["sh", "-c", code])
    assert manifest.state == "succeeded"
    for name in "abc":
        assert not bench.running(bench.marked(tmp_path / name))


def test_the_command_leads_a_process_group_and_can_not_reach_the_runner(bench):
    code = "import os; assert os.getpgid(0) == os.getpid(); os.kill(0, 9)"
    manifest = bench.end(["python", "-c", code])
    assert (manifest.state, manifest.signal) == ("failed", "SIGKILL")


def test_a_signal_is_named(bench):
    failure = bench.failure(["sh", "-c", "kill -USR1 $$"])
    assert failure.code == "SIGNAL"
    assert "SIGUSR1" in failure.message


def test_a_core_dump_is_told_from_a_signal(bench):
    code = "import os, resource as r; r.setrlimit(r.RLIMIT_CORE, (-1, -1)); os.abort()"
    manifest = bench.end(["python", "-c", code])
    # A core_pattern may send them nowhere.
    assert manifest.failure.code == ("CORE_DUMP" if manifest.core_dumped else "SIGNAL")
    assert manifest.signal == "SIGABRT"
    without = "import os, resource as r; r.setrlimit(r.RLIMIT_CORE, (0, 0)); os.abort()"
    manifest = bench.end(["python", "-c", without])
    assert (manifest.failure.code, manifest.core_dumped) == ("SIGNAL", False)


EAT = "held = []\nwhile True: held.append(bytearray(b'1') * (8 << 20))\n"


def test_the_kernels_out_of_memory_kill_is_recognized(bench):
    from dispatcher.request import Resources

    digest = bench.code(main=EAT)
    manifest = bench.end(
        ["python", "main.py"], digest=digest, resources=Resources(memory=96 << 20), timeout=60
    )
    assert manifest.failure.code == "OOM_HOST"
    if not MEMORY_GROUPS:
        return
    assert manifest.signal == "SIGKILL"
    assert "the kernel killed 1 of its processes" in manifest.failure.evidence[0]
    assert not list(Path("/sys/fs/cgroup/memory").rglob(f"sendoff-{manifest.run}*"))


def test_a_killed_child_counts_as_out_of_memory(bench):
    from dispatcher.request import Resources

    digest = bench.code(main=EAT)
    failure = bench.failure(
        ["sh", "-c", "python main.py; exit 4"], digest=digest, resources=Resources(memory=96 << 20)
    )
    assert failure.code == "OOM_HOST"


def test_a_memory_error_is_out_of_memory(bench):
    code = "import resource as r; r.setrlimit(r.RLIMIT_AS, (1 << 29, 1 << 29))\n" + EAT
    failure = bench.failure(["python", "main.py"], digest=bench.code(main=code))
    assert failure.code == "OOM_HOST"
    assert "MemoryError" in failure.evidence[0]


def test_the_gpus_own_words_are_out_of_gpu_memory(bench):
    words = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB."
    code = f"import sys; sys.exit({words!r})"
    failure = bench.failure(["python", "main.py"], digest=bench.code(main=code))
    assert failure.code == "OOM_GPU"
    assert failure.evidence == (words,)
    assert "--gpu" in failure.fix


def test_words_about_memory_do_not_spoil_a_success(bench):
    assert bench.end(["sh", "-c", "echo CUDA out of memory >&2"]).state == "succeeded"


def test_use_is_measured(bench):
    code = (
        "import time, os, subprocess, sys\n"
        "held = bytearray(b'1') * (64 << 20)\n"
        "end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\n"
    )
    usage = bench.end(["sh", "-c", "python main.py"], digest=bench.code(main=code)).usage
    assert usage.cpu >= 0.3
    assert usage.wall >= 0.3
    assert 64 << 20 < usage.memory_peak < 512 << 20
    if not Path("/dev/nvidiactl").exists():
        assert usage.gpu_busy is None


def test_a_signal_to_the_runner_is_passed_on_and_what_was_saved_is_kept(bench, tmp_path):
    code = (
        f"trap 'echo got; echo 1 > saved; exit 0' TERM; echo $PPID > {tmp_path}/runner; "
        "sleep 300 & wait"
    )
    run = bench.submit(["sh", "-c", code])
    os.kill(bench.marked(tmp_path / "runner"), signal.SIGTERM)
    index = bench.wait(run).indexes[0]
    assert (index.state, index.failure.code) == ("failed", "INTERRUPTED")
    assert bench.output(index.manifest, "saved") == b"1\n"
    from dispatcher import logs

    events = logs.follow(run.id, 0, bench.places)
    assert "".join(event.text for event in events) == "got\n"


def test_a_late_attempt_loses(bench, tmp_path):
    from dispatcher.run import Manifest
    from dispatcher.store import Runs

    run = bench.submit(["sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 300"])
    bench.marked(tmp_path / "pid")
    first = Manifest(
        run=run.id,
        index=0,
        attempt=9,
        digest=run.request.inputs[0].digest,
        command=("other",),
        state="succeeded",
        exit_code=0,
    )
    assert Runs.at(bench.places).commit(first)
    os.kill(bench.marked(tmp_path / "pid"), signal.SIGKILL)
    (state,) = Path(bench.places.supervisor(run.id), "lock").read_text().split()
    bench.until(lambda: not bench.running(int(state)))
    assert bench.wait(run).indexes[0].manifest == first


def test_the_runners_own_failure_is_no_success(bench):
    # A runner that can't even read its assignment, in an image of its own.
    from packer.image_paths import RUNNER

    digest = bench.image(bench.layer({f"{RUNNER}/__main__.py": "import nothing_of_the_kind\n"}))
    failure = bench.failure(["true"], digest=digest)
    assert (failure.code, failure.blame) == ("RUNNER_FAILED", "infra")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB."""
    with file_systems.small(tmp_path / "small", "2m") as folder:
        yield folder


def test_a_full_store_is_never_a_success(bench, small_disk):
    import msgspec

    bench.places = msgspec.structs.replace(bench.places, store=str(small_disk / "store"))
    code = "printf small > a; head -c 4000000 /dev/zero > b"
    manifest = bench.end(["sh", "-c", code])
    assert (manifest.state, manifest.failure.code) == ("failed", "UPLOAD_INCOMPLETE")
    assert manifest.failure.phase == "results"
    assert manifest.exit_code == 0
    assert [file.path for file in manifest.files] == ["a"]
    assert not list((small_disk / "store" / ".incoming").iterdir())
    # What did not fit is still there, where the message says.
    kept = Path(manifest.failure.fix.rpartition(" ")[2])
    assert (kept / "b").stat().st_size == 4_000_000


def test_a_log_that_does_not_fit_is_never_a_success(bench, small_disk):
    import msgspec

    bench.places = msgspec.structs.replace(bench.places, store=str(small_disk / "store"))
    manifest = bench.end(["sh", "-c", "head -c 4000000 /dev/zero | tr '\\0' x"])
    assert (manifest.state, manifest.failure.code) == ("failed", "UPLOAD_INCOMPLETE")


def test_what_became_of_a_run_is_known_even_if_the_store_takes_nothing(bench, small_disk):
    import msgspec

    bench.places = msgspec.structs.replace(bench.places, store=str(small_disk / "store"))
    filler = small_disk / "filler"
    run = bench.submit(["sh", "-c", f"head -c 8000000 /dev/zero > {filler}; true"])
    began = time.monotonic()
    index = bench.wait(run).indexes[0]
    assert index.state == "failed"
    assert index.failure.code == "UPLOAD_INCOMPLETE"
    assert time.monotonic() - began < 90


def test_the_runner_can_be_given_its_assignment_as_a_file(bench, tmp_path):
    from dispatcher.runner.assignment import Assignment

    (tmp_path / "workspace").mkdir()
    file = tmp_path / "assignment.json"
    file.write_bytes(
        Assignment(
            run="by-hand",
            index=0,
            attempt=1,
            digest="sha256:" + "0" * 64,
            command=["sh", "-c", "echo 1 > out"],
            store=bench.places.store,
            workspace=str(tmp_path / "workspace"),
            output_dir=str(tmp_path / "outputs"),
            outputs=[],
        ).encode()
    )
    runner = [sys.executable, "-m", "dispatcher.runner", str(file)]
    root = Path(__file__).parents[4]
    assert subprocess.run(runner, cwd=root, check=False).returncode == 0
    from dispatcher.store import Runs

    manifest = Runs.at(bench.places).manifest("by-hand", 0)
    assert [file.path for file in manifest.files] == ["out"]
    # The same attempt again: it lost before it began.
    assert subprocess.run(runner, cwd=root, check=False).returncode == 76
