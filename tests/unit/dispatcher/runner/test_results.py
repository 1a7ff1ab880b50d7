"""Results on their way from a pod into a bucket: whole, and in bounded memory."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from dispatcher.runner import s3_upload
from dispatcher.runner.store import Missing
from tests import file_systems
from tests.faults.faults import Answer, CutRequest, Delay

MB = 1 << 20


def compare(pod, manifest) -> None:
    """What is stored is what the manifest says."""
    for file in manifest.files:
        data = pod.store.get(pod.key(f"0/1/files/{file.path}"))
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256)


def test_a_large_file_arrives_whole_in_bounded_memory(pod):
    code = "import os\nfor n in range(200): os.write(1, os.urandom(1 << 20))\n"
    pod.code(main=code)
    assert pod.run(["sh", "-c", "python main.py > large; echo 1 > small"], wait=120) == 0, pod.err
    manifest = pod.manifest()
    assert [(file.path, file.size) for file in manifest.files] == [
        ("large", 200 * MB),
        ("small", 2),
    ]
    compare(pod, manifest)
    assert pod.peak < 150 * MB


def test_many_small_files_arrive_whole_in_bounded_memory(pod):
    code = (
        "import os\n"
        "for n in range(2_000):\n"
        "    os.makedirs(f'out/{n % 7}', exist_ok=True)\n"
        "    open(f'out/{n % 7}/{n}', 'w').write(str(n))\n"
    )
    pod.code(main=code)
    assert pod.run(["python", "main.py"], wait=120) == 0, pod.err
    manifest = pod.manifest()
    assert len(manifest.files) == 2_000
    assert [file.path for file in manifest.files] == sorted(file.path for file in manifest.files)
    compare(pod, manifest)
    assert pod.peak < 80 * MB


def test_parts_that_are_cut_are_sent_again(pod, proxy):
    cut = proxy.on("PUT", "partNumber", CutRequest(after=MB), times=3)
    refused = proxy.on("PUT", "partNumber", Answer(503, {"Retry-After": "1"}), skip=1)
    code = "for n in range(40): print(str(n) * 1048575)"
    pod.code(main=code)
    assert pod.run(["sh", "-c", "python main.py > large"]) == 0, pod.err
    assert len(cut.met) == 3
    assert refused.met
    compare(pod, pod.manifest())


def test_a_large_result_has_several_parts_under_way_with_a_bound(pod, proxy):
    proxy.on("PUT", "partNumber", Delay(0.1), times=99)
    assert pod.run(["sh", "-c", "head -c 75497472 /dev/urandom > large"]) == 0, pod.err
    assert len(proxy.seen("PUT", "partNumber")) == 9
    assert 2 <= proxy.at_once("PUT", "partNumber") <= s3_upload._UNDER_WAY
    compare(pod, pod.manifest())


def test_many_results_go_side_by_side_with_a_bound(pod, proxy):
    proxy.on("PUT", "/files/", Delay(0.1), times=99)
    code = "for n in range(30): open(str(n), 'w').write(str(n))"
    pod.code(main=code)
    assert pod.run(["python", "main.py"]) == 0, pod.err
    assert len(proxy.seen("PUT", "/files/")) == 30
    assert 2 <= proxy.at_once("PUT", "/files/") <= pod.store.parallel
    compare(pod, pod.manifest())


def test_a_fault_late_in_a_long_transfer_is_borne_like_an_early_one(pod, proxy):
    late = proxy.on("PUT", "/files/9$", Answer(503))
    proxy.on("PUT", "/files/", Delay(0.5), times=99)
    code = "for n in range(40): open(f'{n:02}', 'w').write(str(n))\nopen('9', 'w').write('late')"
    pod.code(main=code)
    assert pod.run(["python", "main.py"], patience=1) == 0, pod.err
    assert late.met
    assert len(pod.manifest().files) == 41


def test_a_command_that_writes_far_too_much_is_told_and_takes_no_memory(pod):
    code = (
        "import os\nos.makedirs('deep')\n"
        "for n in range(60_000): os.close(os.open(f'deep/{n}', os.O_CREAT))\n"
        "open('metrics.json', 'w').write('{}')\n"
    )
    pod.code(main=code)
    assert pod.run(["python", "main.py"], wait=180, file_limit=500) == 80
    manifest = pod.manifest()
    assert manifest.failure.code == "UPLOAD_INCOMPLETE"
    assert "60001 files were written; the limit is 500" in manifest.failure.evidence
    assert manifest.failure.blame == "user"
    assert "result-files in [tool.sendoff]" in manifest.failure.fix
    assert len(manifest.files) == 500
    assert manifest.files[0].path == "metrics.json"
    assert pod.peak < 80 * MB


def test_more_bytes_than_the_limit_are_a_failure_that_keeps_what_fits(pod):
    # Sparse: it takes no room here, but would in the store.
    command = ["sh", "-c", "echo 1 > a; truncate -s 200G huge; echo 2 > small"]
    assert pod.run(command, byte_limit=MB) == 80
    manifest = pod.manifest()
    assert manifest.failure.code == "UPLOAD_INCOMPLETE"
    assert "result-size in [tool.sendoff]" in manifest.failure.fix
    assert [file.path for file in manifest.files] == ["a"]


def test_names_of_every_kind_arrive(pod):
    names = [b"new\nline", b"\xff\xfe raw", "ümläut €".encode(), b"x" * 250, b"..hidden", b"a%b"]
    code = f"import os\nfor name in {names!r}: open(name, 'wb').write(name)\n"
    pod.code(main=code)
    assert pod.run(["python", "main.py"]) == 0, pod.err
    manifest = pod.manifest()
    assert sorted(os.fsencode(file.path) for file in manifest.files) == sorted(names)
    compare(pod, manifest)


def test_a_path_too_long_for_s3_is_a_failure_that_keeps_the_rest(pod):
    code = "import os\npath = '/'.join(['x' * 200] * 6)\nos.makedirs(path)\n"
    code += "open(path + '/f', 'w').close()\nopen('a', 'w').write('1')\n"
    pod.code(main=code)
    assert pod.run(["python", "main.py"]) == 80
    manifest = pod.manifest()
    assert manifest.failure.code == "UPLOAD_INCOMPLETE"
    assert manifest.failure.fix == ""
    assert [file.path for file in manifest.files] == ["a"]


def test_links_out_of_the_pod_are_never_followed(pod):
    code = "ln -s /etc/passwd link; ln -s /etc folder; mkfifo pipe; echo 1 > real"
    assert pod.run(["sh", "-c", code]) == 0, pod.err
    manifest = pod.manifest()
    assert [file.path for file in manifest.files] == ["real"]
    assert manifest.warnings[0].startswith("OUTPUT_SKIPPED: 3 links or special files")


@pytest.fixture
def small_disk(pod):
    """A scratch of 3 MB."""
    with file_systems.small(pod.scratch, "3m"):
        yield


@pytest.mark.usefixtures("small_disk")
def test_a_disk_that_is_full_is_said_and_what_there_is_is_kept(pod):
    code = "echo 1 > metrics; head -c 9000000 /dev/zero > big; test $(wc -c < big) = 9000000"
    assert pod.run(["sh", "-c", code]) == 80
    manifest = pod.manifest()
    assert (manifest.failure.code, manifest.failure.blame) == ("DISK_FULL", "capacity")
    assert "No space left on device" in manifest.failure.evidence[0]
    assert {file.path for file in manifest.files} == {"metrics", "big"}
    compare(pod, manifest)


@pytest.mark.usefixtures("small_disk")
def test_a_disk_too_small_for_the_code_is_tried_elsewhere(pod):
    pod.code(large="x = 1\n" * 1_000_000)
    assert pod.run(["true"]) == 70
    assert "no working directory could be made" in pod.err
    with pytest.raises(Missing):
        pod.manifest()


@pytest.fixture
def container(pod):
    """A control group of 256 MB around the pod, as a container has one."""
    unified = Path("/sys/fs/cgroup/cgroup.procs").exists()
    root = Path("/sys/fs/cgroup" if unified else "/sys/fs/cgroup/memory")
    if os.geteuid() != 0 or not root.is_dir():
        pytest.skip("making a control group takes root")
    group = root / f"sendoff-test-{os.getpid()}"
    group.mkdir()
    (group / ("memory.max" if unified else "memory.limit_in_bytes")).write_text(str(256 * MB))
    pod.within = ("sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh")
    yield
    group.rmdir()


@pytest.mark.usefixtures("container")
@pytest.mark.parametrize("swallowed", [False, True])
def test_memory_that_is_used_up_is_named(pod, swallowed):
    pod.code(main="held = []\nwhile True: held.append(bytearray(b'1') * (8 << 20))\n")
    command = ["sh", "-c", "python main.py; exit 0"] if swallowed else ["python", "main.py"]
    assert pod.run(command) == 80
    manifest = pod.manifest()
    assert manifest.failure.code == "OOM_HOST"
    assert "the kernel killed 1 of its processes" in manifest.failure.evidence[0]
    assert "--memory" in manifest.failure.fix
    assert manifest.exit_code == (0 if swallowed else None)


@pytest.mark.usefixtures("container")
def test_memory_of_an_earlier_input_is_not_held_against_the_next(pod):
    pod.code(main="held = []\nwhile True: held.append(bytearray(b'1') * (8 << 20))\n")
    assert pod.run(["python", "main.py"], ["true"], per_pod=2) == 80
    assert [pod.manifest(index).state for index in (0, 1)] == ["failed", "succeeded"]
    assert pod.manifest(1).usage.memory_peak < 100 * MB
