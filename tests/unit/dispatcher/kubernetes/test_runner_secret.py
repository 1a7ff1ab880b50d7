from __future__ import annotations

import base64
import gzip
import json
import random

import msgspec
import pytest

from dispatcher.kubernetes import runner_secret
from dispatcher.kubernetes.errors import AssignmentTooLarge
from dispatcher.kubernetes.run_objects import Job
from dispatcher.kubernetes.runner_secret import assignment
from dispatcher.pod_config import PodTerms
from dispatcher.runner.pod_assignment import PodAssignment
from tests.unit.dispatcher.kubernetes.conftest import run_of

STORE = {"kind": "s3", "url": "http://minio:9000/runs/team", "region": "us-east-1"}


def written(files: dict[str, bytes], folder) -> PodAssignment:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return PodAssignment.read(str(folder))


def test_the_runner_reads_what_it_is_told(tmp_path):
    limits = {"result_files": 7, "result_size": 8}
    run = run_of(3, per_pod=2, timeout=60.0, outputs=("*.pt",), environment={"A": "1"}, **limits)
    read = written(
        assignment(run, PodTerms(store=STORE, per_pod=2, memory=1 << 30, patience=7)), tmp_path
    )
    assert read.run == run.id
    assert read.store == {"kind": "s3", "url": STORE["url"], "region": "us-east-1"}
    assert [each["command"] for each in read.inputs] == [
        list(each.command) for each in run.request.inputs
    ]
    assert (read.timeout, read.memory, read.environment) == (60, 1 << 30, {"A": "1"})
    assert read.patience == 7
    assert (read.file_limit, read.byte_limit) == (7, 8)
    assert list(read.indexes(1)) == [2]


def test_a_large_one_is_compressed(tmp_path):
    run = run_of(10_000)
    files = assignment(run, PodTerms(store=STORE))
    assert list(files) == ["assignment.json.gz"]
    assert len(files["assignment.json.gz"]) < 200_000
    assert len(written(files, tmp_path).inputs) == 10_000
    assert gzip.decompress(files["assignment.json.gz"])


def test_one_that_no_secret_holds_is_refused():
    chance = random.Random(0)  # noqa: S311 (no secret)
    run = run_of()
    inputs = tuple(
        msgspec.structs.replace(run.request.inputs[0], command=(chance.randbytes(200).hex(),))
        for _ in range(10_000)
    )
    request = msgspec.structs.replace(run.request, inputs=inputs)
    with pytest.raises(AssignmentTooLarge, match="10000 inputs"):
        assignment(msgspec.structs.replace(run, request=request), PodTerms(store=STORE))


def test_the_secret_belongs_to_the_job():
    owner = msgspec.convert({"metadata": {"name": "train", "uid": "u-1"}}, Job)
    made = runner_secret.render("train-runner", owner, {"assignment.json": b"{}"})
    assert made["metadata"]["ownerReferences"] == [
        {"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "u-1"}
    ]
    assert base64.b64decode(made["data"]["assignment.json"]) == b"{}"
    json.dumps(made)


def test_the_secret_of_a_second_job_has_another_name():
    assert runner_secret.secret_name("train") == "train-runner"
    assert runner_secret.secret_name("train", "12345678-90") == "train-runner-12345"
