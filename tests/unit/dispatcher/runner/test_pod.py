"""The main process of a pod, with a real store behind a proxy."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest


def test_a_command_is_run_and_its_results_are_committed(pod):
    code = "import os; print('hello'); open('result', 'w').write(os.environ['SENDOFF_INDEX'])"
    pod.code(main=code)
    assert pod.run(["python", "main.py"]) == 0, pod.err
    manifest = pod.manifest()
    assert (manifest.state, manifest.exit_code, manifest.attempt) == ("succeeded", 0, 1)
    assert [(file.path, file.size) for file in manifest.files] == [("result", 1)]
    assert pod.store.get(pod.key("0/1/files/result")) == b"0"
    assert pod.out == pod.text("out") == "hello\n"
    assert pod.err == pod.text("err") == ""
    started = json.loads(pod.store.get(pod.key("0/1/attempt.json")))
    assert started["node"] == "node-1"
