"""A wall clock that is wrong, for one program; its monotonic one stays right.

libfaketime will not do for Python: where it leaves the monotonic clock alone, `time.sleep` fails
(EINVAL), and where it does not, waiting with a time-out never ends.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.stack.unavailable import Unavailable

_CODE = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    const char *ahead = getenv("WALL_CLOCK_AHEAD");
    if (!failed && clock == CLOCK_REALTIME && ahead) now->tv_sec += atol(ahead);
    return failed;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
"""


def ahead(folder: Path, seconds: int) -> dict[str, str]:
    """Variables of a program whose clock is so many seconds ahead.

    Raises:
        Unavailable: there is no C compiler.
    """
    library = folder / "wall_clock.so"
    if not library.exists():
        if not shutil.which("cc"):
            raise Unavailable("no C compiler, which a wrong clock takes")
        command = ["cc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", str(library)]
        subprocess.run(command, input=_CODE.encode(), check=True)
    return {"LD_PRELOAD": str(library), "WALL_CLOCK_AHEAD": str(seconds)}
