"""Records are decoded by threads side by side."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packer import record
from packer.digest import Digest

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


def test_thousands_of_inputs_of_one_image_share_its_digest() -> None:
    digest = str(Digest.of(b""))
    first, second = record.decode(f'["{digest}","{digest}"]', tuple[Digest, ...])
    assert first is second


def test_nothing_is_decoded_into_a_struct_otherwise() -> None:
    """The type of each decoding, decoder and conversion is `decodable`, or no struct."""
    for package in ("packer", "dispatcher", "sendoff"):
        for path in (ROOT / package).rglob("*.py"):
            strange = [each for each in types_decoded(path) if not each.startswith(SAFE)]
            assert strange == ([DECODER] if path.name == "record.py" else []), path


SAFE = ("decodable(", "float", "dict[str, list[Any]]")
DECODER = "kind"
"""What makes a type decodable."""


def types_decoded(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "msgspec.json.Decoder":
            yield ast.unparse(node.args[0])
        elif called == "msgspec.convert":
            yield ast.unparse(node.args[1])
        elif called == "msgspec.json.decode":
            (kind,) = (each.value for each in node.keywords if each.arg == "type")
            yield ast.unparse(kind)
