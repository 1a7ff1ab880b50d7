"""What the store calls what a run has."""

from __future__ import annotations

from dispatcher.runner.keys import RunKeys, numbers
from dispatcher.store import DirectoryStore


def test_a_listing_has_the_names_that_the_keys_say(tmp_path):
    store, keys = DirectoryStore(str(tmp_path)), RunKeys("train-abcdef")
    for key in (keys.record, keys.cancel, keys.manifest(10), keys.log(2, 3, 0), keys.log(2, 12, 0)):
        store.put(key, b"")
    names = set(store.names(keys.prefix))
    assert names == {keys.name(keys.record), keys.name(keys.cancel), "2", "10"}
    assert keys.name(keys.refusal) not in names
    assert keys.name(keys.manifest(10)) == "10"
    assert numbers(names) == [2, 10]
    assert numbers(store.names(keys.index(2))) == [3, 12]
