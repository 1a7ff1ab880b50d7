from __future__ import annotations

import gc
import hashlib
import threading

import pytest

from packer.digester import Digester


@pytest.mark.parametrize("count", [0, 1, 3, 50])
@pytest.mark.parametrize("size", [10, 300_000, 1 << 20])
def test_it_is_the_sha256_of_the_pieces(count, size):
    digester, expected = Digester(), hashlib.sha256()
    for number in range(count):
        piece = bytes([number]) * size
        digester.update(piece)
        expected.update(piece)
    assert digester.finish().hex == expected.hexdigest()
    assert digester.size == count * size


def test_its_thread_ends_with_it():
    digester = Digester()
    for _ in range(6):
        digester.update(bytes(1 << 20))
    (thread,) = [thread for thread in threading.enumerate() if thread.name.startswith("sha256")]
    del digester
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
