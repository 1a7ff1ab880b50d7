"""Which base image a session's runs stand on: the one that is named, or the one for its GPUs."""

from __future__ import annotations

import re
from contextlib import suppress

from packer.bases.errors import BaseWithoutPython
from packer.images.base import Base
from packer.registry.errors import BaseUnknown, RegistryError
from packer.registry.registry import Registry
from sendoff.errors import BaseMissing, BaseNotPublished, BasesUnset
from sendoff.session import Session

CPU, CUDA = "cpu", "cuda-runtime"
"""The bases that a CPU class and a CUDA class imply."""

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_MINOR = re.compile(r"3\.[0-9]{1,2}")


def wanted(session: Session, gpu: str | None = None) -> str:
    """The base by what it is called: a reference, or a name in the catalogue.

    `gpu`: the GPU expression of the runs that stand on it; None for the session's own.

    Raises:
        BaseMissing: none is set, and there is no prefix to find one below.
        BasesUnset: it is a name, and there is no such prefix.
    """
    settings = session.settings
    if not settings.base and not settings.bases:
        raise BaseMissing(settings.target)
    asked = settings.gpu if gpu is None else gpu
    named = settings.base or implied(asked, settings.classes)
    if is_name(named) and not settings.bases and _in_catalogue(named):
        raise BasesUnset(named)
    return named


def is_name(text: str) -> bool:
    """Whether it is one word, and so a name rather than a reference."""
    return bool(_NAME.fullmatch(text))


def find(session: Session, named: str, registry: Registry, platform: str) -> Base:
    """The base that a reference or a name stands for now; a name is looked up for the Python of
    the sandbox.

    Raises:
        BaseNotPublished, BaseWithoutPython: the name is not below the prefix, or not for it.
        ReferenceInvalid, BaseUnknown, PlatformMissing, PythonNotFound …
    """
    there, name = _place(session, named, registry)
    try:
        return there.base(name, platform)
    except BaseUnknown:
        if there is registry:
            raise
        minor = name.rpartition(":")[2]
        pythons = tuple(sorted(filter(_MINOR.fullmatch, there.tags()), key=_number))
        if not pythons:
            raise BaseNotPublished(named, str(there.repository)) from None
        raise BaseWithoutPython(named, minor, pythons) from None


def remembered(session: Session, named: str, registry: Registry, platform: str) -> Base | None:
    """What `find` found last, without asking; None where that is not known.

    Raises:
        ReferenceInvalid, PythonNotFound
    """
    there, name = _place(session, named, registry)
    with suppress(RegistryError):
        return there.remembered_base(name, platform)
    return None


def _place(session: Session, named: str, registry: Registry) -> tuple[Registry, str]:
    """Where a base is, and the reference to it."""
    if not is_name(named) or not session.settings.bases:
        return registry, named
    from sendoff.registries import bases_repository

    there = bases_repository(session, named)
    return there, f"{there.repository}:{_minor(session)}"


def implied(gpu: str, classes: dict[str, dict[str, object]]) -> str:
    """The base for a GPU expression: one for CUDA, unless no class of it is NVIDIA's."""
    from dispatcher.gpu_expression import parse
    from dispatcher.kubernetes.catalogue import Catalogue
    from dispatcher.kubernetes.gpu_classes import AMD

    asked = parse(gpu)
    if not asked:
        return CPU
    known = Catalogue.known(classes)
    forms = [form for each in asked for form in known.find(each.name)]
    return CPU if all(form.resource == AMD for form in forms) else CUDA


def _minor(session: Session) -> str:
    from packer.environment import interpreter

    settings = session.settings
    return interpreter.describe(interpreter.find(settings.python or None), settings.cache).minor


def _number(minor: str) -> tuple[int, ...]:
    return tuple(map(int, minor.split(".")))


def _in_catalogue(name: str) -> bool:
    from packer.bases import catalogue

    return name in catalogue.load(catalogue.home()).bases
