"""Every tool there is: what it takes, what it answers, and what it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from packer.record import Record
from sendoff.mcp import answers, looking, questions, reproducing, submitting
from sendoff.mcp.desk import Desk
from sendoff.mcp.waiting import Watch


class Tool(Record, frozen=True):
    """One tool."""

    name: str
    title: str
    description: str
    question: type[Record]
    answer: type[Record]
    call: Callable[[Desk, Any], Record | Watch]
    """With a watch for an answer, that is looked through until there is something to say."""
    reads: bool = True
    """Whether it changes nothing."""
    destroys: bool = False
    """Whether it ends something."""
    begins: bool = False
    """Whether it begins a run, and another one when it is called again."""


TOOLS: tuple[Tool, ...] = (
    Tool(
        name="check",
        title="Check what a run needs",
        description="Whether everything a run needs is there (sandbox, registry, store, cluster, "
        "GPU class), and what the group's budget leaves. Begins nothing.",
        question=questions.Check,
        answer=answers.Checked,
        call=submitting.check,
    ),
    Tool(
        name="submit",
        title="Send off a command",
        description="Pack the project with its environment and run one command on the target. "
        "Returns at once with the run's id; packing goes on in the background. `timeout` is "
        "required. Then call `wait`.",
        question=questions.Submit,
        answer=answers.Submitted,
        call=submitting.submit,
        reads=False,
        begins=True,
    ),
    Tool(
        name="submit_many",
        title="Send off a wave",
        description="The same for many set-ups, as one run with an index (RUN/0, RUN/1, …) for "
        "each: a list of `commands`, or one `command` with {name} places and `parameters`.",
        question=questions.SubmitMany,
        answer=answers.Submitted,
        call=submitting.submit_many,
        reads=False,
        begins=True,
    ),
    Tool(
        name="wait",
        title="Wait for runs",
        description="Return when all of `runs` have ended, or after `seconds` "
        f"({questions.LONGEST:.0f} at most) with what goes on; with the `cursor` of the answer "
        "before, as soon as anything changes. Call it again until `ended` is true.",
        question=questions.Wait,
        answer=answers.Waited,
        call=Watch,
    ),
    Tool(
        name="runs",
        title="List runs",
        description="Runs, the newest first, with their states.",
        question=questions.Runs,
        answer=answers.Listed,
        call=looking.runs,
    ),
    Tool(
        name="run",
        title="Tell all about a run",
        description="What was asked for and what became of it: state, failure with its fix, "
        "metrics, files, hardware, digest.",
        question=questions.Run,
        answer=answers.Told,
        call=looking.run,
    ),
    Tool(
        name="logs",
        title="Read output",
        description="The last lines that one index printed, 8 kB at most; `skip` goes further "
        "back. Works while it runs.",
        question=questions.Logs,
        answer=answers.Log,
        call=looking.logs,
    ),
    Tool(
        name="results",
        title="Read or fetch result files",
        description="The files a run wrote; with `read` the text of one, with `into` all of them "
        "(or `paths`) fetched into a directory, each verified by its sha256.",
        question=questions.Results,
        answer=answers.Files,
        call=looking.files,
        reads=False,
    ),
    Tool(
        name="compare",
        title="Set runs side by side",
        description="A table of what varied (parameters) and what came of it (metrics) over runs "
        "and their indexes; `metrics` with `best` names the best one.",
        question=questions.Compare,
        answer=answers.Comparison,
        call=looking.compare,
    ),
    Tool(
        name="reproduce",
        title="Run a digest again",
        description="Run an image again, by its digest or its run, and say which level holds: the "
        "same request (L0), bytes (L2), metrics (L3); or pack it again (L1). The first call "
        "begins; call it again with `run` once that has ended.",
        question=questions.Reproduce,
        answer=answers.Reproduced,
        call=reproducing.reproduce,
        reads=False,
        begins=True,
    ),
    Tool(
        name="cancel",
        title="Stop runs",
        description="Ask for the end of runs, or of one index (RUN/INDEX). What they wrote is "
        "kept.",
        question=questions.Cancel,
        answer=answers.Cancelled,
        call=looking.cancel,
        reads=False,
        destroys=True,
    ),
    Tool(
        name="gpus",
        title="List GPUs",
        description="GPU classes for `gpu`: how many there are, how many are free.",
        question=questions.Gpus,
        answer=answers.Hardware,
        call=looking.gpus,
    ),
)
INSTRUCTIONS = """\
sendoff packs this project with its Python environment, exactly as they are, into an image and \
runs commands in it on the configured target (here, or a cluster's GPUs). A typical wave: `gpus` \
or `check`, `submit_many`, `wait` until `ended`, `compare` with `best`, `submit` the winner on \
another class. Runs go on whatever becomes of this client. Failures say `code`, `blame` (whose \
move it is), `retryable` and `fix`; every answer says in `next` what can be called."""
