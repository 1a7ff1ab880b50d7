"""When a process may be forked for calls, and what its forks do not share.

They are `sendoff.forks` of `dispatcher/runner/site`, seen from the runner's side.
"""

from __future__ import annotations

import subprocess

import pytest

DRAWN = """
made = [float(call("work:drawn")["out"].split()[-1]) for _ in range(3)]
calls.close()
print(json.dumps(made))
"""
TWICE = """
made = [call("work:told") for _ in range(2)]
calls.close()
print(json.dumps(made))
"""


@pytest.mark.parametrize(
    ("module", "different"),
    [
        ("import random\ndef drawn(): print(random.random())\n", 3),
        (
            "import random\nrandom.seed(1)\nrandom.random()\ndef drawn(): print(random.random())\n",
            1,
        ),
        ("import random\nrandom.seed(1)\nrandom.seed()\ndef drawn(): print(random.random())\n", 3),
        ("import random\nrandom.random()\ndef drawn(): print(random.random())\n", 3),
        ("from random import *\nseed(1)\nsetstate(getstate())\ndef drawn(): print(random())\n", 1),
        ("import numpy\ndef drawn(): print(numpy.random.rand())\n", 3),
        ("import numpy\nnumpy.random.seed(1)\ndef drawn(): print(numpy.random.rand())\n", 1),
    ],
)
def test_randomness_differs_unless_the_module_has_seeded_it(runner, module, different):
    assert len(set(runner(DRAWN, module))) == different


def test_a_module_of_the_programs_own_that_is_called_random_is_its_own(runner, tmp_path):
    (tmp_path / "random.py").write_text("print('ours')\nseed = 'here'\n")
    found = runner(TWICE, "import random\ndef told(): print(random.seed)\n")
    assert [each["out"] for each in found] == ["ours\nhere\n", "here\n"]


def test_a_module_that_starts_a_thread_is_loaded_for_each_call(runner):
    found = runner(
        TWICE,
        """
import threading, time
threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start()
def told(): print("told")
print("loaded")
""",
    )
    assert [each["out"] for each in found] == ["loaded\ntold\n"] * 2


def test_a_module_that_has_used_openmp_is_loaded_for_each_call(runner, tmp_path):
    (tmp_path / "sum.c").write_text(
        "int sum(int n) { int s = 0;\n"
        "#pragma omp parallel for reduction(+:s) num_threads(2)\n"
        "for (int i = 0; i < n; i++) s += i; return s; }\n"
    )
    build = ["gcc", "-shared", "-fPIC", "-fopenmp", "sum.c", "-o", "sum.so"]
    subprocess.run(build, cwd=tmp_path, check=True)
    found = runner(
        TWICE,
        """
import ctypes
LIBRARY = ctypes.CDLL("./sum.so")
print("loaded", LIBRARY.sum(5))
def told(): print(LIBRARY.sum(6))
""",
    )
    assert [each["out"] for each in found] == ["loaded 10\n15\n"] * 2


def test_a_module_that_can_not_be_imported_fails_each_call_alike(runner):
    found = runner(TWICE, "raise ImportError('missing piece')\n")
    assert [each["status"] for each in found] == [1, 1]
    assert all("missing piece" in each["err"] for each in found)


def test_what_a_call_changes_the_next_does_not_see(runner):
    found = runner(
        TWICE,
        """
seen = []
def told():
    seen.append(1)
    print(len(seen))
""",
    )
    assert [each["out"] for each in found] == ["1\n", "1\n"]


def test_exit_handlers_and_threads_of_a_fork_come_to_their_end(runner):
    found = runner(
        TWICE,
        """
import atexit, threading, time
def late():
    time.sleep(0.1)
    print("late")
def told():
    atexit.register(print, "bye")
    threading.Thread(target=late).start()
""",
    )
    assert [each["out"] for each in found] == ["late\nbye\n"] * 2


def test_files_that_are_open_at_the_end_of_a_fork_are_written(runner):
    found = runner(
        """
import gzip
found = []
for n in range(3):
    call("work:writes", str(n))
    found.append([open(f"{n}.csv").read(), gzip.open(f"{n}.gz").read().decode()])
calls.close()
print(json.dumps([*found, open("log").read()]))
""",
        """
import gzip
OPEN, LOG = [], open("log", "a")
LOG.write("loaded")
def writes(n):
    OPEN.append(open(f"{n}.csv", "w"))
    OPEN.append(gzip.open(f"{n}.gz", "wt"))
    OPEN[0].write("a,b")
    OPEN[1].write("packed")
    LOG.write(f" called {n}")
""",
    )
    assert found == [*[["a,b", "packed"]] * 3, "loaded called 0 called 1 called 2"]
