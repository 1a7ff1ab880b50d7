"""What of an environment another platform, or CUDA, changes: a pure function of what is installed.

Versions stay. A family's members (`families`) are looked for anew, their parts come and go with
them; what is only needed on the sandbox's own platform stays out; what is only needed on the target
is looked for. Everything else is looked for as ever.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from packer.environment import requirements
from packer.environment.cuda import CudaWish, major
from packer.environment.distribution import Distribution, normalized
from packer.environment.environment import Environment, Installed
from packer.environment.interpreter import Interpreter
from packer.environment.requirements import Requirements
from packer.environment.resolver import modified
from packer.environment.target import Target, own_platform
from packer.errors import DistUnresolvable
from packer.record import Record
from packer.retargeting import families
from packer.retargeting.families import Family, Known


class Retargeting(Record, frozen=True):
    """What is looked for anew, and what stays out."""

    source: str
    """The sandbox's OCI platform."""
    target: str
    lines: tuple[str, ...]
    """CUDA lines that will do, the best first; ("",) for none."""
    building: tuple[Family, ...]
    known: dict[str, Distribution]
    """All that is installed and packed."""
    replaced: frozenset[str]
    """Installed members whose wheels are looked for anew, under this or another name."""
    parts: frozenset[str]
    """Installed names that stay out unless a new build needs them."""
    dropped: dict[str, str]
    """Names that stay out, and why."""
    missing: tuple[str, ...]
    """Requirements that hold on the target alone, of what is not installed."""

    @property
    def gone(self) -> frozenset[str]:
        """Installed names that do not arrive as they are installed."""
        return self.replaced | self.parts | self.dropped.keys()

    @property
    def kept(self) -> frozenset[str]:
        """Installed names that arrive as they are, unless a new build brings another version."""
        return frozenset(self.known.keys() - self.gone)

    @property
    def fixed(self) -> frozenset[str]:
        """Those of them whose versions no build has a say in."""
        return frozenset(
            name for name in self.kept if not any(family.has_part(name) for family in self.building)
        )

    def requirements(self, line: str) -> list[str]:
        """What to ask indexes for, for one of `lines`."""
        asked = [each for family in self.building for each in family.requirements(self.known, line)]
        return [*asked, *self.missing]

    def plain(self, line: str) -> list[str]:
        """The same where PyTorch's index is not to be had."""
        return [
            each
            for family in self.building
            for each in family.plain(self.known) or family.requirements(self.known, line)
        ] + [*self.missing]

    def excluded(self) -> list[str]:
        """Names that indexes are not asked for: their wheels are found by what is installed."""
        anchors = {each.members[0] for each in self.building if each.rule == "extra"}
        return sorted(self.fixed - anchors)


def plan(
    environment: Environment, target: Target, wish: CudaWish, packed: Collection[str]
) -> Retargeting | None:
    """What changes of the distributions named `packed`; None where all arrive as they are.

    Raises:
        DistUnresolvable: a member was changed by hand, or is a build of its own.
    """
    installed = {each.distribution.name: each for each in environment.distributions}
    known = {name: installed[name].distribution for name in sorted(packed)}
    present = [family for family in families.every() if family.installed(known)]
    building = [family for family in present if _is_replaced(family, known, target, wish)]
    if not building and not target.is_foreign:
        return None
    for family in building:
        for name in family.replaced(known):
            _refuse_own(installed[name])
    interpreter = environment.interpreter
    needs = _Needs(known, interpreter, target.platform)
    dropped = needs.only_here() if target.is_foreign else {}
    if target.is_foreign:
        useless = {name for family in building for name in family.elsewhere if name in known}
        dropped |= dict.fromkeys(useless, f"only of use on {own_platform(interpreter)}")
    replaced = {name for family in building for name in family.replaced(known)}
    gone = replaced | dropped.keys()
    return Retargeting(
        source=own_platform(interpreter),
        target=target.platform,
        lines=_lines(wish, [each for each in present if each not in building], known),
        building=tuple(building),
        known=known,
        replaced=frozenset(replaced),
        parts=frozenset(_parts(building, known, needs) - dropped.keys()),
        dropped={name: why for name, why in dropped.items() if name not in replaced},
        missing=tuple(needs.only_there(gone)) if target.is_foreign else (),
    )


def _is_replaced(family: Family, known: Known, target: Target, wish: CudaWish) -> bool:
    if target.is_foreign:
        return True
    line = family.line(known)
    if not wish.lines:
        return False
    fits = any(each == line or major(each) == line for each in wish.lines)
    return not line or (wish.asked and not fits)


def _lines(wish: CudaWish, staying: Iterable[Family], known: Known) -> tuple[str, ...]:
    """The lines that go with the builds that stay: libraries of two majors do not mix."""
    majors = {major(line) for family in staying if (line := family.line(known))}
    lines = [line for line in wish.lines if not majors or major(line) in majors]
    return tuple(lines) or wish.lines or ("",)


def _refuse_own(installed: Installed) -> None:
    """A member that is not what an index has can't be had from one for CUDA."""
    found = installed.distribution
    keep = "keep what is installed: --cuda none"
    if "vcs_info" in found.source or "dir_info" in found.source:
        raise DistUnresolvable(
            found.name,
            "it is a build of its own, and nobody has it for another platform or CUDA line",
            str(found.source.get("url", "")),
            f"install a release of it: python -m pip install {found.name}, or {keep}",
        )
    changed = next(iter(modified(installed)), None)
    if changed:
        raise DistUnresolvable(
            found.name,
            "it was changed by hand, and its build for the target is another one",
            changed.path,
            "carry the change in the project's code and install it anew: "
            f"python -m pip install --force-reinstall {found.name}=={found.version}, or {keep}",
        )


def _parts(building: Iterable[Family], known: Known, needs: _Needs) -> set[str]:
    """What came with the members, and nothing else needs."""
    building = list(building)
    members = {name for family in building for name in family.installed(known)}
    brought = needs.brought(members)
    parts = {
        name for name in brought - members if any(family.has_part(name) for family in building)
    }
    return parts - needs.there(known.keys() - members - parts)


class _Needs:
    """Who needs whom, here and on the target."""

    def __init__(self, known: Known, interpreter: Interpreter, platform: str) -> None:
        self._known, self._source = known, own_platform(interpreter)
        here = requirements.markers(interpreter, self._source)
        there = requirements.markers(interpreter, platform)
        self._here, self._there = Requirements(known, here), Requirements(known, there)

    def brought(self, names: Iterable[str]) -> set[str]:
        """These, and all that is installed for their sake, extras of theirs included."""
        found = set(names)
        for name in names:
            found |= {need for need in self._named(name) if need in self._known}
        return self._here.reach(found)

    def _named(self, name: str) -> set[str]:
        """What a distribution's requirements name, whatever their markers say."""
        words = (re.match(r"[A-Za-z0-9._-]+", text) for text in self._known[name].requires)
        return {normalized(word[0]) for word in words if word}

    def there(self, names: Iterable[str]) -> set[str]:
        """What these need on the target, at first hand."""
        return {need for name in names for need, _ in self._there.needs(name, "")}

    def only_here(self) -> dict[str, str]:
        """Names that something needs on the sandbox's platform and nothing on the target."""
        staying = self._there.reach(self._roots())
        return {
            name: f"only needed on {self._source}" for name in self._known if name not in staying
        }

    def only_there(self, out: Collection[str]) -> list[str]:
        """Requirements of what stays in that hold on the target alone, of what is not installed."""
        found = set()
        for name, extra in self._there.walk(self._roots()):
            if name in out:
                continue
            here = {str(each) for each in self._here.holding(name, extra)}
            for each in self._there.holding(name, extra):
                if normalized(each.name) not in self._known and str(each) not in here:
                    each.marker = None
                    found.add(str(each))
        return sorted(found)

    def _roots(self) -> set[str]:
        """What nothing else needs here, or only things in a circle do."""
        needed = {
            need
            for name, extra in self._here.walk(self._known)
            for need, _ in self._here.needs(name, extra)
            if need != name
        }
        roots = self._known.keys() - needed
        return roots | (self._known.keys() - self._here.reach(roots))
