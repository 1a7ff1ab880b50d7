"""Which files stay out: `.gitignore`, `.sendoffignore`, and what is never packed by default.

The patterns are git's (gitignore(5)). Only the ignore files count, not whether git tracks a file:
the same tree gives the same snapshot with and without its history.
"""

# Paths are raw bytes here, which pathlib does not take.
# ruff: noqa: PTH118

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Container, Sequence
from functools import cached_property

from packer.project import wildmatch
from packer.record import Record

GIT, SENDOFF = b".gitignore", b".sendoffignore"
MARKS = frozenset({GIT, SENDOFF, b".git"})
"""A directory with one of these names in it may have rules of its own."""

DEFAULTS = b"""\
.git
.hg
.svn
__pycache__/
.mypy_cache/
.pytest_cache/
.ruff_cache/
.hypothesis/
.ipynb_checkpoints/
.tox/
.nox/
node_modules/
.DS_Store
.env*
.netrc
.pypirc
.git-credentials
.npmrc
.aws/
.azure/
.docker/config.json
.gnupg/
.kube/
.ssh/
.boto
.s3cfg
.databrickscfg
.vault-token
kaggle.json
application_default_credentials.json
client_secret*.json
id_rsa
id_dsa
id_ecdsa
id_ed25519
*.p12
*.pfx
"""
"""Never packed, unless a `.sendoffignore` says so with `!`."""

_BOM = b"\xef\xbb\xbf"


class Pattern(Record, frozen=True):
    """One line of an ignore file."""

    regex: bytes
    negated: bool
    directories_only: bool
    basename_only: bool
    """It has no slash: it is compared with the last part of a path, at any depth."""
    source: str
    """Where it is, and the line itself: ".gitignore:3 *.log"."""


class Level:
    """The patterns of one ignore file; they see paths below its directory."""

    def __init__(self, data: bytes, directory: bytes, name: str) -> None:
        self.name, self.data = name, data
        self._prefix = len(directory) + 1 if directory else 0
        self._patterns = parse(data, name)

    @cached_property
    def _compiled(self) -> tuple[tuple[re.Pattern[bytes], Pattern], ...]:
        return tuple((re.compile(p.regex, re.DOTALL), p) for p in reversed(self._patterns))

    @cached_property
    def _any(self) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        """What no pattern can match need not be compared with each of them."""
        return tuple(  # type: ignore[return-value]
            re.compile(
                b"|".join(b"(?:%s)" % p.regex for p in self._patterns if p.basename_only is kind)
                or b"(?!)",
                re.DOTALL,
            )
            for kind in (True, False)
        )

    def match(self, path: bytes, *, is_directory: bool) -> Pattern | None:
        """The last pattern that matches this very path (not a directory above it)."""
        inner = path[self._prefix :]
        name = inner[inner.rfind(b"/") + 1 :]
        names, paths = self._any
        if not names.fullmatch(name) and not paths.fullmatch(inner):
            return None
        for regex, pattern in self._compiled:
            if pattern.directories_only and not is_directory:
                continue
            if regex.fullmatch(name if pattern.basename_only else inner):
                return pattern
        return None


class Rules:
    """What holds in one directory: the ignore files there and above, the deepest first.

    `.sendoffignore` comes before all, then the defaults, then `always` (git patterns of files that
    are packed although git ignores them), then `.gitignore`. Paths are relative to the project.
    """

    def __init__(
        self,
        *,
        base: bytes,
        always: Level,
        key: bytes,
        git: tuple[Level, ...] = (),
        own: tuple[Level, ...] = (),
    ) -> None:
        self.key = key
        """Equal keys give equal verdicts."""
        self._base, self._always, self._git, self._own = base, always, git, own

    @classmethod
    def base(cls, always: Sequence[str] = (), base: bytes = b"") -> Rules:
        """The rules outside all ignore files.

        `base` leads from the repository's root to the project; empty, or with a final slash.
        """
        patterns = "\n".join(always).encode()
        key = hashlib.sha256(b"\0".join((DEFAULTS, patterns, base))).digest()
        return cls(base=base, always=Level(patterns, b"", "always"), key=key)

    def within(self, root: bytes, directory: bytes, present: Container[bytes]) -> Rules:
        """The rules in `directory` of the project at `root`, where the names `present` are."""
        inner = self
        if directory and b".git" in present:
            inner = inner.without_git()
        for name in (GIT, SENDOFF):
            if name in present and (data := content(os.path.join(root, directory, name))):
                at = (self._base + directory).rstrip(b"/")
                where = os.path.join(directory, name).decode(errors="replace")
                inner = inner.added(name, Level(data, at, where))
        return inner

    def added(self, name: bytes, level: Level) -> Rules:
        """These rules and those of an ignore file called `name`."""
        git, own = self._git, self._own
        if name == GIT:
            git = (level, *git)
        else:
            own = (level, *own)
        key = hashlib.sha256(b"\0".join((self.key, level.name.encode(), level.data))).digest()
        return Rules(base=self._base, always=self._always, key=key, git=git, own=own)

    def without_git(self) -> Rules:
        """The rules in a repository inside the repository, of which the outer one knows nothing."""
        key = hashlib.sha256(self.key + b"\0alone").digest()
        return Rules(base=self._base, always=self._always, key=key, own=self._own)

    def verdict(self, path: bytes, *, is_directory: bool) -> str:
        """Why the path stays out; empty where it does not."""
        whole = self._base + path
        if own := _last_match(self._own, whole, is_directory=is_directory):
            return "" if own.negated else own.source
        if default := _DEFAULT.match(path, is_directory=is_directory):
            return "never packed by default: " + default.source.partition(" ")[2]
        if self._always.match(path, is_directory=is_directory):
            return ""
        git = _last_match(self._git, whole, is_directory=is_directory)
        return git.source if git and not git.negated else ""

    def asked_for(self, path: bytes) -> bool:
        """Whether a `.sendoffignore` wants this file with `!`, whatever it holds."""
        own = _last_match(self._own, self._base + path, is_directory=False)
        return own is not None and own.negated


def _last_match(levels: Sequence[Level], path: bytes, *, is_directory: bool) -> Pattern | None:
    for level in levels:
        if pattern := level.match(path, is_directory=is_directory):
            return pattern
    return None


def content(path: bytes) -> bytes:
    """An ignore file's content; nothing where it is a link or a directory, as in git."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return b""
        raise
    try:
        status = os.fstat(descriptor)
        return os.read(descriptor, status.st_size) if stat.S_ISREG(status.st_mode) else b""
    finally:
        os.close(descriptor)


def parse(data: bytes, name: str) -> tuple[Pattern, ...]:
    """The patterns of an ignore file called `name`, in their order."""
    lines = data.removeprefix(_BOM).split(b"\n")
    patterns = (
        _pattern(line.removesuffix(b"\r"), f"{name}:{number}")
        for number, line in enumerate(lines, 1)
        if line and not line.startswith(b"#")
    )
    return tuple(pattern for pattern in patterns if pattern)


def _pattern(line: bytes, where: str) -> Pattern | None:
    text = _without_trailing_spaces(line)
    source = f"{where} {text.decode(errors='replace')}"
    negated = text.startswith(b"!")
    glob = text[negated:]
    directories_only = glob.endswith(b"/")
    glob = glob[: len(glob) - directories_only]
    if not glob:
        return None
    return Pattern(
        regex=wildmatch.translate(glob.removeprefix(b"/")),
        negated=negated,
        directories_only=directories_only,
        basename_only=b"/" not in glob,
        source=source,
    )


def _without_trailing_spaces(line: bytes) -> bytes:
    """Git drops trailing spaces, unless a backslash quotes the first of them."""
    end = at = 0
    while at < len(line):
        if line[at : at + 1] == b"\\":
            at += 1
            end = at + 1
        elif line[at : at + 1] != b" ":
            end = at + 1
        at += 1
    return line[:end]


_DEFAULT = Level(DEFAULTS, b"", "defaults")
