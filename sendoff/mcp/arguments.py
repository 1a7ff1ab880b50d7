"""The command line's options in words, as the arguments of tools. Pure."""

from __future__ import annotations

import re

from sendoff.mcp import questions

_OPTION = re.compile(r"--([a-z][a-z-]*)")
_COMMAND = re.compile(r"\b(?:sendoff|python|kubectl|docker|uv|rm) ")
"""What begins a command: options after it are that command's."""
_RENAMED = {"input": "inputs", "metric": "metrics", "secret": "secrets", "zip": "zipped"}
_KNOWN = frozenset(
    {
        *questions.Check.__struct_fields__,
        *questions.SubmitMany.__struct_fields__,
        *questions.Compare.__struct_fields__,
        *questions.Reproduce.__struct_fields__,
    }
)


def named(text: str) -> str:
    """The text with each option that is an argument, such as --timeout, called `timeout`."""
    command = _COMMAND.search(text)
    end = command.start() if command else len(text)
    return _OPTION.sub(_argument, text[:end]) + text[end:]


def _argument(found: re.Match[str]) -> str:
    name = found[1].replace("-", "_")
    name = _RENAMED.get(name, name)
    return f"`{name}`" if name in _KNOWN else found[0]
