"""Finds the builds that a `Retargeting` asks for: PyTorch's index, then the package index."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from packer.environment import cuda
from packer.environment.cuda import CudaWish
from packer.environment.lock import WheelPin
from packer.progress import Progress
from packer.retargeting.builds import Builds
from packer.retargeting.errors import NoCudaBuild, TorchIndexUnreachable
from packer.retargeting.families import public
from packer.retargeting.plan import Retargeting
from packer.wheels import resolution, wheel_tags
from packer.wheels.candidates import Candidate
from packer.wheels.resolution import Resolution, Wanted
from packer.wheels.transport import AT_ONCE
from packer.wheels.wheel_finder import WheelFinder

_OTHER = "PyTorch's index did not answer: its builds are those of the package index{}"


class BuildFinder:
    """Asks for one line after the other, the best first."""

    def __init__(self, finder: WheelFinder, minor: str, wish: CudaWish) -> None:
        """`minor` is that of Python: "3.11"."""
        self._finder, self._minor, self._wish = finder, minor, wish
        self._question, self._target = finder.question, finder.target

    def find(self, plan: Retargeting, progress: Progress) -> Builds:
        """What arrives for `plan`.

        Raises:
            NoCudaBuild: no index has all of it for one of the lines.
            TorchIndexUnreachable
        """
        progress.start("looking for builds" + _for(plan.lines))
        line, found, warnings = self._first(plan)
        pins = self._pins(plan, found)
        progress.done(f"CUDA {line}" if line else "without CUDA")
        gone = (plan.replaced | plan.parts) - pins.keys()
        dropped = {name: _why(plan, name, line) for name in gone}
        return Builds(
            pins=pins,
            dropped=plan.dropped | dropped,
            source=plan.source,
            line=line,
            warnings=warnings,
        )

    def _first(self, plan: Retargeting) -> tuple[str, Resolution, tuple[str, ...]]:
        """The first line that there are builds for, and the builds."""
        unreachable = unsolved = ""
        # Without a family no line makes a difference.
        lines = plan.lines if plan.building else plan.lines[:1]
        for line in lines:
            found = self._ask(plan, plan.requirements(line), self._index(plan, line))
            unreachable, unsolved = found.unreachable, unsolved or found.unsolved
            if unreachable:
                break
            if not found.unsolved and _is_for(plan, found, line):
                return line, found, ()
        plain = self._plain(plan)
        if plain:
            line, found = plain
            serves = f", for CUDA {line}" if line else ""
            return line, found, (_OTHER.format(serves),) if unreachable else ()
        if unreachable:
            raise TorchIndexUnreachable(self._wish.index, unreachable)
        raise self._refusal(plan, unsolved)

    def _plain(self, plan: Retargeting) -> tuple[str, Resolution] | None:
        """What the package index has, where its build is for one of the lines, or none is asked."""
        asked = plan.plain(plan.lines[0])
        if asked == plan.requirements(plan.lines[0]):
            return None
        found = self._ask(plan, asked, "")
        if found.unsolved or found.unreachable:
            return None
        chosen = (self._chosen(some) for some in found.wheels.values())
        line = cuda.newest(cuda.of(each.name, each.version) for each in chosen if each)
        if plan.lines == ("",):
            return line, found
        return (line, found) if line in plan.lines and _is_for(plan, found, line) else None

    def _ask(self, plan: Retargeting, asked: Iterable[str], index: str) -> Resolution:
        return resolution.resolve(
            self._question,
            Wanted(
                requirements=tuple(asked),
                excluded=tuple(plan.excluded()),
                platform=self._target.uv_platform,
                minor=self._minor,
                index=index,
            ),
        )

    def _index(self, plan: Retargeting, line: str) -> str:
        """PyTorch's index for a line; none where nothing of it is wanted."""
        local = any(family.rule == "local version" for family in plan.building)
        return f"{self._wish.index.rstrip('/')}/{cuda.backend(line)}" if local else ""

    def _pins(self, plan: Retargeting, found: Resolution) -> dict[str, WheelPin]:
        """The wheel of each name that does not arrive as it is installed."""
        chosen = [
            candidate
            for name, some in found.wheels.items()
            if name not in plan.fixed and (candidate := self._chosen(some))
        ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return {each.name: each for each in pool.map(self._finder.pin, chosen)}

    def _chosen(self, some: Iterable[Candidate]) -> Candidate | None:
        return next(iter(wheel_tags.ranked(some, self._target.tags)), None)

    def _refusal(self, plan: Retargeting, unsolved: str) -> NoCudaBuild:
        """Names what is not to be had, and lines that it could be had for."""
        asked = {
            line: [
                each for family in plan.building for each in family.requirements(plan.known, line)
            ]
            for line in plan.lines
        }
        blamed = resolution.blamed(unsolved, [each for some in asked.values() for each in some])
        names = dict.fromkeys(
            public(each).replace("==", " ") for each in blamed or asked[plan.lines[0]]
        )
        return NoCudaBuild(list(names), plan.lines, _cause(unsolved), self._others(plan))

    def _others(self, plan: Retargeting) -> list[str]:
        """Lines that were not asked for and that all members have builds for."""
        if not any(family.rule == "local version" for family in plan.building):
            return []
        found = []
        for line in cuda.LINES:
            wanted = Wanted(
                requirements=tuple(plan.requirements(line)),
                excluded=(),
                platform=self._target.uv_platform,
                minor=self._minor,
                index=self._index(plan, line),
                alone=True,
            )
            there = None if line in plan.lines else resolution.resolve(self._question, wanted)
            if there and there.wheels:
                found.append(line)
        return found


def _is_for(plan: Retargeting, found: Resolution, line: str) -> bool:
    """Whether what was found is for CUDA where that is wanted: uv only warns of a missing extra."""
    names = {*found.wheels, *plan.kept}
    return not line or all(family.proved(names, line) for family in plan.building)


def _why(plan: Retargeting, name: str, line: str) -> str:
    if name in plan.replaced:
        return f"replaced by its build for CUDA {line}"
    return f"no build{_for([line])} needs it"


def _for(lines: Iterable[str]) -> str:
    named = [line for line in lines if line]
    if len(named) == 1:
        return f" for CUDA {named[0]}"
    return " for CUDA" if named else " without CUDA"


def _cause(unsolved: str) -> str:
    lines = [line.strip() for line in unsolved.splitlines() if line.strip().startswith("cause:")]
    return lines[-1].removeprefix("cause:").strip() if lines else unsolved
