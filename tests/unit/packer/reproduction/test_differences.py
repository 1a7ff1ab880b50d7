from __future__ import annotations

from packer.reproduction.differences import Changed, changes


def test_what_is_not_the_same_is_told_by_name() -> None:
    was = {"a": "1", "b": "2", "c": "3"}
    assert changes(was, {"b": "2", "c": "4", "d": "5"}) == (
        Changed(name="a", how="removed", was="1"),
        Changed(name="c", how="changed", was="3", now="4"),
        Changed(name="d", how="added", now="5"),
    )
    assert changes(was, was) == ()
