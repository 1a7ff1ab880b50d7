from __future__ import annotations

from dispatcher.local.environment import variables

PLACES = {"environment": "/cache/root", "attempt": "/work/1"}


def test_only_the_allowlist_comes_from_the_host():
    host = {
        "HOME": "/h",
        "LC_ALL": "C",
        "AWS_SECRET_ACCESS_KEY": "x",
        "PYTHONPATH": "/p",
        "TZ": "X",
    }
    found = variables(host, {}, {}, **PLACES)
    assert found == {
        "HOME": "/h",
        "LC_ALL": "C",
        "TZ": "X",
        "PATH": "/cache/root/opt/sendoff/env/bin:"
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "VIRTUAL_ENV": "/cache/root/opt/sendoff/env",
        "SENDOFF_ROOT": "/work/1",
    }


def test_what_was_asked_for_wins_and_in_image_paths_are_placed():
    image = {"MODE": "image", "DATA": "/workspace/data:/opt/sendoff/env/share:/workspaces"}
    found = variables({"HOME": "/h"}, image, {"MODE": "asked", "HOME": "/mine"}, **PLACES)
    assert found["MODE"] == "asked"
    assert found["HOME"] == "/mine"
    assert found["DATA"] == "/work/1/workspace/data:/cache/root/opt/sendoff/env/share:/workspaces"
