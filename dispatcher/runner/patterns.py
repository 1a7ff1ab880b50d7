"""Output patterns: `*` and `?` stay within a name, `**` crosses folders, a folder is all in it."""

from __future__ import annotations

import re


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """What matches paths below the working directory, "/"-separated."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    expression = ""
    for part in parts:
        if part == "**":
            expression += r"(?:[^/]+/)*"
        else:
            expression += _name(part) + "/"
    # The path is matched with a "/" at its end, so that each name in it has one.
    return re.compile(expression, re.DOTALL)


def matches(patterns: list[re.Pattern[str]], path: str) -> bool:
    """Whether one of them names the path or a folder above it."""
    return any(pattern.match(path + "/") for pattern in patterns)


def _name(part: str) -> str:
    expression, position = "", 0
    while position < len(part):
        letter = part[position]
        end = part.find("]", position + 2) if letter == "[" else -1
        if letter == "*":
            expression += "[^/]*"
        elif letter == "?":
            expression += "[^/]"
        elif end > 0:
            chosen = part[position + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            chosen = "^" + chosen[1:] if chosen[0] == "!" else chosen.replace("^", "\\^")
            expression += f"[{chosen}]"
            position = end
        else:
            expression += re.escape(letter)
        position += 1
    return expression
