"""All that a process inherits: a command is handed over between equals, or not at all.

Given with each command are its arguments, directory, variables and standard streams. Everything
else, from the user and the limits to the container it is in, has to be the same on both sides.
"""

from __future__ import annotations

import os
import sys

SWITCH = "SENDOFF_WARM"
"""0 turns it off."""

_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "TZ", "OPENSSL_", "MALLOC_", "GLIBC_", "COVERAGE")
_STATUS = (
    b"Umask", b"Uid", b"Gid", b"Groups", b"Sig", b"Shd", b"Cap", b"NoNewPrivs", b"Seccomp",
    b"Cpus_allowed:", b"Mems_allowed:",
)  # fmt: skip
_TRANSIENT = (b"SigQ", b"SigPnd", b"SigCgt", b"ShdPnd")
_OF_GLIBC = 0b11 << 31
_FILES = ("limits", "cgroup", "oom_score_adj", "attr/current")
_SPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
_KIND_AND_OTHERS, _OWN_FOLDER = 0o170_077, 0o040_000
_STREAMS = (b"/dev/fd/", b"/proc/self/")
"""How an argument names a further open file, as `<(…)` of a shell does."""
_LONGEST = 107
"""Bytes of a socket's path (unix(7))."""


def told() -> bytes | None:
    """The circumstances of this process; None where it has some that can't be shared."""
    if sys.platform != "linux" or sys.gettrace() or sys.getprofile() or not _usual_streams():
        return None
    try:
        facts = [_status(), *(_content(name) for name in _FILES)]
        facts += [os.fsencode(os.readlink(f"/proc/self/ns/{name}")) for name in _SPACES]
        facts += [os.fsencode(os.readlink("/proc/self/root"))]
    except OSError:
        return None
    facts += [repr((sys.version, sys.executable, sys.path, tuple(sys.flags))).encode()]
    facts += [b"%d" % os.getpriority(os.PRIO_PROCESS, 0)]
    facts += [b"%s=%s" % each for each in sorted(lasting().items())]
    return b"\n".join(facts)


def lasting() -> dict[bytes, bytes]:
    """The variables that Python or a library reads when it starts, and never again.

    As they were then: Python itself sets LC_CTYPE where there is no locale (PEP 538).
    """
    starts = tuple(map(os.fsencode, _READ_AT_START))
    given = _content("environ").split(b"\0")
    pairs = (each.partition(b"=") for each in given if each.startswith(starts))
    return {name: value for name, _, value in pairs}


def place(facts: bytes) -> str | None:
    """The socket of whoever is in these circumstances; None where there can be none."""
    from binascii import crc32

    folder = os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/sendoff-{os.getuid()}"  # noqa: S108
    if os.environ.get("XDG_RUNTIME_DIR"):
        folder += "/sendoff"
    path = f"{folder}/warm-{crc32(facts):08x}"
    return path if len(os.fsencode(path)) < _LONGEST and is_private(folder) else None


def is_private(folder: str) -> bool:
    """Whether nobody else can put anything into this folder; it is made where it is missing."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError:
        return False
    found = os.lstat(folder)
    return found.st_uid == os.getuid() and found.st_mode & _KIND_AND_OTHERS == _OWN_FOLDER


def _usual_streams() -> bool:
    """Whether the standard streams are open, and no further one is named anywhere."""
    try:
        for number in range(3):
            os.fstat(number)
    except OSError:
        return False
    given = b"\0".join((*map(os.fsencode, sys.argv), *os.environb.values()))
    return not any(mark in given for mark in _STREAMS)


def _status() -> bytes:
    lines = _content("status").split(b"\n")
    kept = [x for x in lines if x.startswith(_STATUS) and not x.startswith(_TRANSIENT)]
    return b"\n".join(_ignored(x) if x.startswith(b"SigIgn") else x for x in kept)


def _ignored(line: bytes) -> bytes:
    """Without the two signals that glibc keeps to itself, and has `posix_spawn` ignore."""
    name, _, mask = line.partition(b":")
    return b"%s:%x" % (name, int(mask, 16) & ~_OF_GLIBC)


def _content(name: str) -> bytes:
    try:
        descriptor = os.open(f"/proc/self/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        # Not every kernel has all of them.
        return b""
    try:
        return b"".join(iter(lambda: os.read(descriptor, 1 << 16), b""))
    except OSError:
        # attr/current can be opened, and not read, where no security module is in charge.
        return b""
    finally:
        os.close(descriptor)
