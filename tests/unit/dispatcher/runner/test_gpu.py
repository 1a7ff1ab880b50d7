"""GPU figures, asked of a driver that this test builds: the machine may have none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = r"""
#include <string.h>
typedef struct { unsigned gpu, memory; } use;
typedef struct { unsigned long long total, free, used; } room;
static unsigned long long calls[2] = {0, 0};
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlSystemGetDriverVersion(char *s, unsigned n) { strncpy(s, "550.54.14", n); return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) { *d = (void *)(long)(i + 1); return 0; }
int nvmlDeviceGetName(void *d, char *s, unsigned n) { strncpy(s, "NVIDIA H100", n); return 0; }
int nvmlDeviceGetUUID(void *d, char *s, unsigned n) {
  strncpy(s, (long)d == 1 ? "GPU-aaaa" : "GPU-bbbb", n); return 0; }
int nvmlDeviceGetUtilizationRates(void *d, use *u) { u->gpu = 50; u->memory = 1; return 0; }
int nvmlDeviceGetMemoryInfo(void *d, room *m) {
  m->total = 80ULL << 30; m->used = (1ULL << 30) * ++calls[(long)d - 1]; return 0; }
"""
ASK = """
import json, sys, time
from dispatcher.runner.gpu import Gpus
gpus = Gpus({visible!r})
deadline = time.monotonic() + 10
while len(gpus._busy) < 2 and time.monotonic() < deadline: time.sleep(0.01)
print(json.dumps([gpus.finish(), gpus.facts]))
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("driver")
    (folder / "nvml.c").write_text(DRIVER)
    library = folder / "libnvidia-ml.so.1"
    command = [compiler, "-shared", "-fPIC", "-w", "-o", library, folder / "nvml.c"]
    subprocess.run(command, check=True)
    return folder


def ask(driver: Path, visible: str | None):
    import json

    done = subprocess.run(
        [sys.executable, "-c", ASK.format(visible=visible)],
        env={"LD_LIBRARY_PATH": str(driver)},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        check=True,
    )
    (busy, peak), facts = json.loads(done.stdout)
    return busy, peak, facts


def test_use_and_facts_of_every_gpu(driver):
    busy, peak, facts = ask(driver, None)
    assert busy == 0.5
    # Above what was in use at the first look, of both.
    assert peak >= 2 << 30
    assert facts == [{"name": "NVIDIA H100", "memory": 80 << 30, "driver": "550.54.14"}] * 2


@pytest.mark.parametrize(
    ("visible", "count"), [("1", 1), ("GPU-bb", 1), ("0,1", 2), ("all", 2), ("", 0)]
)
def test_only_what_the_command_can_see(driver, visible, count):
    if count:
        assert len(ask(driver, visible)[2]) == count


def test_a_machine_without_a_driver_has_none(tmp_path):
    code = (
        "from dispatcher.runner.gpu import Gpus\n"
        "gpus = Gpus(None); gpus._thread.join(); print(gpus.finish())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"LD_LIBRARY_PATH": str(tmp_path)},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    if not Path("/dev/nvidiactl").exists():
        assert done.stdout == "(None, None)\n"
