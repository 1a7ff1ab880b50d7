"""Earlier runs of the same request on the same images: what need not be run again.

A run leaves an empty mark below a key of all that matters of its request, when it is sent off.
Marks are never read for more than a name: what became of the run, its manifests say.
"""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.manifest_copies import LARGE
from dispatcher.request import Request
from dispatcher.run import Run
from dispatcher.runner.keys import of_recent, same, same_prefix
from dispatcher.store import Runs
from packer.digest import Digest
from packer.errors import SendoffError
from packer.record import encode

_LOOKED_AT = 20
"""Earlier runs that are looked at; who has failed so often is not answered from the store."""


def key(request: Request) -> str:
    """Hex sha256 of what decides a result: images, data, variables, hardware, patterns.

    The images hold command, code and environment. How long it may take, how it is called and who
    pays for it do not matter.
    """
    resources = request.resources
    facts = [
        [[one.digest, one.command] for one in request.inputs],
        sorted([each.path, each.sha256, each.executable] for each in request.data),
        request.environment,
        [resources.gpu, resources.cuda],
        request.outputs,
        sorted(request.secrets),
        request.target,
    ]
    return Digest.of(encode(facts)).hex


def mark(run: Run, runs: Runs, nanoseconds: int) -> None:
    """Leave the mark of a run that is sent off at this time since the epoch.

    Raises:
        StoreFailed
    """
    runs.store.put(same(key(run.request), run.id, nanoseconds), b"")


def find(request: Request, runs: Runs) -> Run | None:
    """The newest run of the same request of which every index has succeeded and was committed.

    Raises:
        StoreFailed
    """
    for number, run in enumerate(_earlier(request, runs)):
        if number >= _LOOKED_AT:
            return None
        if _succeeded(run, runs):
            return run
    return None


def _earlier(request: Request, runs: Runs) -> Iterator[Run]:
    wanted = key(request)
    for name in runs.store.names(same_prefix(wanted)):
        try:
            run = runs.run(of_recent(name))
        except SendoffError:
            continue
        # The mark is a hint; the record says what was asked for.
        if key(run.request) == wanted:
            yield run


def _succeeded(run: Run, runs: Runs) -> bool:
    count = len(run.request.inputs)
    if count >= LARGE:
        from dispatcher import manifest_copies

        copies = manifest_copies.read(runs, run.id, count)
        if copies:
            return all(each.state == "succeeded" for each in copies.values())
    try:
        found = (runs.manifest(run.id, index) for index in range(count))
        return all(each is not None and each.state == "succeeded" for each in found)
    except SendoffError:
        return False
