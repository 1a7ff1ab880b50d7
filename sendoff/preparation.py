"""From an order to images where they belong, and the record of the run that would be sent off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from dispatcher.input_source import Source
from dispatcher.request import Data, Input, Request, Resources
from dispatcher.run import UNPACKED, new_id, now
from dispatcher.run import Run as RunRecord
from packer.digest import Digest
from packer.images.errors import BasePythonDiffers
from packer.pack import pack
from packer.pack_request import Command, PackRequest
from packer.packed import Outlook, Packed
from packer.progress import SILENT, Progress
from packer.record import Record, encode
from sendoff import cautions, cuda_choice, shelves
from sendoff.errors import Misuse
from sendoff.grid import SetUp
from sendoff.session import Session
from sendoff.settings.catalogue import Settings
from sendoff.version import VERSION

if TYPE_CHECKING:
    from dispatcher.dispatch import Begun
    from packer.environment.environment_report import EnvironmentReport
    from packer.images.base import Base
    from sendoff.admission import Consent
    from sendoff.publishing import Publishing


class Order(Record, frozen=True):
    """What is sent off, beside the settings: the set-ups and how the run is called."""

    setups: tuple[SetUp, ...]
    name: str = ""
    idempotency_key: str = ""
    id: str = ""
    """The run's, where it was given before anything was packed; empty for a new one."""
    sources: tuple[Source, ...] = ()
    """What the set-ups' own data are on this machine."""


def pack_order(
    session: Session,
    order: Order,
    progress: Progress = SILENT,
    admission: Consent | None = None,
    sources: Sequence[Source] | None = None,
) -> Packed:
    """The images of an order, one for each set-up, where the session's registry is.

    `sources`: what the command is given besides, where that was read already.
    Nothing is packed without the `admission`, nor pushed.

    Raises:
        SendoffError: what `packer.pack`, `packer.registry` and the target raise.
    """
    publishing = _publishing(session)
    if sources is None:
        sources = _sources(session)
    base = publishing.likely_base() if publishing else None
    request = _pack_request(session, order, base, sources)
    if admission:
        admission.wait()

    def agree(report: EnvironmentReport, base: Base | None = None) -> None:
        cuda_choice.check(session, report, base)
        if admission:
            admission.of_images(_cuda(report), base.driver if base else "")

    if publishing is None or base is None:
        packed = pack(request, progress, agree)
        shelves.keep_lock(packed, session, request.layout / ".locks")
        return packed
    packed = _packed_upon(base, request, publishing, agree, progress)
    publishing.push(packed, progress)
    shelves.keep_lock(packed, session, request.cache / "locks")
    return packed


class _OtherBase(Exception):
    """The base is another one than that which was thought to be it."""


def _packed_upon(
    base: Base,
    request: PackRequest,
    publishing: Publishing,
    agree: Callable[[EnvironmentReport, Base], object],
    progress: Progress,
) -> Packed:
    """The images of a request, and what is made for them on its way to the registry.

    Before anything is fetched or built, the base is known for sure; if it is another one than
    `base`, or was extended only now, all begins again with that.
    """

    def with_base(report: EnvironmentReport) -> None:
        if publishing.base() != base:
            raise _OtherBase
        # What can't run is refused before anything is done to the base.
        agree(report, base)
        if publishing.extended(progress) != base:
            raise _OtherBase

    try:
        with publishing.layers(base) as shared:
            packed = pack(replace(request, base=base), progress, with_base, shared)
            shared.settle(progress)
            return packed
    except _OtherBase:
        pass
    except BasePythonDiffers:
        if publishing.base() == base:
            raise
    return _packed_upon(publishing.base(), request, publishing, agree, progress)


def look(
    session: Session, progress: Progress = SILENT, admission: Consent | None = None
) -> Outlook:
    """What the image would be made of, and by whom; nothing is fetched, built or pushed.

    Raises:
        BuilderNeeded: something would have to be run, and nothing may be.
        SendoffError: as `pack_order`.
    """
    from packer import pack as packing

    publishing = _publishing(session)
    base = publishing.known_base() if publishing else None
    request = _pack_request(session, Order(setups=(SetUp(parameters={}, command=()),)), base)
    found = packing.look(request, progress)
    cuda_choice.check(session, found.report, base)
    if admission:
        admission.of_images(_cuda(found.report), base.driver if base else "")
    if publishing:
        publishing.check_builder()
    return found


def _publishing(session: Session) -> Publishing | None:
    """The session's registry; None where that is a layout, which needs nothing of it."""
    if session.embedded:
        return None
    from sendoff.publishing import Publishing

    return Publishing(session)


def _pack_request(
    session: Session, order: Order, base: Base | None, sources: Sequence[Source] = ()
) -> PackRequest:
    from dispatcher import runner_libraries
    from dispatcher.runner_tree import runner_tree

    settings, places = session.settings, session.places
    data = tuple(each.data for each in sources)
    return PackRequest(
        project=session.project,
        layout=places.layout,
        cache=places.cache,
        python=settings.python or None,
        cuda=cuda_choice.wish(session),
        commands=tuple(_command(set_up, settings, data) for set_up in order.setups),
        runner=runner_tree(),
        limit=settings.limit,
        base=base,
        builder=settings.builder,
        image=settings.image,
        libraries=runner_libraries.pins() if base else b"",
    )


def ordered(session: Session, order: Order) -> RunRecord:
    """The record of an order as long as nothing is packed.

    Raises:
        Misuse: a command is empty, or names no program.
    """
    if not order.setups or not all(any(set_up.command[:1]) for set_up in order.setups):
        raise Misuse(
            "no command given", "there is nothing to run", "sendoff run -- python train.py"
        )
    return RunRecord(
        id=order.id or new_id(order.name or _stem(order.setups[0].command)),
        created=now(),
        request=_request(order, session, (UNPACKED,) * len(order.setups)),
        snapshot=UNPACKED,
        environment=UNPACKED,
        namespace=_namespace(session),
        provenance={"sendoff": VERSION},
    )


def prepare(
    session: Session, order: Order, progress: Progress = SILENT
) -> tuple[Packed, RunRecord]:
    """Pack, and make the record of the run that would be sent off.

    Raises:
        SendoffError: what `packer.pack` raises; Misuse for an empty command.
    """
    from dispatcher import budgeting
    from sendoff.admission import Admission

    # What is wrong with a request or an input is told before minutes of packing.
    asked = ordered(session, order)
    budgeting.check(asked.request, session.places, but=asked.id)
    admission = Admission(session, asked.request)
    sources = _sources(session)
    data = tuple(each.data for each in sources)
    admission.of_data(data)
    packed = pack_order(session, order, progress, admission, sources)
    if sources:
        from dispatcher import input_places

        input_places.check(sources, packed.project.listing)
    request = _request(order, session, packed.images)
    resources = replace(request.resources, cuda=_cuda(packed.report), driver=packed.driver)
    request = replace(request, resources=resources, data=data)
    if sources or order.sources:
        from dispatcher import inputs

        inputs.send([*sources, *order.sources], session.places, progress)
    return packed, replace(
        asked,
        created=now(),
        request=request,
        snapshot=packed.snapshot,
        environment=packed.environment,
        provenance=_provenance(packed),
        warnings=cautions.of(packed.report),
    )


def _cuda(report: EnvironmentReport) -> str:
    from packer.environment import cuda

    return cuda.version(report.arrivals)


def _provenance(packed: Packed) -> dict[str, Any]:
    """Facts for people; nothing relies on them."""
    facts: dict[str, Any] = {"sendoff": VERSION}
    if packed.base:
        facts["base"] = packed.base
    if packed.revision:
        facts |= {"commit": packed.revision.commit, "dirty": packed.revision.dirty}
    return facts


def _command(set_up: SetUp, settings: Settings, data: tuple[Data, ...]) -> Command:
    asked = {
        "data": (*data, *set_up.data),
        "deterministic": settings.deterministic,
        "gpu": settings.gpu,
        "cpus": settings.cpus,
        "memory": settings.memory,
        "timeout": settings.timeout,
        "outputs": settings.outputs,
        "secrets": settings.secrets,
        "parameters": set_up.parameters,
    }
    label = encode({key: value for key, value in asked.items() if value})
    return Command(
        arguments=set_up.command, environment=_variables(settings), request=label.decode()
    )


def _variables(settings: Settings) -> dict[str, str]:
    if not settings.deterministic:
        return settings.env
    from sendoff.reproduction import determinism

    return determinism.variables(settings.env, settings.cpus)


def _sources(session: Session) -> list[Source]:
    """What the command is given besides the project, read."""
    if not session.settings.inputs:
        return []
    from dispatcher import inputs

    pairs = (inputs.split(each) for each in session.settings.inputs)
    cache = session.settings.cache
    return [inputs.read(Path(source), destination, cache) for source, destination in pairs]


def _request(order: Order, session: Session, images: tuple[Digest, ...]) -> Request:
    settings = session.settings
    return Request(
        inputs=tuple(
            Input(
                command=set_up.command,
                digest=digest,
                parameters=set_up.parameters,
                data=set_up.data,
            )
            for set_up, digest in zip(order.setups, images, strict=True)
        ),
        repository=session.settings.registry,
        target=settings.target,
        name=order.name,
        group=settings.group,
        project=session.project.name,
        resources=Resources(gpu=settings.gpu, cpus=settings.cpus, memory=settings.memory),
        timeout=settings.timeout,
        grace=settings.grace,
        idle_limit=settings.idle_limit,
        retries=settings.retries,
        outputs=settings.outputs,
        result_files=settings.result_files,
        result_size=settings.result_size,
        environment=_variables(settings),
        deterministic=settings.deterministic,
        secrets=settings.secrets,
        max_parallel=settings.max_parallel,
        per_pod=settings.per_pod or 1,
        idempotency_key=order.idempotency_key,
    )


def _namespace(session: Session) -> str:
    return session.settings.namespace if session.settings.target == "kubernetes" else ""


def _stem(command: Sequence[str]) -> str:
    """What a run is called after: the script where an interpreter runs one, else the program."""
    words = [word.rpartition("/")[2] for word in command]
    if words[0].startswith("python"):
        after = iter(words[1:])
        for word in after:
            if word == "-m":
                return next(after, words[0]).rpartition(".")[2]
            if word == "-c":
                break
            if not word.startswith("-"):
                return word.removesuffix(".py")
    return words[0]


def answered(run: RunRecord, session: Session) -> RunRecord | None:
    """The earlier run that answers for this one, where the settings let it; None for none.

    Raises:
        StoreFailed
    """
    if not session.settings.reuse:
        return None
    from dispatcher import reuse

    return reuse.find(run.request, session.runs())


def send(run: RunRecord, session: Session, begun: Begun | None = None) -> RunRecord:
    """Start what was prepared; `begun` as of `dispatch.submit`.

    Raises:
        SendoffError: what `dispatch.submit` raises.
    """
    from dispatcher import dispatch

    return dispatch.submit(run, session.places, begun)
