"""What only sendoff needs: the distributions that stay out of the image with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from packer.environment.distribution import Distribution, normalized
from packer.environment.environment import Environment, Installed
from packer.environment.interpreter import Interpreter
from packer.environment.requirements import Requirements, markers
from packer.environment.target import own_platform
from packer.record import Record

SENDOFF = "sendoff"
_EXTRAS = ("mcp",)
"""Of sendoff, that no experiment has a use for; whoever installs matplotlib may well plot."""


class Closure(Record, frozen=True):
    """What stays out of an image, and what of the project that was decided by."""

    left_out: frozenset[str] = frozenset()
    """Names of distributions."""
    watched: frozenset[str] = frozenset()
    """First names of modules: of what nothing but an import of the project's would keep in."""
    imported: frozenset[str] = frozenset()
    """Those of them that the project imports."""


def of(
    environment: Environment, asked: Iterable[str], imports: Callable[[], frozenset[str]]
) -> Closure:
    """What stays out: what only sendoff needs, and the project neither declares nor imports.

    `asked` are names that the project declares. `imports` gives the first names of the modules
    that it imports, and is called where something depends on it.

    Raises:
        As `imports`.
    """
    interpreter, asked = environment.interpreter, tuple(asked)
    distributions = [each.distribution for each in environment.distributions]
    out = left_out(distributions, asked, interpreter)
    modules = {
        each.distribution.name: frozenset(_modules(each, environment.packages))
        for each in environment.distributions
        if each.distribution.name in out - {SENDOFF}
    }
    watched = frozenset(name for gives in modules.values() for name in gives)
    imported = watched & imports() if watched else watched
    used = [name for name, gives in modules.items() if gives & imported]
    if used:
        out = left_out(distributions, [*asked, *used], interpreter)
    return Closure(left_out=out, watched=watched, imported=imported)


def _modules(installed: Installed, packages: str) -> Iterable[str]:
    """First names of what can be imported from a distribution."""
    yield from installed.distribution.top_level
    for path in installed.recorded:
        if path.startswith(packages + "/"):
            # A directory, a module or a library: `yaml`, `six.py`, `_cffi.cpython-311-….so`.
            name = path[len(packages) + 1 :].split("/")[0].split(".")[0]
            if name.isidentifier():
                yield name


def left_out(
    distributions: Iterable[Distribution], asked: Iterable[str], interpreter: Interpreter
) -> frozenset[str]:
    """Names of what stays out: sendoff, and what is there for its sake alone.

    A distribution stays in where pip was asked for it, where the project declares it (`asked`),
    or where another one that stays in requires it.
    """
    known = {each.name: each for each in distributions}
    if SENDOFF not in known:
        return frozenset()
    requires = Requirements(known, markers(interpreter, own_platform(interpreter)))
    candidates = requires.reach({SENDOFF}, ((SENDOFF, extra) for extra in _EXTRAS))
    wanted = {normalized(name) for name in asked}
    roots = {
        name
        for name, each in known.items()
        if name != SENDOFF and (name not in candidates or each.requested or name in wanted)
    }
    return frozenset(candidates - requires.reach(roots)) | {SENDOFF}
