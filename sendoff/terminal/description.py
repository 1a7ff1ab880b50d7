"""All about a run: what was asked for, what became of it, what it reported and wrote."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import msgspec

from dispatcher.comparison import show
from dispatcher.request import Request
from dispatcher.run import UNPACKED, Manifest
from sendoff import cost, outcome
from sendoff.handle import Index
from sendoff.quantities import show_duration, show_size
from sendoff.selection import Selection
from sendoff.terminal import summary
from sendoff.terminal.console import visible


def document(chosen: Selection) -> dict[str, Any]:
    """The machine's form: the request, and each index with its metrics, files and manifest."""
    found = summary.of_run(chosen.run)
    found["request"] = msgspec.to_builtins(chosen.run.record.request, enc_hook=str)
    found["provenance"] = chosen.run.record.provenance
    packed = chosen.run.packed
    found["snapshot"] = chosen.run.record.snapshot if packed else None
    found["environment"] = chosen.run.record.environment if packed else None
    found["indexes"] = [_index_document(index) for index in chosen.indexes]
    return found


def _index_document(index: Index) -> dict[str, Any]:
    manifest = index.status.manifest
    return summary.of_index(index) | {
        "metrics": {
            name: {"value": metric.value, "source": metric.source}
            for name, metric in index.measured().items()
        },
        "files": [msgspec.to_builtins(file) for file in index.files],
        "usage": msgspec.to_builtins(manifest.usage) if manifest else None,
        "hardware": manifest.hardware if manifest else None,
    }


def lines(chosen: Selection) -> Iterator[str]:
    """The description for people."""
    record = chosen.run.record
    request = record.request
    yield f"run          {record.id}"
    yield f"state        {chosen.run.state}"
    yield f"created      {record.created}"
    for label, value in (
        ("project", request.project),
        ("group", request.group),
        ("target", request.target),
        ("gpu", request.resources.gpu),
        ("time limit", show_duration(request.timeout) if request.timeout else ""),
        ("idle limit", _idle_limit(request)),
        ("commit", _commit(record.provenance)),
        ("environment", record.environment if chosen.run.packed else ""),
        ("snapshot", record.snapshot if chosen.run.packed else ""),
    ):
        if value:
            yield f"{label:<12} {value}"
    for warning in record.warnings:
        yield f"{'warning':<12} {visible(warning)}"
    for line in cost.sentences(cost.of_run(chosen.run)):
        yield f"{'used':<12} {line}"
    for index in chosen.indexes:
        yield ""
        yield from _index_lines(index)


def _idle_limit(request: Request) -> str:
    limit = request.idle_limit
    if limit is None:
        return ""
    return f"less than {limit.share * 100:g}% busy for {show_duration(limit.seconds)}"


def _commit(facts: dict[str, Any]) -> str:
    commit = str(facts.get("commit", ""))
    return f"{commit} and uncommitted changes" if commit and facts.get("dirty") else commit


def _index_lines(index: Index) -> Iterator[str]:
    status = index.status
    yield f"{index.name}  {outcome.sentence(status)}"
    yield f"  command    {visible(shlex.join(index.command))}"
    if index.digest != UNPACKED:
        yield f"  digest     {index.digest}"
    if status.started:
        yield f"  started    {status.started}" + (f", ended {status.ended}" if status.ended else "")
    if status.manifest:
        yield from _taken(status.manifest)
    for label, trouble in (("failure", status.failure), ("waiting", status.waiting)):
        if trouble:
            yield f"  {label:<10} {trouble.code}: {trouble.message}"
            yield from (f"             {line}" for line in trouble.evidence)
            if trouble.fix:
                yield f"  fix        {trouble.fix}"
    for warning in status.manifest.warnings if status.manifest else ():
        yield f"  warning    {warning}"
    for name, metric in index.measured().items():
        yield f"  metric     {name} = {show(metric.value)}  ({metric.source})"
    for file in index.files:
        yield f"  file       {visible(file.path)}  ({show_size(file.size)})"


def _taken(manifest: Manifest) -> Iterator[str]:
    usage = manifest.usage
    yield (
        f"  used       {show_duration(usage.cpu)} of processors, "
        f"{show_size(usage.memory_peak)} of memory at most"
    )
    if words := cost.phases(manifest.phases):
        yield f"  spent      {words}"
    if usage.gpu_busy is not None:
        memory = show_size(usage.gpu_memory_peak or 0)
        yield f"  gpu        {usage.gpu_busy:.0%} busy, {memory} of its memory at most"
