"""The keys of a run in the store: the one place that names them (design, "Results")."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

RUNS = "runs/"
RECENT = "recent/"
SAME = "same/"
DATA = "inputs/sha256/"

_HEX = frozenset("0123456789abcdef")
_SHA256 = 64
_END_OF_TIME = 9_999_999_999_999_999_999
_STAMP = 19
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class RunKeys:
    """Every key of one run.

    Raises:
        ValueError: `run` is no run id, so that nothing outside the run can be named with it.
    """

    def __init__(self, run: str) -> None:
        if not run or not _LETTERS.issuperset(run):
            raise ValueError(f"not a run id: {run!r}")
        self.run = run
        self.prefix = f"{RUNS}{run}/"
        self.record = f"{self.prefix}run.json"
        """The request, written first."""
        self.order = f"{self.prefix}order.json"
        """The request of a run whose images are packed after it has an id."""
        self.answer = f"{self.prefix}answer.json"
        """Which earlier run answers for an order, which became none of its own."""
        self.refusal = f"{self.prefix}refusal.json"
        """Why an order became no run."""
        self.packing = f"{self.prefix}packing.json"
        """What packing for an order is busy with."""
        self.cancel = f"{self.prefix}cancel.json"
        """Its presence cancels every index."""
        self.events = f"{self.prefix}events.json"
        """What a cluster said of the run, which it forgets after an hour."""
        self.manifests = f"{self.prefix}manifests.jsonl.gz"
        """A copy of all manifests of a large run, written when it was first seen to have ended."""
        self.renewal = f"{self.prefix}renewal.json"
        """When the credentials of its pods were last renewed."""
        self.attached = f"{self.prefix}attached.json"
        """Its presence says that the run's images were told of it."""

    def name(self, key: str) -> str:
        """What a listing of the names at `prefix` calls a key."""
        return key.removeprefix(self.prefix).partition("/")[0]

    def index(self, index: int) -> str:
        """The prefix of all that there is of an index; the names there have its attempts."""
        return f"{self.prefix}{index}/"

    def cancel_index(self, index: int) -> str:
        """Its presence cancels this index."""
        return self.index(index) + "cancel.json"

    def manifest(self, index: int) -> str:
        """Written last; its presence is the commit."""
        return self.index(index) + "manifest.json"

    def attempt(self, index: int, attempt: int) -> str:
        """The prefix of all that one attempt writes, the manifest aside."""
        return f"{self.index(index)}{attempt}/"

    def started(self, index: int, attempt: int) -> str:
        """Who runs the attempt and since when; written before the command starts."""
        return self.attempt(index, attempt) + "attempt.json"

    def interrupted(self, index: int, attempt: int) -> str:
        """The manifest of an attempt that was ended from outside; no commit."""
        return self.attempt(index, attempt) + "interrupted.json"

    def file(self, index: int, attempt: int, path: str) -> str:
        """One output file."""
        return self.attempt(index, attempt) + "files/" + path

    def log_prefix(self, index: int, attempt: int) -> str:
        """The prefix of all chunks of the log."""
        return self.attempt(index, attempt) + "log/"

    def log(self, index: int, attempt: int, chunk: int) -> str:
        """One chunk of the log: JSON lines `[seconds, "out" or "err", text]`."""
        return self.log_prefix(index, attempt) + f"{chunk:06}.jsonl"


def numbers(names: Iterable[str]) -> list[int]:
    """The indexes among the names at a run's prefix, or the attempts among those at an index's.

    Ascending.
    """
    return sorted(int(name) for name in names if name.isdigit())


def recent(run: str, nanoseconds: int) -> str:
    """The mark of a run that was made at this time since the epoch; later ones sort before it.

    Raises:
        ValueError: `run` is no run id.
    """
    return f"{RECENT}{_END_OF_TIME - nanoseconds:0{_STAMP}}-{RunKeys(run).run}"


def same_prefix(key_sha256: str) -> str:
    """Below it are the marks of all runs of the same request on the same images."""
    return f"{SAME}{key_sha256}/"


def same(key_sha256: str, run: str, nanoseconds: int) -> str:
    """The mark of such a run; later ones sort before it.

    Raises:
        ValueError: `run` is no run id.
    """
    return same_prefix(key_sha256) + recent(run, nanoseconds).removeprefix(RECENT)


def of_recent(name: str) -> str:
    """The run that the name of a mark, without its prefix, stands for."""
    return name[_STAMP + 1 :]


def idempotency(key_sha256: str) -> str:
    """Where the run id that an idempotency key stands for is kept."""
    return f"idempotency/{key_sha256}.json"


def data_key(sha256: str) -> str:
    """Where data that runs are given is kept: a file, or the listing of a folder.

    Raises:
        ValueError: `sha256` is none, so that nothing else can be named with it.
    """
    if len(sha256) != _SHA256 or not _HEX.issuperset(sha256):
        raise ValueError(f"not a sha256: {sha256!r}")
    return f"{DATA}{sha256}"
