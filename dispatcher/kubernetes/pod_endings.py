"""How a pod ended, and whether it ever will. Pure."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from dispatcher import store_endings
from dispatcher.kubernetes.objects import Condition, Event, Node, condition
from dispatcher.kubernetes.run_objects import Pod, Terminated
from dispatcher.kubernetes.trouble import NEVER, Trouble, seconds, trouble
from dispatcher.runner import exit_status

_KILLED = 128 + signal.SIGKILL
_START_FAILED = frozenset({"StartError", "ContainerCannotRun", "RunContainerError"})
# Exit codes of the runner, and of a process that SIGTERM ends.
_RUNNER = {
    exit_status.INTERNAL: ("RUNNER_FAILED", "the runner failed"),
    exit_status.INTERRUPTED: ("INTERRUPTED", "the attempt was ended from outside"),
    128 + signal.SIGTERM: ("INTERRUPTED", "the attempt was ended from outside"),
}
# The node-pressure and volume limits that are the pod's own doing (kubelet, eviction manager).
_OWN_LIMIT = ("emptyDir", "EmptyDir", "ephemeral local storage usage exceeds", "exceeds the limit")
_DISRUPTIONS = {
    "PreemptionByScheduler": ("PREEMPTED", "it had to make room for more important pods"),
    "DeletionByTaintManager": ("NODE_LOST", "its node was lost or drained"),
    "EvictionByEvictionAPI": ("EVICTED", "its node was drained"),
    "DeletionByPodGC": ("NODE_LOST", "its node is gone"),
    "TerminationByKubelet": ("EVICTED", "its node ran short of something or was shut down"),
}
# What nodes call it when they don't admit a pod that the scheduler sent.
_UNADMITTED = ("UnexpectedAdmissionError", "NodeAffinity", "OutOf", "NodePorts", "Preempting")


def of(pod: Pod, events: Sequence[Event]) -> Trouble | None:
    """Why a pod failed without a result; None where it succeeded."""
    ended = pod.terminated
    memory = _out_of_memory(pod, ended)
    if memory or pod.status.phase == "Succeeded":
        return memory
    disruption = condition(pod.status.conditions, "DisruptionTarget")
    said = [text for text in (pod.status.message, *_messages(events)) if text]
    return _by_node(pod, disruption, said) or _by_container(pod, said) or _unknown(pod, said)


def lost(pod: Pod, node: Node | None, now: float) -> Trouble | None:
    """Whether a pod that should have ended, or runs, is on a node that is silent."""
    deadline = seconds(pod.metadata.deletion_timestamp)
    silent = node is not None and condition(node.status.conditions, "Ready") is None
    name, where = pod.metadata.name, pod.spec.node_name
    if deadline and now > deadline:
        return trouble(
            "NODE_LOST" if silent else "STUCK",
            f"the pod {name} is stuck: it was to end, and {where} does not say that it has",
            blame="infra",
            evidence=_of_node(node),
            fix=f"if {where} is gone for good: kubectl delete node {where}; "
            f"or kubectl delete pod {name} --force",
            phase="run",
            since=deadline,
            grace=NEVER,
        )
    if silent and where:
        return trouble(
            "NODE_LOST",
            f"the node {where} of the pod {name} does not answer",
            blame="infra",
            evidence=_of_node(node),
            fix="it is replaced elsewhere once the cluster gives the node up",
            phase="run",
            since=now,
            grace=NEVER,
        )
    return None


def _out_of_memory(pod: Pod, ended: Terminated | None) -> Trouble | None:
    if ended is None or ended.reason != "OOMKilled":
        return None
    return trouble(
        "OOM_HOST",
        "the container's memory was used up, and the kernel killed it",
        blame="user",
        evidence=[f"{pod.metadata.name}: OOMKilled, exit code {ended.exit_code}", ended.message],
        fix="give it more: --memory; or load less at once",
        phase="run",
    )


def _by_node(pod: Pod, disruption: Condition | None, said: list[str]) -> Trouble | None:
    """The cluster's doing."""
    reason = pod.status.reason
    if reason == "Evicted" and any(mark in pod.status.message for mark in _OWN_LIMIT):
        return trouble(
            "EVICTED",
            "it wrote more than a pod may",
            blame="user",
            evidence=said,
            fix="write less, or allow more: scratch in [tool.sendoff]",
            phase="run",
        )
    if disruption:
        code, why = _DISRUPTIONS.get(disruption.reason, ("DISRUPTED", disruption.reason))
        return _infra(
            pod, code, f"the pod was ended by the cluster: {why}", [disruption.message, *said]
        )
    if reason == "Evicted":
        return _infra(pod, "EVICTED", f"{pod.spec.node_name} ran short of something", said)
    if reason.startswith(_UNADMITTED):
        return _infra(pod, reason, f"{pod.spec.node_name} did not admit the pod", said)
    if reason in ("NodeLost", "Terminated", "NodeShutdown", "Shutdown"):
        return _infra(pod, "NODE_LOST", f"{pod.spec.node_name} was shut down or lost", said)
    return None


def _by_container(pod: Pod, said: list[str]) -> Trouble | None:
    ended = pod.terminated
    if ended is None:
        return None
    evidence = [*said, ended.message]
    if ended.reason in _START_FAILED:
        return trouble(
            "IMAGE_UNUSABLE",
            "the container could not be started",
            blame="config",
            evidence=evidence,
            fix="is the base image one that sendoff's images can stand on? sendoff base list",
            phase="image",
        )
    if ended.exit_code == exit_status.UNUSABLE:
        return trouble(
            "NOT_PREPARED",
            "the command could not be started",
            blame="config",
            evidence=evidence,
            phase="run",
        )
    if ended.exit_code == _KILLED or ended.signal == signal.SIGKILL:
        return _infra(pod, "KILLED", "the container was killed from outside", evidence)
    return _by_runner(pod, ended, evidence)


def _by_runner(pod: Pod, ended: Terminated, evidence: list[str]) -> Trouble:
    """What the runner says of itself."""
    run, node = pod.metadata.labels.run, pod.spec.node_name
    if store := store_endings.of(ended.exit_code, ended.message, run, node):
        return trouble(
            store.code,
            store.message,
            blame=store.blame,
            evidence=evidence,
            fix=store.fix,
            phase=store.phase,
        )
    code, message = _RUNNER.get(
        ended.exit_code, ("RUNNER_FAILED", f"the runner exited with {ended.exit_code}")
    )
    return _infra(pod, code, message, evidence)


def _unknown(pod: Pod, said: list[str]) -> Trouble:
    reason = pod.status.reason or "no reason given"
    return _infra(pod, "POD_FAILED", f"the pod {pod.metadata.name} failed: {reason}", said)


def _infra(pod: Pod, code: str, message: str, evidence: list[str]) -> Trouble:
    fix = f"send it off again: sendoff rerun {pod.metadata.labels.run} --failed"
    return trouble(code, message, blame="infra", evidence=evidence, fix=fix, phase="run")


def _messages(events: Sequence[Event]) -> list[str]:
    kinds = {"Evicted", "Preempted", "Killing", "NodeNotReady", "TaintManagerEviction", "Failed"}
    return [f"{each.reason}: {each.message}" for each in events if each.reason in kinds]


def _of_node(node: Node | None) -> list[str]:
    if node is None:
        return []
    return [
        f"node {node.metadata.name}: {each.type} is {each.status}: {each.message}"
        for each in node.status.conditions
        if each.type == "Ready"
    ]
