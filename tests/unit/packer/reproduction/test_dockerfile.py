from __future__ import annotations

from packer.reproduction.dockerfile import Recipe, render

PLAIN = Recipe(
    digest="sha256:" + 64 * "a",
    base="python:3.11.7-slim",
    python="python3",
    command=("python", "train.py", "--name", 'with "quotes" and $HOME'),
)
WHOLE = Recipe(
    digest="sha256:" + 64 * "b",
    base="registry.example/base/cu128@sha256:" + 64 * "c",
    python="/usr/bin/python3.11",
    command=("python", "-m", "train"),
    variables={"B": 'a "b" $c \\d', "A": "1\n2"},
    user="65532:65532",
    wheels=True,
    files=True,
    removed=("lib/python3.11/site-packages/a b.py",),
    editables=True,
)


def test_what_a_person_builds(golden) -> None:
    golden("dockerfiles/exported-plain", render(PLAIN))
    golden("dockerfiles/exported-whole", render(WHOLE))
