"""Newer credentials on their way into pods that run, under the least Role."""

from __future__ import annotations

import base64
import json

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
