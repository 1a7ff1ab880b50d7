"""The runner that is started before its supervisor has loaded anything."""

import pytest

from dispatcher import dispatch
from packer.image_paths import PREFIX


@pytest.fixture
def ready(bench):
    """The root of an environment that is there before a run is."""
    digest = bench.code(main="print(1)")
    assert bench.end(["true"], digest=digest).state == "succeeded"
    run = bench.submit(["true"], digest=digest)
    assert dispatch.prepared(run, bench.places)
    bench.wait(run)
    (root,) = (bench.places.cache / "roots").glob("[!.]*")
    return digest, root


@pytest.fixture
def cache(tmp_path):
    """Nobody else's: what is unpacked is damaged here."""
    return tmp_path / "cache"


def test_it_works_behind_what_is_protected(bench, ready):
    digest, root = ready
    command = ["sh", "-c", f"echo > {root}/written 2> refused; test -e {root}/written || echo no"]
    manifest = bench.end([*command[:2], f"{command[2]} > found"], digest=digest)
    assert bench.output(manifest, "found") == b"no\n"


def test_one_that_ends_before_anybody_hears_of_it_holds_nothing_up(bench, ready):
    digest, root = ready
    python = root / PREFIX[1:] / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\nexit 70\n")
    python.chmod(0o755)
    failure = bench.failure(["true"], ["true"], digest=digest, max_parallel=1)
    assert (failure.code, failure.blame) == ("RUNNER_FAILED", "infra")
