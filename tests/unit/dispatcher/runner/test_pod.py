"""The main process of a pod, with a real store behind a proxy."""

from __future__ import annotations

import json
import signal
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

from dispatcher.runner import exit_status
from dispatcher.runner.store import Missing
from tests import clocks
from tests.faults.faults import Answer, LoseAnswer
from tests.stack.unavailable import Unavailable


def started(pod, path="started"):
    """Wait until the command has written a file of its own."""
    deadline = time.monotonic() + 20
    while not (pod.folder / path).exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return (pod.folder / path).read_text()


def test_a_command_is_run_and_its_results_are_committed(pod):
    code = "import os; print('hello'); open('result', 'w').write(os.environ['SENDOFF_INDEX'])"
    pod.code(main=code)
    assert pod.run(["python", "main.py"]) == 0, pod.err
    manifest = pod.manifest()
    assert (manifest.state, manifest.exit_code, manifest.attempt) == ("succeeded", 0, 1)
    assert [(file.path, file.size) for file in manifest.files] == [("result", 1)]
    assert pod.store.get(pod.key("0/1/files/result")) == b"0"
    assert pod.out == pod.text("out") == "hello\n"
    assert pod.err == pod.text("err") == ""
    about = json.loads(pod.store.get(pod.key("0/1/attempt.json")))
    assert (about["run"], about["attempt"], about["node"]) == ("test-run", 1, "node-1")


def test_a_failed_command_is_committed_and_permanent(pod):
    assert pod.run(["sh", "-c", "echo partial > a; echo no >&2; exit 3"]) == 80
    manifest = pod.manifest()
    assert (manifest.state, manifest.exit_code) == ("failed", 3)
    assert manifest.failure.evidence == ("no",)
    assert pod.store.get(pod.key("0/1/files/a")) == b"partial\n"
    assert pod.run(["no-such-program"], run="test-run-2") == 80


def test_the_completion_index_chooses_and_the_annotations_count_attempts(pod):
    pod.tell(["echo", "zero"], ["echo", "one"])
    environment = {"JOB_COMPLETION_INDEX": "1", "SENDOFF_FAILURES": "1"}
    assert pod.end(pod.start(**environment, SENDOFF_IGNORED_FAILURES="2")) == 0
    assert pod.out == "one\n"
    assert pod.manifest(1).attempt == 4
    with pytest.raises(Missing):
        pod.manifest(0)


def test_a_number_that_is_taken_is_passed_over(pod):
    for number in (1, 2):
        pod.store.put(pod.key(f"0/{number}/attempt.json"), b"{}")
    assert pod.run(["sh", "-c", "echo x; echo y > z"]) == 0
    assert pod.manifest().attempt == 3
    assert pod.text(attempt=3) == "x\n"
    assert pod.store.get(pod.key("0/3/files/z")) == b"y\n"
    assert list(pod.store.list(pod.key("0/1/"))) == [pod.key("0/1/attempt.json")]


@pytest.mark.parametrize(("state", "status"), [("succeeded", 0), ("failed", 80)])
@pytest.mark.parametrize("attempt", [1, 2])
def test_what_is_committed_is_not_run_again(pod, state, status, attempt):
    pod.store.put(pod.key("0/manifest.json"), json.dumps({"state": state}).encode())
    pod.tell(["sh", "-c", "sleep 300"])
    began = time.monotonic()
    assert pod.end(pod.start(SENDOFF_FAILURES=str(attempt - 1))) == status
    assert time.monotonic() - began < 20
    assert json.loads(pod.store.get(pod.key("0/manifest.json"))) == {"state": state}


def test_the_code_is_a_fresh_copy_that_can_be_written_to(pod):
    pod.code(main="import os, other; open('other.py', 'w').write('x = 2'); print(other.x)")
    pod.code(other="x = 1")
    for path in (pod.image / "workspace").iterdir():
        path.chmod(0o444)
    assert pod.run(["python", "main.py"]) == 0, pod.err
    assert (pod.image / "workspace/other.py").read_text() == "x = 1"
    assert [file.path for file in pod.manifest().files] == ["other.py"]


def test_the_command_finds_a_home_and_places_of_its_own(pod):
    names = ("HOME", "TMPDIR", "SENDOFF_ROOT", "PWD", "SENDOFF_OUTPUT_DIR", "PYTHONPATH", "LR", "X")
    code = (
        f"import os, json; print(json.dumps([os.environ.get(n) for n in {names}] + [os.getcwd()]))"
    )
    pod.environment = {"HOME": "/root", "PYTHONPATH": "/workspace/src:/other", "X": "1"}
    assert pod.run(["python", "-c", code], environment={"LR": "1e-3", "X": "2"}) == 0, pod.err
    home, temporary, root, here, outputs, path, rate, x, cwd = json.loads(pod.out)
    scratch = str(pod.scratch)
    assert (home, temporary) == (scratch + "/home", scratch + "/tmp")  # noqa: S108
    assert root == f"{scratch}/work/0-1"
    assert here == cwd == f"{root}/workspace"
    assert outputs == f"{root}/outputs"
    assert path.split(":")[:2] == [f"{root}/workspace/src", "/other"]
    assert (rate, x) == ("1e-3", "2")
    assert all(Path(folder).is_dir() for folder in (home, temporary))
    assert "SENDOFF_POD_CONFIG" not in pod.out


def test_sigterm_is_passed_on_and_what_was_saved_is_kept_for_the_next_pod(pod):
    code = f"trap 'echo saving; echo 7 > checkpoint; exit 0' TERM; echo 1 > {pod.folder}/started; "
    pod.tell(["sh", "-c", code + "while :; do sleep 0.05; done"], ["echo", "next"], per_pod=2)
    process = pod.start()
    started(pod)
    process.send_signal(signal.SIGTERM)
    assert pod.end(process) == 75
    with pytest.raises(Missing):
        pod.manifest()
    interrupted = pod.manifest(name="1/interrupted.json")
    assert [file.path for file in interrupted.files] == ["checkpoint"]
    assert pod.text() == "saving\n"
    assert not list(pod.store.list(pod.key("1/")))
    # The replacement does all of it.
    pod.tell(["true"], ["echo", "next"], per_pod=2)
    assert pod.end(pod.start(SENDOFF_IGNORED_FAILURES="1")) == 0
    assert [pod.manifest(index).attempt for index in (0, 1)] == [2, 2]


@pytest.mark.parametrize("key", ["cancel.json", "0/cancel.json"])
def test_a_cancelled_run_ends_by_itself(pod, key):
    pod.tell(["sh", "-c", f"echo 1 > {pod.folder}/started; echo kept > file; exec sleep 300"])
    process = pod.start()
    started(pod)
    pod.store.put(pod.key(key), b"{}")
    assert pod.end(process) == 80
    manifest = pod.manifest()
    assert (manifest.state, manifest.signal) == ("cancelled", "SIGTERM")
    assert [file.path for file in manifest.files] == ["file"]


def test_sigterm_of_a_cancelled_run_is_its_end(pod):
    pod.tell(["sh", "-c", f"echo 1 > {pod.folder}/started; exec sleep 300"])
    process = pod.start()
    started(pod)
    pod.store.put(pod.key("cancel.json"), b"{}")
    process.send_signal(signal.SIGTERM)
    assert pod.end(process) == 80
    assert pod.manifest().state == "cancelled"


@pytest.mark.parametrize("signalled", [True, False])
def test_what_follows_a_cancelled_input_is_not_started(pod, signalled):
    first = ["sh", "-c", f"echo 1 > {pod.folder}/started; exec sleep 300"]
    pod.tell(first, ["echo", "second"], ["echo", "third"], per_pod=3)
    process = pod.start()
    started(pod)
    pod.store.put(pod.key("cancel.json"), b"{}")
    if signalled:
        process.send_signal(signal.SIGTERM)
    assert pod.end(process) == (75 if signalled else 80)
    assert pod.out == ""
    assert pod.manifest(0).state == "cancelled"
    for index in (1, 2):
        # Those that a pod which is ended has no time for, the client commits.
        if signalled:
            with pytest.raises(Missing):
                pod.manifest(index)
        else:
            assert (pod.manifest(index).state, pod.manifest(index).exit_code) == ("cancelled", None)


def test_time_is_up_in_a_pod_too(pod):
    assert pod.run(["sleep", "300"], timeout=0.3) == 80
    assert pod.manifest().state == "timed-out"


def test_many_inputs_in_one_pod_each_have_their_own_manifest(pod):
    code = "from sys import argv\nn = int(argv[1])\nprint(n)\n"
    pod.code(main=code + "open('r', 'w').write('x' * n)\n1 / (n - 2)")
    commands = [["python", "main.py", str(number)] for number in range(7)]
    pod.tell(*commands, per_pod=4)
    assert pod.end(pod.start(JOB_COMPLETION_INDEX="0")) == 80
    assert pod.end(pod.start(JOB_COMPLETION_INDEX="1")) == 0
    manifests = [pod.manifest(index) for index in range(7)]
    assert [manifest.state for manifest in manifests] == ["succeeded"] * 2 + ["failed"] + [
        "succeeded"
    ] * 4
    assert [manifest.files[0].size for manifest in manifests] == list(range(7))
    assert [pod.text(index=index) for index in range(7)] == [f"{index}\n" for index in range(7)]
    # Room is made for the next one.
    assert list((pod.scratch / "work").iterdir()) == []


def test_a_pod_that_is_tried_again_leaves_alone_what_is_committed(pod):
    pod.store.put(pod.key("1/manifest.json"), b'{"state": "succeeded"}')
    pod.tell(["echo", "0"], ["echo", "1"], ["echo", "2"], per_pod=3)
    assert pod.end(pod.start(SENDOFF_FAILURES="1")) == 0
    assert pod.out == "0\n2\n"


# Containers that are started again in the same file system


@pytest.mark.parametrize("command", [["sh", "-c", "exit 3"], ["no-such-program"]])
def test_an_engine_sees_a_final_end_as_a_good_one(pod, command):
    assert pod.run(command, restarted=True, retries=2) == exit_status.COMMITTED, pod.err
    assert pod.manifest().state == "failed"
    # Whoever starts it nevertheless runs nothing.
    assert pod.end(pod.start()) == exit_status.COMMITTED
    assert not pod.store.has(pod.key("0/2/attempt.json"))


def killed(pod, process):
    """Kill a container whose command has started and been announced."""
    started(pod)
    deadline = time.monotonic() + 20
    while not pod.store.has(pod.key((pod.folder / "started").read_text().strip())):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    assert pod.end(process) == -signal.SIGKILL
    (pod.folder / "started").unlink()


def waits(pod, attempt):
    """A command that leaves a file, and waits to be killed with its container."""
    key = f"1/{attempt}/attempt.json"
    code = f"echo {attempt} > left-{attempt}; echo {key} > {pod.folder}/n; "
    return ["sh", "-c", code + f"mv {pod.folder}/n {pod.folder}/started; exec sleep 300"]


def test_a_killed_container_goes_on_where_it_was(pod):
    (pod.image / "workspace/link").symlink_to("README.py")
    first, last = ["sh", "-c", "echo first"], ["sh", "-c", "echo last"]
    told = {"restarted": True, "retries": 1, "per_pod": 3}
    pod.tell(first, waits(pod, 1), last, **told)
    killed(pod, pod.start())
    again = ["sh", "-c", "readlink link; echo $SENDOFF_ATTEMPT > number"]
    pod.tell(first, again, last, **told)
    assert pod.end(pod.start()) == exit_status.COMMITTED, pod.err
    assert pod.out == "README.py\nlast\n"
    assert [pod.manifest(index).attempt for index in (0, 1, 2)] == [1, 2, 1]
    assert [file.path for file in pod.manifest(1).files] == ["number"]
    assert pod.store.get(pod.key("1/2/files/number")) == b"2\n"


def test_an_input_that_has_used_up_its_attempts_is_no_hindrance_to_the_next(pod):
    told = {"restarted": True, "retries": 1, "per_pod": 3}
    for attempt in (1, 2):
        pod.tell(["echo", "first"], waits(pod, attempt), ["echo", "last"], **told)
        killed(pod, pod.start())
    assert pod.end(pod.start()) == exit_status.COMMITTED
    assert pod.out == "last\n"
    assert "there may be no further one" in pod.err
    assert not pod.store.has(pod.key("1/manifest.json"))


def test_a_container_whose_results_were_not_taken_is_tried_again(pod, proxy):
    refused = proxy.on("PUT", r"/0/manifest\.json", Answer(503), times=1000)
    told = {"restarted": True, "retries": 1, "patience": 1}
    assert pod.run(["echo", "1"], **told) == exit_status.NOT_STORED
    assert refused.met
    proxy.heal()
    assert pod.end(pod.start()) == exit_status.COMMITTED, pod.err
    assert pod.manifest().attempt == 2


def test_an_assignment_that_means_nothing_is_permanent(pod):
    pod.tell(["true"])
    (pod.config / "assignment.json").write_text('{"format": "sendoff.pod/9"}')
    assert pod.end(pod.start()) == 81
    assert "sendoff.pod/" in pod.err
    (pod.config / "assignment.json").unlink()
    assert pod.end(pod.start()) == 81


def test_a_large_assignment_is_compressed(pod):
    import gzip

    pod.tell(["echo", "found"])
    path = pod.config / "assignment.json"
    (pod.config / "assignment.json.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert pod.end(pod.start()) == 0
    assert pod.out == "found\n"


def test_a_directory_can_be_the_store_of_a_pod(pod, tmp_path):
    from dispatcher.runner.store import DirectoryStore

    store = {"kind": "directory", "path": str(tmp_path / "store")}
    assert pod.run(["sh", "-c", "echo x; echo 1 > y"], store=store) == 0, pod.err
    pod.store = DirectoryStore(store["path"])
    assert pod.manifest().files[0].path == "y"
    assert pod.text() == "x\n"


# Faults of the store


def test_a_lost_answer_to_the_commit_is_no_loss(pod, proxy):
    lost = proxy.on("PUT", r"/0/manifest\.json", LoseAnswer())
    assert pod.run(["true"]) == 0, pod.err
    assert lost.met
    assert pod.manifest().state == "succeeded"
    sent = proxy.seen("PUT", r"/0/manifest\.json")
    assert [each.headers["if-none-match"] for each in sent] == ["*", "*"]
    assert [each.status for each in sent] == [0, 412]
    assert not any(name.startswith("x-amz-meta") for each in proxy.log for name in each.headers)


def test_a_late_writer_loses(pod, proxy):
    pod.tell(
        [
            "sh",
            "-c",
            f"echo 1 > {pod.folder}/started; while ! test -e {pod.folder}/go; do sleep 0.01; done",
        ]
    )
    process = pod.start()
    started(pod)
    proxy.wait(lambda: bool(proxy.seen("PUT", r"attempt\.json")))
    # Answered, so that what is put now is put later.
    proxy.wait(lambda: any(each.status for each in proxy.seen("HEAD", r"/0/manifest\.json")))
    pod.store.put(pod.key("0/manifest.json"), b'{"state": "failed"}')
    (pod.folder / "go").touch()
    assert pod.end(process) == 80
    ours, late = proxy.seen("PUT", r"/0/manifest\.json")
    assert ours.status == 200
    assert (late.headers["if-none-match"], late.status) == ("*", 412)
    assert json.loads(pod.store.get(pod.key("0/manifest.json"))) == {"state": "failed"}


def test_a_store_that_is_down_for_a_while_loses_nothing(pod, proxy):
    pod.tell(["sh", "-c", f"echo 1; echo 1 > {pod.folder}/started; echo 2 > result"])
    proxy.refuse()
    process = pod.start()
    started(pod)
    healing = threading.Timer(2, proxy.heal)
    healing.start()
    assert pod.end(process) == 0, pod.err
    healing.join()
    assert pod.manifest().files[0].path == "result"
    assert pod.text() == "1\n"


def test_a_store_that_stays_down_is_never_a_success(pod, proxy):
    pod.tell(["sh", "-c", "echo 1 > result"], patience=2)
    proxy.refuse()
    began = time.monotonic()
    assert pod.end(pod.start()) == 74
    assert 2 <= time.monotonic() - began < 20
    assert "the store took no manifest" in pod.err
    proxy.heal()
    assert not list(pod.store.list(pod.key("")))


def test_a_store_that_is_not_well_is_asked_again_when_it_says(pod, proxy):
    busy = proxy.on("PUT", r"/files/", Answer(503, {"Retry-After": "1"}))
    limited = proxy.on("PUT", r"/0/manifest\.json", Answer(429, {"Retry-After": "1"}))
    broken = proxy.on("PUT", r"attempt\.json", Answer(500))
    began = time.monotonic()
    assert pod.run(["sh", "-c", "echo 1 > result"]) == 0, pod.err
    assert all(rule.met for rule in (busy, limited, broken))
    assert time.monotonic() - began > 2
    assert pod.store.get(pod.key("0/1/files/result")) == b"1\n"


def test_credentials_that_are_over_are_read_again_when_newer_ones_come(pod, proxy):
    pod.tell(["echo", "1"])
    pod.authorize(session_token="of another day")
    process = pod.start()
    proxy.wait(lambda: any(each.status == 403 for each in proxy.log))
    pod.authorize()
    assert pod.end(process) == 0, pod.err
    assert pod.manifest().state == "succeeded"


def test_credentials_that_are_over_for_good_are_named(pod):
    pod.tell(["echo", "1"], patience=1)
    pod.authorize(session_token="of another day")
    assert pod.end(pod.start()) == 74
    assert "no manifest: STORE_CREDENTIALS_EXPIRED: the credentials for the store have" in pod.err


def test_no_command_is_started_whose_results_the_store_would_not_take(pod):
    pod.tell(["touch", str(pod.folder / "started")])
    pod.authorize(expires="2026-01-01T00:00:00Z")
    assert pod.end(pod.start()) == exit_status.NOT_BEGUN
    assert "no command was started: STORE_CREDENTIALS_EXPIRED: " in pod.err
    assert "they were good until 2026-01-01T00:00:00Z" in pod.err
    assert not (pod.folder / "started").exists()
    assert not list(pod.store.list(pod.key("")))


def test_newer_credentials_beside_those_that_are_over_are_used(pod):
    pod.tell(["echo", "1"])
    pod.authorize(expires="2999-01-01T00:00:00Z")
    (pod.config / "credentials.json").rename(pod.config / "renewed.json")
    pod.authorize(session_token="of another day", expires="2026-01-01T00:00:00Z")
    assert pod.end(pod.start()) == 0, pod.err
    assert pod.manifest().state == "succeeded"


def test_an_attempt_that_can_not_see_what_came_before_it_starts_nothing(pod, proxy):
    pod.tell(["touch", str(pod.folder / "started")])
    # Away for longer than a pod waits for it to begin, and says so.
    proxy.on("*", "", Answer(503, {"Retry-After": "60"}), times=1_000)
    process = pod.start(SENDOFF_FAILURES="1")
    assert pod.end(process) == exit_status.NOT_BEGUN
    assert "no command was started: STORE_UNREACHABLE: " in pod.err
    assert not (pod.folder / "started").exists()


def test_what_has_used_up_its_attempts_is_not_tried_again(pod):
    pod.store.put(pod.key("0/1/attempt.json"), b"{}")
    killed = {"SENDOFF_FAILURES": "1"}
    pod.tell(["sh", "-c", "echo again"], retries=0)
    assert pod.end(pod.start(**killed)) == exit_status.SPENT
    assert not pod.store.has(pod.key("0/manifest.json"))
    # One more was allowed; and a pod that never started a command was no attempt.
    pod.tell(["sh", "-c", "echo again"], retries=1)
    assert pod.end(pod.start(**killed)) == exit_status.COMMITTED


def test_neither_a_disruption_nor_a_pod_that_never_began_is_an_attempt(pod):
    pod.store.put(pod.key("0/1/attempt.json"), b"{}")
    pod.tell(["true"], ["true"], retries=0)
    assert pod.end(pod.start(SENDOFF_IGNORED_FAILURES="1")) == exit_status.COMMITTED
    assert pod.end(pod.start(SENDOFF_FAILURES="1", JOB_COMPLETION_INDEX="1")) == 0


# Clocks


@pytest.fixture
def clock(pod):
    """Lets the pod's clock be so many seconds ahead of the store's, and of the client's."""

    def clock(seconds):
        try:
            pod.environment = clocks.ahead(pod.folder, seconds)
        except Unavailable as reason:
            pytest.skip(str(reason))

    return clock


@pytest.mark.parametrize(("seconds", "said"), [(1200, "20 min ahead of"), (-1200, "20 min behind")])
def test_a_clock_that_the_store_does_not_bear_is_named_and_is_no_success(pod, clock, seconds, said):
    clock(seconds)
    assert pod.run(["true"], patience=2) == exit_status.NOT_STORED
    assert "no manifest: CLOCK_SKEW: this machine's clock is wrong, or the store's" in pod.err
    assert f"this clock is {said} it" in pod.err
    assert "Traceback" not in pod.err
    assert not list(pod.store.list(pod.key("")))


@pytest.mark.parametrize("seconds", [600, -600])
def test_a_clock_that_the_store_bears_changes_no_duration(pod, clock, seconds):
    clock(seconds)
    began = time.time()
    assert pod.run(["sleep", "0.3"], sent=began - 5, pulling=1.0) == 0, pod.err
    whole = time.time() - began
    manifest = pod.manifest()
    phases = manifest.phases
    assert 0.25 <= phases.running == manifest.usage.wall <= whole
    assert 0 <= phases.starting <= whole
    assert 0 <= phases.uploading <= whole
    start, end = (
        datetime.fromisoformat(each).timestamp() for each in (manifest.started, manifest.ended)
    )
    assert end - start == pytest.approx(phases.running, abs=0.002)
    assert start - began == pytest.approx(seconds, abs=whole)
    # Only this phase lies between two clocks: one that would be negative is not known.
    if seconds < 0:
        assert phases.queued is None
    else:
        assert phases.queued == pytest.approx(seconds + 4, abs=whole)
