from __future__ import annotations

import gc
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from packer import digester as digester_module
from packer.digester import Digester


def hashing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sha256")]


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
    (thread,) = hashing()
    del digester
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_it_has_no_thread_where_as_many_as_there_are_cores_have_work(monkeypatch):
    monkeypatch.setattr(digester_module, "_CORES", 2)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as another:
        first = one.submit(Digester).result()
        for _ in range(5):
            one.submit(first.update, bytes(1 << 20)).result()
        assert len(hashing()) == 1
        second = another.submit(Digester).result()
        for _ in range(5):
            another.submit(second.update, bytes(1 << 20)).result()
        assert len(hashing()) == 1, "that of the first, which was alone"
    first.finish()
    second.update(bytes(1 << 20))
    assert len(hashing()) == 1, "that of the second, which is alone now"


def test_pieces_keep_their_order_when_a_core_gets_work_and_loses_it(monkeypatch):
    digester, expected = Digester(), hashlib.sha256()
    for number in range(40):
        monkeypatch.setattr(digester_module, "_CORES", 1 + number // 3 % 2)
        piece = bytes([number]) * (1 << 20)
        digester.update(piece)
        expected.update(piece)
    assert digester.finish().hex == expected.hexdigest()
