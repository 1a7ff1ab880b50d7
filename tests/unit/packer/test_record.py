"""Records are decoded by threads side by side."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
RACE = """\
import sys, threading
from dispatcher.kubernetes.listing import Listed
from dispatcher.kubernetes.run_objects import Pod
from packer.record import decodable
import msgspec

sys.setswitchinterval(1e-6)
pod = b'{"metadata":{"name":"a"},"status":{"phase":"Running","conditions":[{"type":"Ready"}]}}'
gate = threading.Barrier(8)

def read():
    gate.wait()
    for _ in range(20):
        msgspec.json.decode(b'{"items":[' + pod + b']}', type=decodable(Listed[Pod]))

threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_may_decode_the_same_for_the_first_time() -> None:
    for _ in range(12):
        ended = subprocess.run([sys.executable, "-c", RACE], cwd=ROOT, check=False)
        assert ended.returncode == 0


def test_nothing_is_decoded_into_a_struct_otherwise() -> None:
    """Each `type=` of a decoding, and each conversion, is of something decodable."""
    plain = re.compile(
        r"json\.decode\([^()\n]*type=(?!decodable|kind|dict)|json\.Decoder\((?!decodable|kind\))"
    )
    for package in ("packer", "dispatcher", "sendoff"):
        for path in (ROOT / package).rglob("*.py"):
            assert not plain.search(path.read_text()), path
