"""pytest plugin: the stack, started when the first test asks for it, shared by all workers.

Who started it ends it: one that ran before the tests did is still there after them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.stack import lifecycle, places
from tests.stack.locking import occupied
from tests.stack.processes import Process
from tests.stack.stack import Stack
from tests.stack.unavailable import Unavailable

# Set by the process that was told to run tests, for the workers it starts.
_OWNER = "SENDOFF_STACK_OWNER"
OWNER = pytest.StashKey[Process | None]()


def pytest_configure(config: pytest.Config) -> None:
    about = "stack: uses the stack, though no fixture that it names says so"
    config.addinivalue_line("markers", about)
    if not hasattr(config, "workerinput") and sys.platform == "linux":
        me = Process.of(os.getpid())
        os.environ[_OWNER] = f"{me.pid}:{me.started}"
    # Now: some tests have an environment of their own while they ask for the stack.
    config.stash[OWNER] = _owner()


def pytest_unconfigure(config: pytest.Config) -> None:
    owner = config.stash.get(OWNER, None)
    if owner and not hasattr(config, "workerinput") and Stack.running():
        lifecycle.down(owner=owner)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Tests share the stack, except one that stops servers: it is alone with it."""
    names = getattr(item, "fixturenames", ())
    if "stack" not in names and item.get_closest_marker("stack") is None:
        return (yield)
    with occupied(places.STATE / "room", alone="stack_alone" in names):
        return (yield)


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Stack:
    """The running stack. Skips where this machine can't have it, with the reason."""
    try:
        return lifecycle.up(owner=pytestconfig.stash[OWNER])
    except Unavailable as reason:
        pytest.skip(f"no stack: {reason}")


@pytest.fixture
def stack_alone(stack: Stack) -> Iterator[Stack]:
    """The running stack and no other test on it; servers that were stopped run again after."""
    yield stack
    stack.repair()


def _owner() -> Process | None:
    if _OWNER not in os.environ:
        return None
    pid, started = map(int, os.environ[_OWNER].split(":"))
    return Process(pid, started)
