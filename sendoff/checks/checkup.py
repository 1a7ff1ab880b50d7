"""Everything that a run needs, looked at in the order in which a run needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from packer.errors import SendoffError
from sendoff.checks import machine as machine_checks
from sendoff.checks import remote as remote_checks
from sendoff.checks.check import Check, of_error
from sendoff.session import Session

Area = Callable[[Session], Iterator[Check]]

_MACHINE: tuple[Area, ...] = (machine_checks.sandbox, machine_checks.folders)
_SERVERS: tuple[Area, ...] = (
    remote_checks.registry,
    remote_checks.base,
    remote_checks.builder,
    remote_checks.store,
)
_AREAS: Mapping[str, tuple[Area, ...]] = {
    "local": _MACHINE,
    "docker": (*_MACHINE, *_SERVERS, remote_checks.engine),
    "kubernetes": (*_MACHINE, *_SERVERS, remote_checks.cluster),
}


def checkup(session: Session) -> Iterator[Check]:
    """Each check as it is made. Nothing is changed, beside two small objects in a bucket."""
    for area in _AREAS[session.settings.target]:
        try:
            yield from area(session)
        except (SendoffError, OSError) as error:
            yield of_error(area.__name__, "", error)
