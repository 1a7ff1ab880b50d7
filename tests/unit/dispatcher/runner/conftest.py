"""A pod of the test's own, and a process that starts calls as a runner does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pod as pods

ROOT = Path(__file__).parents[4]
RUNNER = """
import json, os, signal, sys, time
from dispatcher.runner import kernel
from dispatcher.runner.calls import Calls

kernel.adopt_orphans()
calls = Calls()
os.environ["SENDOFF_CALL_DIR"] = os.getcwd() + "/call"
# A call sees the site's `sendoff`, and not ours.
os.environ["PYTHONPATH"] = os.environ.pop("CALLS_PYTHONPATH")

def call(*words, **variables):
    "What a call prints, its exit status and its process."
    arguments = [sys.executable, "-m", "sendoff.call", *words]
    command = calls.start(arguments, {**os.environ, **variables})
    texts = []
    for descriptor in (command.out, command.err):
        text = b""
        while piece := os.read(descriptor, 4096):
            text += piece
        os.close(descriptor)
        texts.append(text.decode())
    while True:
        # A fork is ours as soon as the process between it and us is gone.
        try:
            status = os.waitstatus_to_exitcode(os.waitpid(command.pid, 0)[1])
        except ChildProcessError:
            time.sleep(0.001)
        else:
            break
    return {"out": texts[0], "err": texts[1], "status": status, "pid": command.pid}
"""
MODULE = """
import os, random
print("loaded")
def told(name="ME"): print(os.getpid(), os.environ.get(name, "-"), os.getcwd())
def ends(status): os._exit(status)
def fails(): raise ValueError("no")
def drawn(): print(random.random())
"""


@pytest.fixture
def runner(tmp_path: Path):
    """Runs a program that has `call` and `calls`; what it prints, as JSON."""
    site = ROOT / "dispatcher/runner/site"

    def run(program: str, module: str = MODULE):
        (tmp_path / "work.py").write_text(module)
        done = subprocess.run(
            [sys.executable, "-c", RUNNER + program],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": str(ROOT),
                "CALLS_PYTHONPATH": f"{site}:{tmp_path}",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def pod(tmp_path, store) -> pods.Pod:
    return pods.make(tmp_path, store.root, store)
