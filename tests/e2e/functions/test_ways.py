"""The ways in which a function may be defined, and what is sent of it."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.functions.conftest import Workbench

GUARDED = """
import sys, sendoff

class Point:
    def __init__(self, x): self.x = x

@sendoff.remote
def double(point):
    return Point(point.x * 2)

def helper(n): return n + 1

@sendoff.remote
def calls_others(n):
    return helper(n) + double(Point(n)).x

if __name__ == "__main__":
    found = double.remote(Point(4))
    assert isinstance(found, Point) and found.x == 8
    assert calls_others.remote(3) == 10
    run = double.spawn(Point(1))
    print(*run.indexes[0].command)
"""
BARE = """
import sendoff
factor = 3
class Point:
    def __init__(self, x): self.x = x
@sendoff.remote
def other(n): return n * factor
@sendoff.remote
def times(point):
    return Point(other(point.x))
run = times.spawn(Point(4))
found = run.value()
assert isinstance(found, Point) and found.x == 12
print(*run.indexes[0].command)
"""
CLOSURES = """
import sendoff
def make(n):
    @sendoff.remote
    def inner(m): return n * m
    return inner
assert make(6).remote(7) == 42
assert sendoff.remote(lambda n: n + 1).remote(1) == 2
assert list(sendoff.remote(lambda n: n * n).map(range(3))) == [0, 1, 4]
import math
assert sendoff.remote(math.sqrt).remote(4) == 2.0
# The sandbox's own version, 2.2.1, could not read what this one has made.
import cloudpickle
def version():
    import cloudpickle
    return cloudpickle.__version__
assert make(1) and sendoff.remote(lambda: version()).remote() == cloudpickle.__version__ != "2.2.1"
class Model:
    def __init__(self, n): self.n = n
    @sendoff.remote
    def plus(self, m): return self.n + m
assert Model(1).plus(2) == 3
assert Model(1).plus.remote(2) == 3
async def later(n): return n
assert sendoff.remote(later).remote(5) == 5
"""


def test_functions_of_a_script(bench: Workbench) -> None:
    bench.write("scripts/guarded.py", GUARDED)
    out = bench.ran("scripts/guarded.py")
    assert "python -m sendoff.call scripts/guarded.py:double @.sendoff/point-" in out
    bench.write("bare.py", BARE)
    assert "python -m sendoff.call @.sendoff/function-" in bench.ran("bare.py")
    bench.write("package/__init__.py", "")
    bench.write("package/guarded.py", GUARDED)
    out = bench.ran("-m", "package.guarded")
    assert "python -m sendoff.call package.guarded:double" in out


def test_closures_methods_and_functions_of_others(bench: Workbench) -> None:
    bench.write("closures.py", CLOSURES)
    bench.ran("closures.py")


def test_as_in_a_notebook(bench: Workbench) -> None:
    bench.write("README", "a notebook's folder")
    # A kernel has no file for __main__: what is typed is all there is.
    done = bench.run("-c", f"exec(compile({BARE!r}, '<cell>', 'exec'))")
    assert done.returncode == 0, done.stderr
    assert "@.sendoff/function-" in done.stdout


def test_the_project_is_found_where_a_script_is(bench: Workbench, tmp_path: Path) -> None:
    bench.write("pyproject.toml", "")
    bench.write("scripts/guarded.py", GUARDED)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    script = bench.project / "scripts/guarded.py"
    bench.project = elsewhere
    assert "sendoff.call scripts/guarded.py:double" in bench.ran(str(script))


def test_modules_that_are_not_where_python_would_look(bench: Workbench) -> None:
    bench.write("src/deep/model.py", "def train(n):\n    import deep.other\n    return n\n")
    bench.write("src/deep/other.py", "")
    outside = bench.project.parent / "outside.py"
    outside.write_text("def there(n):\n    return helper(n)\ndef helper(n):\n    return n\n")
    bench.program("""
import sys, warnings, sendoff
sys.path.insert(0, "src")
from deep.model import train
run = sendoff.remote(train).spawn(3)
assert run.value() == 3
assert run.indexes[0].command[3:5] == ("--path=src", "deep.model:train"), run.indexes[0].command
import outside
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert sendoff.remote(outside.there).remote(4) == 4
(warning,) = [each for each in caught if "by value" in str(each.message)]
assert "outside" in str(warning.message)
""")


def test_what_can_not_be_sent_is_refused_before_anything_is(bench: Workbench) -> None:
    bench.write(
        "odd.py",
        """
import sendoff, threading
def values(n):
    yield n
@sendoff.remote
def takes(one, two=2): return one
LOCK = threading.Lock()
def locked(): return LOCK
""",
    )
    bench.program("""
import odd, sendoff, threading
def refused(kind, call):
    try: call()
    except kind as error: return str(error)
    raise AssertionError("it was not refused")
assert "generator" in refused(sendoff.SendoffError, lambda: sendoff.remote(odd.values))
assert "unexpected" in refused(TypeError, lambda: odd.takes.remote(1, three=3))
assert "argument" in refused(TypeError, lambda: odd.takes.remote())
words = refused(sendoff.SendoffError, lambda: odd.takes.remote(threading.Lock()))
assert "argument one of takes" in words and "pickle" in words
assert "timout" in refused(sendoff.SendoffError, lambda: sendoff.remote(timout=1))
assert "no inputs" in refused(sendoff.SendoffError, lambda: odd.takes.map([]))
lock = threading.Lock()
refused(sendoff.SendoffError, lambda: sendoff.remote(lambda: lock).remote())
try:
    sendoff.get("@last")
except sendoff.SendoffError as error:
    assert error.code == "RUN_UNKNOWN"
else:
    raise AssertionError("something was sent")
words = refused(sendoff.ResultUnpicklable, lambda: sendoff.remote(odd.locked).remote())
assert "returned a _thread.lock that can't be pickled" in words
assert "returns nothing" in refused(sendoff.SendoffError, lambda: sendoff.ship("true").value())
""")


def test_what_sends_off_is_refused_inside_a_run(bench: Workbench) -> None:
    bench.write(
        "nested.py",
        """
import sendoff
@sendoff.remote
def inner(n): return n
@sendoff.remote(gpu=["a", "b"])
def outer(n):
    assert inner(n) == n and inner.options(gpu="x")(n) == n
    try:
        return inner.remote(n)
    except sendoff.SendoffError:
        return "caught"
""",
    )
    bench.program("""
import nested
try:
    nested.outer.remote(1)
except RuntimeError as error:
    assert "inside the run outer-" in str(error), error
else:
    raise AssertionError("it was not refused")
""")
