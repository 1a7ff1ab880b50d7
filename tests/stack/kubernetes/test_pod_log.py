"""Logs of pods, followed through cuts."""

from __future__ import annotations

import threading
import time

import pytest

from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.pod_log import PodLog, wait_for_pod
from tests.faults.faults import Stall

COUNT = "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); sleep 0.05; done"
LINES = [f"line {number}\n" for number in range(40)]


def pod_of(lab, run) -> str:
    name = wait_for_pod(lab.client(), run.id, 0, time.monotonic() + 30)
    assert name
    return name


def commands(lines) -> list[str]:
    return [line for line in lines if not line.startswith("sendoff:")]


def test_each_line_comes_once_and_in_time(lab):
    run = lab.submit(["sh", "-c", COUNT])
    seen: list[tuple[float, str]] = []
    for line in PodLog(lab.client(), pod_of(lab, run)).lines():
        seen.append((time.monotonic(), line))  # noqa: PERF401 (the time is the point)
    assert commands(line for _, line in seen) == LINES
    assert seen[-1][0] - seen[0][0] > 1, "they came one by one"


def test_a_log_that_is_cut_goes_on_without_a_gap_or_a_repeat(lab, proxy):
    run = lab.submit(["sh", "-c", COUNT])
    name = pod_of(lab, run)
    lines = []
    for line in PodLog(lab.through(proxy).client(), name).lines():
        lines.append(line)
        if len(lines) in (5, 12, 13, 30):
            proxy.cut()
    assert commands(lines) == LINES
    assert len(proxy.seen("GET", "/log")) >= 4


def test_a_log_that_falls_silent_is_begun_anew(lab, proxy):
    proxy.on("GET", "/log", Stall(after=200), times=2)
    run = lab.submit(["sh", "-c", COUNT])
    log = PodLog(lab.through(proxy).client(), pod_of(lab, run), silence=1)
    assert commands(log.lines()) == LINES


def test_a_log_is_there_after_the_end_and_none_after_the_pod(lab):
    run = lab.submit(["sh", "-c", COUNT])
    lab.wait(run)
    name = pod_of(lab, run)
    assert commands(PodLog(lab.client(), name).lines()) == LINES
    lab.kubectl("delete", "job", run.id)
    lab.until(lambda: lab.pods(run) == [])
    assert list(PodLog(lab.client(), name).lines()) == []


def test_following_can_be_ended_from_another_thread(lab):
    run = lab.submit(["sh", "-c", "echo up; sleep 300"])
    log = PodLog(lab.client(), pod_of(lab, run))
    lines: list[str] = []
    thread = threading.Thread(target=lambda: lines.extend(log.lines()))
    thread.start()
    lab.until(lambda: "up" in lab.log(run))
    log.close()
    thread.join(10)
    assert not thread.is_alive()


def test_a_missing_right_is_said(lab):
    run = lab.submit(["true"])
    name = pod_of(lab, run)
    client = lab.with_settings(namespace="kube-system").client()
    with pytest.raises(ApiForbidden, match="pods/log"):
        list(PodLog(client, name).lines())


def test_no_pod_within_the_time_is_none(lab):
    assert wait_for_pod(lab.client(), "nothing-abcdef", 0, time.monotonic() + 0.2) is None
