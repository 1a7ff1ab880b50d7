"""The console script as a user meets it: real processes, real terminals, an empty sandbox."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.desk import PATIENCE, SENDOFF, GatedDesk, environment, until

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sandboxes.empty(tmp_path_factory.mktemp("sandbox") / "venv")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(tmp_path: Path, sandbox: Path, cache: Path) -> Iterator[GatedDesk]:
    made = GatedDesk(tmp_path, environment(sandbox, XDG_CACHE_HOME=str(cache)))
    yield made
    made.clear()


class Terminal:
    """The command line on a terminal of its own."""

    def __init__(self, place: GatedDesk, *arguments: str) -> None:
        self.seen = b""
        self.pid, self.master = pty.fork()
        if not self.pid:
            # Whoever starts the tests in a script's background, or by nohup, has these ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            os.chdir(place.project)
            os.execve(SENDOFF, [SENDOFF, *arguments], {**place.env, "TERM": "xterm"})  # noqa: S606

    def read_until(self, text: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.seen:
            assert time.monotonic() < deadline, self.seen
            try:
                self.seen += os.read(self.master, 4096)
            except OSError as error:
                raise AssertionError(self.seen) from error
        return self.seen.decode()

    def press_ctrl_c(self) -> None:
        os.write(self.master, b"\x03")

    def close(self) -> None:
        os.close(self.master)

    def exit_code(self) -> int:
        try:
            while os.read(self.master, 4096):
                pass
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def run_id(text: str) -> str:
    found = re.search(r"run (\S+-[a-z0-9]{6})\b", re.sub(r"\x1b\[[\d;]*m", "", text))
    assert found, text
    return found[1]


def test_the_command_s_own_streams_and_exit_code_pass_through(place: GatedDesk) -> None:
    place.write(
        "job.py",
        "import sys\nprint('to out')\nprint('to err', file=sys.stderr)\nsys.exit(int(sys.argv[1]))",
    )
    done = place("run", "--", "python", "job.py", "7")
    assert done.returncode == 7
    assert done.stdout == "to out\n"
    assert "to err\n" in done.stderr
    assert DIGEST.search(done.stderr)
    assert "failed with exit code 7" in done.stderr
    assert place("run", "-q", "python", "job.py", "0").stdout == "to out\n"


def test_flags_of_the_experiment_are_never_eaten(place: GatedDesk) -> None:
    place.write("args.py", "import sys\nprint(sys.argv[1:])")
    flags = ["--json", "-d", "--help", "--", "--timeout", "a b", "{x}"]
    assert place("run", "-q", "--", "python", "args.py", *flags).stdout == f"{flags}\n"
    assert place("run", "-q", "python", "args.py", *flags).stdout == f"{flags}\n"


def test_a_time_out_is_124_and_a_signal_128_and_its_number(place: GatedDesk) -> None:
    assert place("run", "--timeout", "0.2", "--", "sleep", "60").returncode == 124
    assert place("run", "--", "sh", "-c", "kill -9 $$").returncode == 137


def test_no_such_command(place: GatedDesk) -> None:
    done = place("run", "--", "pyhton", "job.py")
    assert done.returncode == 127
    assert "no such command: pyhton" in done.stderr


def test_bad_usage_is_2_and_leaves_nothing(place: GatedDesk) -> None:
    for arguments in (["run"], ["rnu"], ["run", "--timeout", "soon", "--", "true"], ["show", "x"]):
        done = place(*arguments)
        assert done.returncode == 2, arguments
        assert not done.stdout
        assert 1 <= len(done.stderr.splitlines()) <= 4
    assert "did you mean run?" in place("rnu").stderr
    assert not (Path(place.env["HOME"]) / ".local").exists()


def test_a_detached_run_is_followed_from_other_processes(place: GatedDesk) -> None:
    place.write("gated.py", place.gated() + "open('r.txt', 'w').write('r')\n")
    run = place("run", "-d", "--", "python", "gated.py").stdout.strip()
    assert re.fullmatch(r"gated-[a-z0-9]{6}", run)
    until(lambda: place("logs", run).stdout == "started\n")
    assert place("wait", run, "--timeout", "0.1").returncode == 124
    assert place("results", run).stdout == ""
    with subprocess.Popen(
        [SENDOFF, "logs", "-f", run], cwd=place.project, env=place.env, stdout=subprocess.PIPE
    ) as following:
        place.gate.touch()
        assert following.communicate(timeout=PATIENCE)[0] == b"started\nopened\n"
    assert place("wait", run[:-2]).returncode == 0
    assert place("logs", "--tail", "1", "@last").stdout == "opened\n"
    assert place("results", run).stdout.split()[4:7] == [run, "r.txt", "1"]
    fetched = place("get", run, "r.txt", "-o", "here").stdout
    assert fetched == "here/r.txt\n"
    assert (place.project / "here/r.txt").read_text() == "r"
    missing = place("get", run, "nothing.txt")
    assert missing.returncode == 125
    assert "r.txt" in missing.stderr


def test_fetched_results_are_not_packed_with_the_next_run(place: GatedDesk) -> None:
    place.write("write.py", "open('r.txt', 'w').write('r')")
    run = place.sent("run", "--", "python", "write.py")
    place("wait", run)
    digest = place.done("pack")
    assert place.done("get", run) == f"{run}/r.txt\n"
    assert place.done("get", run, "r.txt") == f"{run}/r.txt\n"
    marks = [place.project / run / name for name in (".gitignore", ".sendoffignore")]
    assert [mark.read_text() for mark in marks] == ["*\n", "*\n"]
    assert place.done("pack") == digest
    # A folder that somebody has named or made is theirs.
    for mark in marks:
        mark.unlink()
    place.done("get", run)
    place.done("get", run, "-o", "mine")
    assert not list(place.project.rglob(".*ignore"))
    idle = place.sent("run", "--", "true")
    place("wait", idle)
    assert place("get", idle).stdout == ""
    assert not (place.project / idle).exists()


def test_cancel_from_another_process(place: GatedDesk) -> None:
    run = place("run", "-q", "-d", "--", "python", "gated.py").stdout.strip()
    until(lambda: place.state(run) == "running")
    done = place("cancel", run)
    assert done.returncode == 0
    assert "cancelled" in done.stdout
    assert place("wait", run).returncode == 1


def test_ctrl_c_detaches_and_the_run_goes_on(place: GatedDesk) -> None:
    terminal = Terminal(place, "run", "--", "python", "gated.py")
    run = run_id(terminal.read_until("started"))
    terminal.press_ctrl_c()
    terminal.read_until(f"sendoff logs -f {run}")
    assert terminal.exit_code() == 130
    assert place.state(run) == "running"
    place.gate.touch()
    assert place("wait", run).returncode == 0
    assert place("logs", run).stdout == "started\nopened\n"


def test_ctrl_c_in_what_only_looks_says_that_the_run_goes_on(place: GatedDesk) -> None:
    place.write("gated.py", place.gated())
    run = place("run", "-d", "--", "python", "gated.py").stdout.strip()
    terminal = Terminal(place, "logs", "-f", run)
    terminal.read_until("started")
    terminal.press_ctrl_c()
    assert f"what has not ended goes on; to end it: sendoff cancel {run}" in terminal.read_until(
        f"cancel {run}"
    )
    assert terminal.exit_code() == 130
    assert place("show", run).returncode == 0
    place.gate.touch()
    assert place("wait", run).returncode == 0


def test_a_second_ctrl_c_cancels(place: GatedDesk) -> None:
    terminal = Terminal(place, "run", "--", "python", "gated.py")
    run = run_id(terminal.read_until("started"))
    terminal.press_ctrl_c()
    terminal.read_until("Ctrl-C again")
    terminal.press_ctrl_c()
    assert terminal.exit_code() == 130
    assert place("wait", run).returncode == 1
    assert place.state(run) == "cancelled"


def test_a_run_survives_its_terminal(place: GatedDesk) -> None:
    terminal = Terminal(place, "run", "--", "python", "gated.py")
    run = run_id(terminal.read_until("started"))
    terminal.close()
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]) == -signal.SIGHUP
    place.gate.touch()
    assert place("wait", run).returncode == 0


def test_a_reader_that_goes_away_leaves_the_run_alone(place: GatedDesk) -> None:
    place.write("gated.py", place.gated() + "print('x' * 1000000)\n")
    script = f"{SENDOFF} run -- python gated.py | head -n 1; exit ${{PIPESTATUS[0]}}"
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=place.project,
        env=place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as piped:
        assert piped.stdout is not None
        assert piped.stdout.readline() == "started\n"
        place.gate.touch()
        _, narration = piped.communicate(timeout=PATIENCE)
    assert piped.returncode == 141
    assert "goes on" in narration
    assert place("wait", "@last").returncode == 0


def test_a_sweep_end_to_end(place: GatedDesk) -> None:
    place.write(
        "train.py",
        "import json, sys\n"
        "lr, seed = float(sys.argv[1]), int(sys.argv[2])\n"
        "json.dump({'loss': lr * 2, 'acc': {'test': 1 - lr}}, open('metrics.json', 'w'))\n"
        "print('score:', lr + seed)\n",
    )
    command = ["--", "python", "train.py", "{lr}", "{seed}"]
    done = place("sweep", "-p", "lr=0.1,0.2", "-p", "seed=0..1", "--max-parallel", "2", *command)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["run", "lr", "seed", "state", "time", "digest"]
    assert len({DIGEST.findall(line)[0] for line in lines[1:]}) == 4
    table = place("compare", "@last", "--sort", "-acc.test", "-m", "acc.test", "--best", "max")
    first = table.stdout.splitlines()[1].split()
    assert first[1:] == ["*", "0.1", "0", "0.9"]
    plotted = place("compare", "@last", "--plot", "plot.svg", "--csv")
    assert plotted.returncode == 0
    assert plotted.stdout.splitlines()[0] == "run,state,lr,seed,acc.test,loss,score,digest"
    assert (place.project / "plot.svg").read_bytes().startswith(b"<?xml")
    shown = place.json("show", "@last/3")
    assert isinstance(shown, dict)
    assert shown["indexes"][0]["parameters"] == {"lr": "0.2", "seed": "1"}
    assert shown["indexes"][0]["metrics"]["score"] == {"value": 1.2, "source": "stdout:1"}
    assert place("logs", "@last/2").stdout == "score: 0.2\n"
    assert place("logs", "@last").stdout.splitlines()[2] == "[2] score: 0.2"


def test_a_sweep_with_a_failure_exits_with_1(place: GatedDesk) -> None:
    done = place("sweep", "-p", "x=0,3", "--", "sh", "-c", "exit {x}")
    assert done.returncode == 1
    assert [line.split()[2] for line in done.stdout.splitlines()[1:]] == ["succeeded", "failed"]


def test_json_shapes(place: GatedDesk) -> None:
    done = place("run", "--json", "--", "sh", "-c", "echo out; exit 3")
    assert done.returncode == 3
    result = json.loads(done.stdout)
    assert (result["state"], result["exit_code"]) == ("failed", 3)
    assert DIGEST.fullmatch(result["digest"])
    assert "out\n" in done.stderr
    failure = result["indexes"][0]["failure"]
    assert set(failure) >= {"code", "phase", "message", "blame", "retryable"}
    run = result["id"]
    assert place.json("wait", run)[0]["state"] == "failed"
    assert place.json("ps")[0]["id"] == run
    assert place.json("results", run) == [{"run": run, "state": "failed", "files": []}]
    events = [json.loads(line) for line in place("logs", run, "--json").stdout.splitlines()]
    assert events[0] | {"time": 0} == {"index": 0, "time": 0, "stream": "stdout", "text": "out\n"}
    assert set(place.json("pack")) >= {"images", "environment", "layers", "trees"}
    assert json.loads(place.done("config", "show", "--json"))["target"] == {
        "value": "local",
        "source": "default",
    }
    error = place.json("show", "nothing")
    assert error == {
        "code": "RUN_UNKNOWN",
        "phase": "reference",
        "message": "no run is called 'nothing'",
        "cause": "",
        "evidence": "",
        "fix": "sendoff ps lists all runs",
        "retryable": False,
    }


def test_a_dry_run_sends_nothing(place: GatedDesk) -> None:
    done = place("run", "--dry-run", "--", "python", "gated.py")
    assert done.returncode == 0
    assert DIGEST.match(done.stdout)
    assert "gated.py" in done.stdout
    assert place.json("ps") == []
    packed = place("pack", "--", "python", "gated.py")
    assert packed.stdout.strip() == done.stdout.split()[0]


def test_an_idempotency_key_gives_the_same_run(place: GatedDesk) -> None:
    first = place("run", "-d", "--idempotency-key", "k", "--", "true").stdout
    assert place("run", "-d", "--idempotency-key", "k", "--", "true").stdout == first
    other = place("run", "-d", "--idempotency-key", "k", "--", "false")
    assert other.returncode == 125
    assert "stands for another request" in other.stderr


def test_environment_variables_and_secrets(place: GatedDesk) -> None:
    script = "echo $A $B $TOKEN"
    done = place(
        "run", "-q", "-e", "A=1", "-e", "B", "--secret", "TOKEN", "--", "sh", "-c", script,
        B="2", TOKEN="hush",
    )  # fmt: skip
    assert done.stdout == "1 2 hush\n"
    assert "hush" not in place("show", "@last", "--json").stdout
    assert place("run", "-e", "NOT_HERE", "--", "true").returncode == 2


def test_what_does_not_go_along_is_said_once(place: GatedDesk) -> None:
    place.write("lib/mylib.py", "")
    command = ("run", "--", "python", "-c", "import mylib")
    warning = "warning: PYTHONPATH is set here and not in the image"
    # The tests' own, where it is set, stays behind.
    path = os.pathsep.join(filter(None, ("lib", os.environ.get("PYTHONPATH"))))
    for said in (True, False):
        done = place(*command, PYTHONPATH=path)
        assert done.returncode == 1
        assert (warning in done.stderr) == said
    done = place("run", "--env", "PYTHONPATH", "--", *command[2:], PYTHONPATH=path)
    assert (done.returncode, warning in done.stderr) == (0, False)
    told = place("pack", PYTHONPATH=path, XDG_STATE_HOME=str(place.home / "new"))
    assert warning in told.stderr
    assert DIGEST.fullmatch(told.stdout.strip())


def test_an_active_environment_that_is_gone_is_refused(place: GatedDesk) -> None:
    done = place("run", "--", "true", VIRTUAL_ENV="/gone")
    assert done.returncode == 125
    assert "VIRTUAL_ENV" in done.stderr


def test_damaged_records_are_told_of_and_keep_nobody_from_others(place: GatedDesk) -> None:
    cut, torn, whole = (place.sent("run", "-n", name, "--", "true") for name in ("c", "t", "w"))
    place("wait", cut, torn, whole)
    runs = Path(json.loads(place.done("config", "show", "--json"))["store"]["value"]) / "runs"
    for path in (runs / cut / "run.json", runs / torn / "0" / "manifest.json"):
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:30])
    (runs / "junk").mkdir()
    for command in ("ps", "cost"):
        done = place(command)
        assert done.returncode == 0, done.stderr
        assert f"warning: runs/{cut}/run.json cannot be read" in done.stderr
    listed = {run["id"]: run["state"] for run in place.json("ps")}
    assert (listed.get(torn), listed.get(whole), cut in listed) == ("lost", "succeeded", False)
    assert torn in place.done("compare", torn, whole)
    told = place.json("show", cut)
    assert told["code"] == "RECORD_UNREADABLE"
    assert "upgrade" not in told["fix"]
    assert "did you mean" not in place("show", "junk").stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, place: GatedDesk) -> None:
    place("run", "-d", "--name", "unusual", "--", "true")

    def completions(words: str, count: int) -> str:
        last = words.rpartition(" ")[2]
        line = last if shell == "fish" else str(count)
        return place(
            _SENDOFF_COMPLETE=f"{shell}_complete", COMP_WORDS=words, COMP_CWORD=line
        ).stdout

    assert "sweep" in completions("sendoff sw", 1)
    assert "--timeout" in completions("sendoff run --time", 2)
    assert "unusual-" in completions("sendoff logs un", 2)
    assert place("completion", shell).stdout.strip()


def test_bash_takes_the_completion_script(place: GatedDesk) -> None:
    script = (
        'eval "$(sendoff completion bash)"\n'
        "COMP_WORDS=(sendoff com); COMP_CWORD=1; _sendoff_completion sendoff; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(
        ["bash", "-c", script], env=place.env, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["compare", "completion"]


PYTHON = """
import json, sys
import sendoff

run = sendoff.ship(["python", "train.py", "--lr", "0.5"], timeout="1m", name="py")
run.wait()
assert run.state == "succeeded" and run.exit_code == 0, run.logs()
assert run.metrics == {"loss": 1.0}
assert [path.name for path in run.results("out")] == ["metrics.json"]
again = sendoff.get(run.id)
assert (again.digest, again.logs()) == (run.digest, "done\\n")
sweep = sendoff.sweep("python train.py --lr {lr}", {"lr": [1, 2]}).wait()
assert [index.metrics["loss"] for index in sweep] == [2.0, 4.0]
assert len(set(sweep.digests)) == 2
many = sendoff.ship_many([["sleep", "60"], ["true"]])
many.cancel()
assert many.wait().state == "cancelled"
try:
    sendoff.ship("true", timout="1m")
except sendoff.SendoffError as error:
    print(error.fix())
try:
    sendoff.get("nothing")
except sendoff.SendoffError as error:
    print(error.code)
"""


def test_python(place: GatedDesk) -> None:
    place.write(
        "train.py",
        "import json, sys\n"
        "json.dump({'loss': float(sys.argv[2]) * 2}, open('metrics.json', 'w'))\n"
        "print('done')\n",
    )
    done = subprocess.run(
        [sys.executable, "-c", PYTHON],
        cwd=place.project,
        env=place.env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout == "did you mean 'timeout'?\nRUN_UNKNOWN\n", done.stderr


def test_the_same_images_once_more(place: GatedDesk) -> None:
    place.write("fails.py", "import sys; print(sys.argv[1]); sys.exit(int(sys.argv[1]))\n")
    done = place("sweep", "-p", "code=0,3", "--", "python", "fails.py", "{code}")
    assert done.returncode == 1
    before = place.json("show", "@last")
    # What the project is by now makes no difference.
    place.write("fails.py", "raise SystemExit(9)\n")
    again = place("rerun", "@last", "--failed", "--timeout", "1m")
    assert (again.returncode, again.stdout) == (3, "3\n")
    after = place.json("show", "@last")
    assert after["digest"] == before["indexes"][1]["digest"]
    assert after["provenance"]["rerun"] == before["id"]
    assert place("rerun", f"{before['id']}/0", "-d", "-n", "other").stdout.startswith("other-")
    place("wait", "@last")
    assert place("rerun", "@last", "--failed").returncode == 2
