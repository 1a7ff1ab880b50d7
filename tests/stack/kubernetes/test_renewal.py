"""Newer credentials on their way into pods that run, under the least Role."""

from __future__ import annotations

import base64
import json

import msgspec

from dispatcher import pod_config
from dispatcher.kubernetes.renewal import Renewal, Renewed
from dispatcher.kubernetes.submission import Submission
from dispatcher.runner.keys import RunKeys
from packer.record import decode

WAIT = "until [ -e /etc/sendoff/renewed.json ]; do sleep 0.5; done; echo came"


def access_key(lab, run, name: str) -> str:
    """Of the credentials in a Secret of the run, as only an administrator may see them."""
    (secret,) = [each for each in lab.objects("secrets", run) if each["metadata"]["name"] == name]
    return json.loads(base64.b64decode(secret["data"]["credentials.json"]))["access_key"]


def test_a_pod_that_runs_is_brought_newer_credentials_by_whoever_looks(lab):
    run = lab.submit(["sh", "-c", WAIT])
    lab.until(lambda: lab.index(run).state == "running")
    client = lab.client()
    submission = Submission(client, lab.settings)
    job = submission.find(run.id)
    renewal = Renewal(
        run,
        lab.runs,
        submission,
        lambda: pod_config.issued(run, lab.places, 7200),
        life=0,
        clock=client.now,
    )
    renewal.round(job)
    renewal.round(job)
    name = f"{run.id}-runner"
    first, second = access_key(lab, run, name), access_key(lab, run, f"{name}-renewed")
    assert first != second
    assert decode(lab.runs.store.get(RunKeys(run.id).renewal), Renewed).expires
    # From the second time on it is there, and replaced.
    submission.renew(job, pod_config.issued(run, lab.places, 7200))
    assert access_key(lab, run, f"{name}-renewed") not in (first, second)
    assert lab.wait(run, timeout=180).state == "succeeded"
    assert lab.log(run) == "came\n"


def test_a_pod_whose_credentials_are_over_starts_nothing_and_says_why(lab, monkeypatch):
    issued = pod_config.issued

    def over(*asked):
        return msgspec.structs.replace(issued(*asked), expires="2026-01-01T00:00:00Z")

    monkeypatch.setattr(pod_config, "issued", over)
    brief = lab.with_settings(spare=0)
    run = brief.submit(["sh", "-c", "echo started"])
    index = brief.wait(run, timeout=180).indexes[0]
    assert (index.failure.code, index.failure.blame) == ("STORE_CREDENTIALS_EXPIRED", "infra")
    assert index.failure.message.startswith("no command was started: ")
    assert "they were good until 2026-01-01" in index.failure.evidence[-1]
    assert lab.log(run) == ""
