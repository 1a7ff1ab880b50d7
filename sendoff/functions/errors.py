"""What can go wrong with a function that is sent off, here and there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dispatcher.run import Failure
from packer.errors import SendoffError


class FunctionRefused(SendoffError):
    """What was given can't be sent off as a function."""

    code, phase, exit_code = "FUNCTION_REFUSED", "functions", 2

    def __init__(self, name: str, reason: str, remedy: str) -> None:
        super().__init__(name, reason, remedy)
        self.name, self.reason, self.remedy = name, reason, remedy

    def what(self) -> str:
        return f"{self.name} can't be sent off"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return self.remedy


class ArgumentUnpicklable(SendoffError):
    """An argument is neither JSON nor arrays, and can't be pickled."""

    code, phase, exit_code = "ARGUMENT_UNPICKLABLE", "functions", 2

    def __init__(self, function: str, argument: str, shown: str, reason: str) -> None:
        super().__init__(function, argument, shown, reason)
        self.function, self.argument, self.shown, self.reason = function, argument, shown, reason

    def what(self) -> str:
        return f"the argument {self.argument} of {self.function} can't be sent"

    def why(self) -> str:
        return self.reason

    def evidence(self) -> str:
        return self.shown

    def fix(self) -> str:
        return "pass what it is made from, and make it inside the function"


class RemoteTraceback(Exception):
    """The traceback of an exception where it was raised: the cause of the same exception here."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text.rstrip()}"


class RemoteError(SendoffError):
    """The function raised something that can't be made again here."""

    code, phase, exit_code = "REMOTE_ERROR", "run", 1

    def __init__(self, run: str, told: Mapping[str, Any]) -> None:
        super().__init__(run, told)
        self.run = run
        self.type: str = told.get("type", "")
        """Such as "builtins.ValueError"."""
        self.message: str = told.get("message", "")
        self.repr: str = told.get("repr", "")
        """Of the exception."""
        self.traceback: str = told.get("traceback", "")
        """As Python printed it there."""

    def what(self) -> str:
        return f"{self.run} raised {self.type.removeprefix('builtins.')}"

    def why(self) -> str:
        return self.message

    def evidence(self) -> str:
        return self.traceback

    def fix(self) -> str:
        return f"sendoff logs {self.run}"


class ResultUnpicklable(RemoteError):
    """The function returned what can't be stored."""

    code = "RESULT_UNPICKLABLE"

    def __init__(self, run: str, told: Mapping[str, Any]) -> None:
        super().__init__(run, told)
        self.result_type: str = told["result"]["type"]
        self.result_repr: str = told["result"]["repr"]

    def what(self) -> str:
        return f"{self.run} returned a {self.result_type} that can't be pickled"

    def evidence(self) -> str:
        return f"{self.result_repr}\n{self.traceback}"

    def fix(self) -> str:
        return "return numbers, text, lists, dicts, arrays, or what pickle takes"


class CallFailed(SendoffError):
    """A call ended without a result, and without an exception of the function."""

    code, phase = "CALL_FAILED", "run"

    def __init__(self, run: str, state: str, failure: Failure | None, words: str) -> None:
        super().__init__(run, state, failure, words)
        self.run, self.state, self.failure, self.words = run, state, failure, words

    def what(self) -> str:
        return f"{self.run} {self.words}"

    def why(self) -> str:
        return f"{self.failure.code}: {self.failure.message}" if self.failure else ""

    def evidence(self) -> str:
        return "\n".join(self.failure.evidence) if self.failure else ""

    def fix(self) -> str:
        return self.failure.fix if self.failure and self.failure.fix else f"sendoff show {self.run}"


class CallCancelled(CallFailed):
    """A call was cancelled before it returned."""

    code = "CALL_CANCELLED"


class CallTimedOut(CallFailed, TimeoutError):
    """A call was still running when its time was up."""

    code = "CALL_TIMED_OUT"
