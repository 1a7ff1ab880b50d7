"""Pages that say what the code says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from dispatcher.kubernetes import rights
from dispatcher.kubernetes.gpu_classes import GpuClass
from dispatcher.kubernetes.rights import Right
from sendoff.mcp.tools import TOOLS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "kubernetes.md"
SOURCES = ROOT / "dispatcher" / "kubernetes"


def row(right: Right) -> str:
    where = "cluster" if right.everywhere else "namespace"
    what = f"{right.resource}.{right.group}" if right.group else right.resource
    why = right.why + (" (optional)" if right.optional else "")
    return f"| {right.verb} {what} | {where} | {why} |"


@pytest.mark.parametrize(
    ("name", "listed"), [("rights", rights.RIGHTS), ("operator rights", rights.OPERATOR_RIGHTS)]
)
def test_the_page_lists_the_least_roles(
    name: str, listed: Sequence[Right], request: pytest.FixtureRequest
) -> None:
    head = ["| right | where | for what |", "| --- | --- | --- |"]
    table = "\n".join([*head, *map(row, listed)]) + "\n"
    place = re.compile(rf"(<!-- {name}:.*?-->\n).*?(<!-- end -->)", re.DOTALL)
    updated = place.sub(lambda found: found[1] + table + found[2], PAGE.read_text())
    if request.config.getoption("--update-golden"):
        PAGE.write_text(updated)
    assert updated == PAGE.read_text(), "make golden"


def test_the_page_has_every_code_of_a_diagnosis() -> None:
    code = re.compile(r'"([A-Z]+(?:_[A-Z]+)+|QUEUED|QUOTA|STARTING|STUCK|EVICTED|KILLED|DEADLINE)"')
    names = ("job_troubles", "pod_waits", "pod_endings", "image_pulls", "view")
    made = {each for name in names for each in code.findall((SOURCES / f"{name}.py").read_text())}
    known = set(re.findall(r"`([A-Za-z_]+)`", PAGE.read_text()))
    # Said of any target: docs/records.md.
    general = {"RUNNER_FAILED", "UPLOAD_INCOMPLETE", "IMAGE_UNUSABLE", "NOT_PREPARED", "POD_FAILED"}
    assert made - known - general - {"NAME_UNKNOWN", "MANIFEST_UNKNOWN"} == set()


def test_the_page_has_every_field_of_a_class() -> None:
    page = PAGE.read_text()
    for field in GpuClass.__struct_fields__:
        assert field == "name" or field.replace("_", "-") in page, field


def test_the_page_for_agents_lists_the_tools(request: pytest.FixtureRequest) -> None:
    page = ROOT / "docs" / "agents.md"
    rows = ["| tool | what it does |", "| --- | --- |"]
    rows += [f"| `{tool.name}` | {tool.description} |" for tool in TOOLS]
    table = "\n" + "\n".join(rows) + "\n\n"
    place = re.compile(r"(<!-- tools:.*?-->\n).*?(<!-- end -->)", re.DOTALL)
    updated = place.sub(lambda found: found[1] + table + found[2], page.read_text())
    if request.config.getoption("--update-golden"):
        page.write_text(updated)
    assert updated == page.read_text(), "make golden"
