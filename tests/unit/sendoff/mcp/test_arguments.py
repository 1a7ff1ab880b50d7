from __future__ import annotations

import pytest

from sendoff.mcp.arguments import named


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("give it a time limit: --timeout 30m", "give it a time limit: `timeout` 30m"),
        ("--best needs a metric", "`best` needs a metric"),
        ("say which with --metric NAME", "say which with `metrics` NAME"),
        ("fewer at once: --max-parallel 2", "fewer at once: `max_parallel` 2"),
        ("leave --zip out", "leave `zipped` out"),
        ("sendoff rerun RUN --failed --memory …", "sendoff rerun RUN --failed --memory …"),
        ("use another --idempotency-key, or: sendoff show RUN --json",
         "use another `idempotency_key`, or: sendoff show RUN --json"),
        ("log in: docker login --password-stdin", "log in: docker login --password-stdin"),
        ("--no-such-option stays", "--no-such-option stays"),
        ("", ""),
    ],
)  # fmt: skip
def test_options_are_called_as_the_arguments_are(text: str, said: str) -> None:
    assert named(text) == said
