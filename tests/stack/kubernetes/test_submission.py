"""A run is sent off once: faults 1 to 5 of the design's list."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher import dispatch, idempotency, orders
from dispatcher.errors import Conflict
from dispatcher.kubernetes import target
from dispatcher.kubernetes.errors import (
    ApiForbidden,
    ClusterNotConfigured,
    JobTaken,
    QuotaExceeded,
)
from dispatcher.kubernetes.eye import PodEye
from dispatcher.kubernetes.paths import Paths
from dispatcher.kubernetes.watch import Timing
from dispatcher.observer import Observer
from dispatcher.run import UNPACKED
from tests.faults.faults import Answer, CutAnswer, Delay, LoseAnswer
from tests.faults.proxy import Proxy

ROOT = Path(__file__).parents[3]
HELLO = ["sh", "-c", "echo hello"]


def test_a_client_that_died_before_the_job_is_made_up_for(lab):
    run = lab.run(HELLO, idempotency_key="k")
    lab.runs.add(run)
    idempotency.named_by_key(run, lab.runs)
    assert lab.objects("jobs", run) == []
    again = lab.run(HELLO, idempotency_key="k")
    assert lab.send(again).id == run.id
    assert lab.wait(run).state == "succeeded"
    assert len(lab.objects("jobs", run)) == 1
    assert lab.objects("jobs", again) == []


def test_a_client_that_died_before_the_secret_is_made_up_for(lab):
    # What is killed is the whole client: the Job is there, and nobody knows what to tell it.
    code = (
        "import os, sys\n"
        "from dispatcher.kubernetes.submission import Submission\n"
        "Submission.give = lambda *a, **k: os._exit(9)\n"
        "from dispatcher import dispatch\n"
        "import pickle\n"
        "run, places = pickle.loads(sys.stdin.buffer.read())\n"
        "dispatch.submit(run, places)\n"
    )
    run = lab.run(HELLO)
    lab.sent.append(run.id)
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps((run, lab.places)), cwd=ROOT, check=False
    )
    assert done.returncode == 9
    assert len(lab.objects("jobs", run)) == 1
    assert lab.objects("secrets", run) == []
    assert lab.wait(run).state == "succeeded"


@pytest.mark.parametrize("fault", [LoseAnswer(), CutAnswer(after=10), Answer(500, forwarded=True)])
def test_a_lost_answer_makes_no_second_job(lab, proxy, fault):
    paths = Paths(lab.namespace)
    rule = proxy.on("POST", paths.jobs, fault)
    run = lab.through(proxy).submit(HELLO)
    assert rule.met
    assert len(lab.objects("jobs", run)) == 1
    assert len(proxy.seen("POST", paths.jobs)) == 1, "it was read, not made again"
    assert lab.wait(run).state == "succeeded"


def test_a_create_that_never_arrived_is_made_after_all(lab, proxy):
    paths = Paths(lab.namespace)
    rule = proxy.on("POST", paths.jobs, Answer(500))
    run = lab.through(proxy).submit(HELLO)
    assert rule.met
    assert lab.wait(run).state == "succeeded"


def test_a_pause_that_the_server_asks_for_before_a_create_is_kept(lab, proxy):
    paths = Paths(lab.namespace)
    busy = Answer(503, {"Retry-After": "2"}, b"the load balancer has no API server")
    rule = proxy.on("POST", paths.jobs, busy, times=2)
    began = time.monotonic()
    run = lab.through(proxy).submit(HELLO)
    assert time.monotonic() - began > 4
    assert len(rule.met) == 2
    assert len(proxy.seen("POST", paths.jobs)) == 3
    assert lab.wait(run).state == "succeeded"


@pytest.mark.parametrize("fault", [LoseAnswer(), Answer(500), Answer(429)])
def test_a_lost_answer_about_the_secret_is_survived(lab, proxy, fault):
    rule = proxy.on("POST", Paths(lab.namespace).secrets, fault)
    run = lab.through(proxy).submit(HELLO)
    assert rule.met
    assert lab.wait(run).state == "succeeded"


def test_the_same_key_for_another_request_is_a_conflict(lab):
    first = lab.submit(HELLO, idempotency_key="k")
    before = lab.objects("jobs")
    with pytest.raises(Conflict) as caught:
        lab.submit(["false"], idempotency_key="k")
    assert (caught.value.run, caught.value.differences) == (first.id, ("inputs",))
    assert [each["metadata"]["uid"] for each in lab.objects("jobs")] == [
        each["metadata"]["uid"] for each in before
    ]
    assert lab.wait(first).state == "succeeded"


def test_a_job_of_that_name_which_is_not_ours_is_left_alone(lab):
    run = lab.run(HELLO)
    lab.kubectl("create", "job", run.id, "--image=x", "--dry-run=none")
    before = lab.kubectl("get", "job", run.id, "-o", "jsonpath={.metadata.resourceVersion}")
    with pytest.raises(JobTaken, match=run.id):
        lab.send(run)
    assert lab.kubectl("get", "job", run.id, "-o", "jsonpath={.metadata.uid}")
    assert before


def test_the_same_request_after_the_job_is_gone_has_the_stored_result(lab):
    brief = lab.with_settings(ttl=0)
    run = brief.submit(HELLO, idempotency_key="k")
    assert brief.wait(run).state == "succeeded"
    lab.until(lambda: lab.objects("jobs", run) == [])
    lab.until(lambda: lab.objects("pods", run) == [] and lab.objects("secrets", run) == [])
    again = brief.submit(HELLO, idempotency_key="k")
    assert again.id == run.id
    assert brief.wait(again).state == "succeeded"
    assert lab.objects("jobs", run) == []


def test_a_job_that_is_being_deleted_is_seen_off_first(lab):
    slow = ["sh", "-c", "trap 'sleep 2; exit 0' TERM; echo up; sleep 300 & wait"]
    run = lab.submit(slow, idempotency_key="k", grace=5.0)
    lab.until(lambda: "up" in lab.log(run))
    (first,) = lab.objects("jobs", run)
    lab.kubectl("delete", "job", run.id, "--cascade=foreground", "--wait=false")
    lab.until(lambda: lab.objects("jobs", run)[0]["metadata"].get("deletionTimestamp"))
    digest = run.request.inputs[0].digest
    again = lab.run(slow, idempotency_key="k", grace=5.0, digest=digest)
    assert lab.send(again).id == run.id
    (second,) = lab.objects("jobs", run)
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    (secret,) = [
        each
        for each in lab.objects("secrets", run)
        if each["metadata"]["ownerReferences"][0]["uid"] == second["metadata"]["uid"]
    ]
    assert secret["metadata"]["name"] == f"{run.id}-runner-{first['metadata']['uid'][:5]}"
    lab.until(lambda: any(each["status"]["phase"] == "Running" for each in lab.pods(run)))
    assert lab.objects("jobs", again) == []


def test_a_cancelled_run_whose_job_is_being_deleted_stays_cancelled(lab):
    slow = ["sh", "-c", "trap 'sleep 2; exit 0' TERM; echo up; sleep 300 & wait"]
    run = lab.submit(slow, idempotency_key="k", grace=5.0)
    lab.until(lambda: "up" in lab.log(run))
    (first,) = lab.objects("jobs", run)
    dispatch.cancel(run.id, lab.places)
    assert lab.objects("jobs", run)[0]["metadata"]["deletionTimestamp"]
    assert lab.submit(slow, idempotency_key="k", grace=5.0).id == run.id
    assert {each["metadata"]["uid"] for each in lab.objects("jobs", run)} <= {
        first["metadata"]["uid"]
    }
    assert lab.wait(run).state == "cancelled"
    assert lab.submit(slow, idempotency_key="k", grace=5.0).id == run.id
    lab.until(lambda: lab.objects("jobs", run) == [])


def cancelled_in_time(lab, run):
    lab.until(lambda: lab.objects("jobs", run) == [])
    assert lab.wait(run).state == "cancelled"


def test_a_run_that_is_cancelled_before_its_job_is_made_ends(lab, proxy):
    slow = proxy.on("POST", Paths(lab.namespace).jobs, Delay(2))
    run = lab.run(["sleep", "300"])
    sending = threading.Thread(target=lab.through(proxy).send, args=(run,))
    sending.start()
    proxy.wait(lambda: bool(slow.met))
    dispatch.cancel(run.id, lab.places)
    assert lab.objects("jobs", run) == []
    sending.join()
    cancelled_in_time(lab, run)


def test_an_order_that_becomes_a_run_while_it_is_cancelled_ends(lab, before_store):
    run = lab.run(["sleep", "300"])
    one = replace(run.request.inputs[0], digest=UNPACKED)
    order = replace(
        run,
        request=replace(run.request, inputs=(one,)),
        snapshot=UNPACKED,
        environment=UNPACKED,
    )
    there = lab.storing_through(before_store).places
    there = replace(there, store=there.store_in_cluster)
    slow = before_store.on("PUT", "cancel.json", Delay(3))
    with orders.held(run.id, lab.places):
        dispatch.order(order, lab.places)
        cancelling = threading.Thread(target=dispatch.cancel, args=(run.id, there))
        cancelling.start()
        before_store.wait(lambda: bool(slow.met))
        lab.send(run)
        assert len(lab.objects("jobs", run)) == 1
        cancelling.join()
    cancelled_in_time(lab, run)


def test_two_clients_with_one_key_make_one_job(lab):
    runs = [lab.run(HELLO, idempotency_key="k") for _ in range(4)]
    sent: list[str] = []
    threads = [
        threading.Thread(target=lambda run=run: sent.append(lab.send(run).id)) for run in runs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(sent)) == 1
    assert len([each for each in lab.objects("jobs") if each["metadata"]["name"] in sent]) == 1


def test_what_kept_a_job_from_being_made_is_told_and_made_up_for_by_the_key(lab, proxy):
    words = (
        'jobs.batch is forbidden: User \\"ann\\" cannot create resource \\"jobs\\" in API group '
        f'\\"batch\\" in the namespace \\"{lab.namespace}\\"'
    )
    proxy.on(
        "POST", Paths(lab.namespace).jobs, Answer(403, body=f'{{"message": "{words}"}}'.encode())
    )
    through, run = lab.through(proxy), lab.run(HELLO, idempotency_key="k")
    with pytest.raises(ApiForbidden):
        through.send(run)
    (index,) = lab.wait(run, timeout=0).indexes
    assert (index.state, index.failure.code, index.failure.blame) == (
        "failed",
        "FORBIDDEN",
        "config",
    )
    assert "ann" in index.failure.evidence[0]
    assert through.send(lab.run(HELLO, idempotency_key="k")).id == run.id
    assert lab.wait(run).state == "succeeded"
    assert lab.log(run) == "hello\n"


def test_a_secret_that_may_not_be_made_leaves_no_job(lab, proxy):
    forbidden = Answer(403, body=b'{"message": "secrets is forbidden"}')
    proxy.on("POST", Paths(lab.namespace).secrets, forbidden, times=9)
    run = lab.run(HELLO)
    with pytest.raises(ApiForbidden):
        lab.through(proxy).send(run)
    lab.until(lambda: lab.objects("jobs", run) == [])
    assert lab.wait(run, timeout=0).indexes[0].failure.code == "FORBIDDEN"


def test_a_quota_on_jobs_is_said_at_once(lab):
    lab.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "no-jobs"},
            "spec": {"hard": {"count/jobs.batch": "0"}},
        }
    )
    try:
        lab.until(lambda: "count/jobs.batch" in lab.kubectl("get", "quota", "-o", "yaml"))
        with pytest.raises(QuotaExceeded) as caught:
            lab.send(run := lab.run(HELLO))
        assert caught.value.code == "QUOTA"
        assert "no-jobs" in caught.value.evidence()
        assert lab.wait(run, timeout=0).indexes[0].failure.code == "QUOTA"
    finally:
        lab.kubectl("delete", "quota", "no-jobs")


def test_nothing_is_left_of_a_run_but_what_is_stored(lab):
    run = lab.submit(HELLO)
    lab.wait(run)
    dispatch.cancel(run.id, lab.places)
    for kind in ("jobs", "pods", "secrets"):
        lab.until(lambda kind=kind: lab.objects(kind, run) == [])
    assert dispatch.status(run.id, lab.places).state == "succeeded"
    assert "hello" in lab.log(run)


def refuse(proxy) -> None:
    proxy.refuse()
    proxy.cut()


@pytest.mark.parametrize("leave", [refuse, Proxy.freeze], ids=["refused", "half-open"])
def test_a_cluster_that_is_away_is_sat_out_and_results_come_all_the_same(lab, proxy, leave):
    through = lab.through(proxy)
    run = through.submit(["sh", "-c", "echo up; sleep 3"])
    with Observer(run.id, through.places) as observer:
        lab.until(lambda: observer.one(0).state == "running")
        leave(proxy)
        status = lab.until(lambda: (found := observer.all()).final and found)
        assert status.state == "succeeded"


def test_an_end_that_only_the_cluster_knows_is_not_missed_by_a_half_open_watch(
    lab, proxy, monkeypatch
):
    # As usual, but for a patience that a test can have too: 90 s in life.
    quick = Timing(silence=10, pause=0.05, longest_pause=0.2)
    monkeypatch.setattr(target, "PodEye", partial(PodEye, timing=quick))
    through = lab.through(proxy)
    run = through.submit(["sleep", "300"])
    with Observer(run.id, through.places) as observer:
        lab.until(lambda: observer.one(0).state == "running")
        lab.until(lambda: proxy.seen("GET", "watch=1"))
        proxy.freeze()
        began = time.monotonic()
        lab.kubectl("delete", "job", run.id, "--cascade=foreground")
        lab.kubectl("delete", "pods", "-l", f"sendoff.io/run={run.id}", "--force")
        status = lab.until(lambda: (found := observer.all()).final and found)
    took = time.monotonic() - began
    assert status.indexes[0].failure.code == "JOB_GONE", status
    assert took < 30


def test_what_the_store_has_is_told_without_a_cluster(lab, proxy):
    run = lab.submit(HELLO)
    lab.wait(run)
    away = lab.through(proxy)
    proxy.refuse()
    assert dispatch.status(run.id, away.places).state == "succeeded"
    nowhere = lab.with_settings(kubeconfig="/nowhere", namespace="")
    assert dispatch.status(run.id, nowhere.places).state == "succeeded"
    assert nowhere.log(run) == "hello\n"
    started = lab.submit(["sleep", "60"])
    with pytest.raises(ClusterNotConfigured):
        dispatch.status(started.id, nowhere.places)
