"""Who builds what, as the setting `builder` says it."""

from __future__ import annotations

from packer.record import Record

NATIVE = "native"
WHOLE = "buildkit"
"""Installs environments, too."""
LABEL = "builder"
"""Of images whose environment was installed."""


class Choice(Record, frozen=True):
    """Which builder does what."""

    runs: bool = True
    """Whether BuildKit may be asked for what has to be run."""
    whole: bool = False
    """Whether it installs environments as well."""
    address: str = ""
    """Where it is: see `packer.buildkit.address`."""

    @property
    def labels(self) -> dict[str, str]:
        """What an image's labels tell of it: only who has installed its environment, if anyone."""
        return {LABEL: WHOLE} if self.whole else {}


def parse(text: str) -> Choice:
    """`""` and an address: native for data, BuildKit for what has to be run. `native`: nothing is
    run. `buildkit`, `buildkit+ADDRESS`: environments are installed there, too.

    Raises:
        BuilderInvalid
    """
    if not text:
        return Choice()
    if text == NATIVE:
        return Choice(runs=False)
    from packer.buildkit import address

    kind, plus, where = text.partition("+")
    whole = kind == WHOLE and (bool(plus) or not where)
    where = where if whole else text
    address.parse(where)
    return Choice(whole=whole, address=where)
