"""What can be wrong with a digest that is to be reproduced. See `packer.errors` for the form."""

from __future__ import annotations

from collections.abc import Sequence

from packer.errors import SendoffError


class NoRunImage(SendoffError):
    """A digest names something, and that is no run image of sendoff."""

    code, phase, exit_code = "NO_RUN_IMAGE", "reproduction", 2

    def __init__(self, digest: str, place: str, what: str, remedy: str = "") -> None:
        super().__init__(digest, place, what, remedy)
        self.digest, self.place, self.found, self.remedy = digest, place, what, remedy

    def what(self) -> str:
        return f"{self.digest} is no run image of sendoff"

    def why(self) -> str:
        return f"it is {self.found}"

    def evidence(self) -> str:
        return self.place

    def fix(self) -> str:
        return self.remedy or "sendoff ps --json tells the digests of runs"


class DigestUnknown(SendoffError):
    """No image here has this digest, or one that begins so."""

    code, phase, exit_code = "DIGEST_GONE", "reproduction", 2

    def __init__(self, digest: str, place: str) -> None:
        super().__init__(digest, place)
        self.digest, self.place = digest, place

    def what(self) -> str:
        return f"there is no image {self.digest}"

    def why(self) -> str:
        return f"{self.place} has none: it was removed, or is elsewhere"

    def fix(self) -> str:
        return "name where it is: REGISTRY/REPOSITORY@sha256:…, or export SENDOFF_REGISTRY=…"


class DigestAmbiguous(SendoffError):
    """Several images begin with the same digits."""

    code, phase, exit_code = "DIGEST_AMBIGUOUS", "reproduction", 2

    def __init__(self, prefix: str, candidates: Sequence[str]) -> None:
        super().__init__(prefix, candidates)
        self.prefix, self.candidates = prefix, tuple(candidates)

    def what(self) -> str:
        return f"{len(self.candidates)} images begin with {self.prefix}"

    def evidence(self) -> str:
        shown, rest = self.candidates[:5], self.candidates[5:]
        return ", ".join(shown) + (", …" if rest else "")

    def fix(self) -> str:
        return "add digits until one is left"


class RecordDamaged(SendoffError):
    """A record about an image is not what its format says."""

    code, phase = "RECORD_UNREADABLE", "reproduction"

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, reason)
        self.named, self.reason = what, reason

    def what(self) -> str:
        return f"{self.named} cannot be read"

    def why(self) -> str:
        return "it was altered, or another tool wrote it"

    def evidence(self) -> str:
        return self.reason

    def fix(self) -> str:
        return "name a run instead of the digest, if its store is within reach: sendoff ps"


class LockMissing(SendoffError):
    """Nothing tells what an image's environment was locked to."""

    code, phase = "LOCK_MISSING", "reproduction"

    def __init__(self, digest: str, place: str) -> None:
        super().__init__(digest, place)
        self.digest, self.place = digest, place

    def what(self) -> str:
        return f"the lock of {self.digest} is nowhere to be found"

    def why(self) -> str:
        return "it is attached to the environment image when that is packed, and is gone"

    def evidence(self) -> str:
        return self.place

    def fix(self) -> str:
        return "pack that environment again where it is: sendoff pack; or ask for --level L2"


class BuiltElsewhere(SendoffError):
    """An environment holds a wheel that no index has."""

    code, phase = "WHEEL_UNAVAILABLE", "reproduction"

    def __init__(self, filename: str) -> None:
        super().__init__(filename)
        self.filename = filename

    def what(self) -> str:
        return f"{self.filename} cannot be had again"

    def why(self) -> str:
        return "it was a local file or was built, and is in no index"

    def fix(self) -> str:
        return "do this on the machine that packed it, or ask for --level L2"
