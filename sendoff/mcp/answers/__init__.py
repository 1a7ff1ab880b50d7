"""What the tools answer: bounded, and with what can be called next."""

from __future__ import annotations

from sendoff.mcp.answers.admission import Budget, Checked, Finding, Submitted
from sendoff.mcp.answers.answer import Answer, Problem, Step
from sendoff.mcp.answers.comparison import Compared, Comparison
from sendoff.mcp.answers.files import Content, File, Files, Log
from sendoff.mcp.answers.hardware import GpuClass, Hardware
from sendoff.mcp.answers.reproduction import IndexReproduced, LevelHolds, Reproduced
from sendoff.mcp.answers.runs import (
    Cancelled,
    Detail,
    Ended,
    Going,
    Index,
    Listed,
    Row,
    Told,
    Waited,
)

__all__ = [
    "Answer",
    "Budget",
    "Cancelled",
    "Checked",
    "Compared",
    "Comparison",
    "Content",
    "Detail",
    "Ended",
    "File",
    "Files",
    "Finding",
    "Going",
    "GpuClass",
    "Hardware",
    "Index",
    "IndexReproduced",
    "LevelHolds",
    "Listed",
    "Log",
    "Problem",
    "Reproduced",
    "Row",
    "Step",
    "Submitted",
    "Told",
    "Waited",
]
