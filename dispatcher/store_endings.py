"""Why a container's runner got nowhere with its store: from its exit status and last words. Pure.

The runner's own log says it in a line that `store_faults.told` made: a container has no other way
to tell more than a number, and every target has its log.
"""

from __future__ import annotations

import re
from typing import Literal

from dispatcher.runner import exit_status
from dispatcher.runner import store_faults as faults
from packer.record import Record

_SAID = {
    exit_status.NOT_STORED: "the store took no manifest",
    exit_status.NOT_BEGUN: "no command was started",
}
_LINE = re.compile(rf"^sendoff: (?:{'|'.join(_SAID.values())}): ([A-Z_]+): ", re.MULTILINE)
_KINDS = {
    kind.code: kind
    for kind in (
        faults.StoreUnreachable,
        faults.StoreDenied,
        faults.CredentialsExpired,
        faults.BucketMissing,
        faults.ClockSkew,
        faults.StoreRefused,
    )
}
_PASSING = (faults.StoreUnreachable, faults.StoreRefused)
"""Of results that were not stored these say nothing that "incomplete" does not."""
_CONFIG = (faults.StoreDenied, faults.BucketMissing)


class StoreEnding(Record, frozen=True):
    """What a failure says of it."""

    code: str
    message: str
    blame: Literal["infra", "config"]
    phase: str
    fix: str


def of(status: int, said: str, run: str, where: str = "") -> StoreEnding | None:
    """What it was; None where the exit status says that it was not the store.

    `said` has the end of the container's log, `where` is the machine that it ran on.
    """
    if status not in _SAID:
        return None
    found = _LINE.findall(said)
    kind = _KINDS.get(found[-1]) if found else None
    begun = status == exit_status.NOT_STORED
    named = None if begun and kind in _PASSING else kind
    unnamed = "UPLOAD_INCOMPLETE" if begun else "STORE_FAILED"
    return StoreEnding(
        code=named.code if named else unnamed,
        message=f"{_SAID[status]}: {named.words}" if named else _SAID[status],
        blame="config" if named in _CONFIG else "infra",
        phase="results" if begun else "store",
        fix=_remedy(named, where) + f"send it off again: sendoff rerun {run} --failed",
    )


def _remedy(kind: type[faults.StoreFault] | None, where: str) -> str:
    """What is to be done before that."""
    if kind is faults.ClockSkew:
        return f"set the clock of {where or 'the machine it ran on'}, or the store's; then "
    if kind is faults.CredentialsExpired:
        return "whoever looks at a run renews them (sendoff ps, wait, show); "
    return "see what is wrong with it (sendoff doctor); then " if kind in _CONFIG else ""
