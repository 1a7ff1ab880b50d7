"""A stand-in for NVIDIA's management library, built by the machine's C compiler.

It has two GPUs. How busy they are is what the file $STAND_IN_USE says, in percent, each time they
are asked; 50 where there is none, and an error where it says -1.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

USE = "STAND_IN_USE"
_SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
typedef struct { unsigned gpu, memory; } use;
typedef struct { unsigned long long total, free, used; } room;
static unsigned long long calls[2] = {0, 0};
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlSystemGetDriverVersion(char *s, unsigned n) { strncpy(s, DRIVER, n); return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) { *d = (void *)(long)(i + 1); return 0; }
int nvmlDeviceGetName(void *d, char *s, unsigned n) { strncpy(s, NAME, n); return 0; }
int nvmlDeviceGetUUID(void *d, char *s, unsigned n) {
  strncpy(s, (long)d == 1 ? "GPU-aaaa" : "GPU-bbbb", n); return 0; }
int nvmlDeviceGetUtilizationRates(void *d, use *u) {
  int percent = 50;
  const char *path = getenv("STAND_IN_USE");
  FILE *file = path ? fopen(path, "r") : 0;
  if (file) { if (fscanf(file, "%d", &percent) != 1) percent = 50; fclose(file); }
  if (percent < 0) return 999;
  u->gpu = percent; u->memory = 1; return 0; }
int nvmlDeviceGetMemoryInfo(void *d, room *m) {
  m->total = 80ULL << 30; m->used = (1ULL << 30) * ++calls[(long)d - 1]; return 0; }
"""


def build(folder: Path, *, driver: str = "550.54.14", name: str = "NVIDIA H100") -> Path:
    """The folder, with the library in it; the test is skipped where there is no compiler.

    What was built there before is replaced by that of another driver, or of other GPUs.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler")
    folder.mkdir(exist_ok=True)
    (folder / "nvml.c").write_text(_SOURCE)
    library = folder / "libnvidia-ml.so.1"
    library.unlink(missing_ok=True)
    told = [f'-DDRIVER="{driver}"', f'-DNAME="{name}"']
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-w", *told, "-o", library, folder / "nvml.c"], check=True
    )
    return folder
