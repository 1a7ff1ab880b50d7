"""What went wrong, as every tool tells it: whose move it is, and what can be called next."""

from __future__ import annotations

from dispatcher import diagnosis
from packer.errors import SendoffError
from sendoff.mcp import arguments, bounds
from sendoff.mcp.answers import Problem, Step

_NEXT: dict[str, Step] = {
    "RUN_UNKNOWN": Step(tool="runs", why="the ids there are"),
    "RUN_AMBIGUOUS": Step(tool="runs", why="the ids there are"),
    "GPU_UNKNOWN": Step(tool="gpus", why="the classes there are"),
    "GPU_IMPOSSIBLE": Step(tool="gpus", why="what there is of each class"),
    "GPU_EXPRESSION": Step(tool="gpus", why="the classes there are"),
    "BUDGET_RUNS": Step(
        tool="runs", arguments={"state": "running"}, why="what is under way, to wait for"
    ),
    "BUDGET_GPU_HOURS": Step(tool="check", why="what is left of the budget"),
    "TOOL_TIMEOUT": Step(tool="runs", why="what there is by now"),
}
_LOOK = Step(tool="check", why="whether everything that a run needs is there")


class TookTooLong(SendoffError):
    """A tool was given up, so that the client need not."""

    code, phase, retryable = "TOOL_TIMEOUT", "dispatch", True

    def __init__(self, tool: str, seconds: float) -> None:
        super().__init__(tool, seconds)
        self.tool, self.seconds = tool, seconds

    def what(self) -> str:
        return f"{self.tool} has not ended after {self.seconds:.0f} s"

    def why(self) -> str:
        return "the store, the registry or the cluster answers slowly, or not at all"

    def fix(self) -> str:
        return "call it again; sendoff doctor tells which server is slow"


class MayHaveBegun(TookTooLong):
    """The same of a tool that begins runs: it is left to end by itself, and may yet begin one."""

    retryable = False

    def fix(self) -> str:
        return (
            "look with `runs` whether it began one; "
            "a call with an `idempotency_key` can be repeated with the same"
        )


def of(error: SendoffError, tool: str) -> Problem:
    """The answer that an error is, which a tool has come to."""
    asked = error.phase in ("usage", "reference", "budget")
    again = Step(tool=tool, why="again, when it is as `fix` says")
    step = _NEXT.get(error.code) or (again if asked else _LOOK)
    said = "\n".join(filter(None, (error.evidence(), error.transcript())))
    return Problem.of(
        error,
        blame=diagnosis.blame(error),
        message=bounds.clip(arguments.named(error.what()), bounds.EVIDENCE),
        cause=bounds.clip(arguments.named(error.why()), bounds.EVIDENCE),
        evidence=bounds.clip_end(said),
        fix=arguments.named(error.fix()),
        next=(step,),
    )
