"""What a registry says."""

from __future__ import annotations

import pytest

from packer.registry.answer import Answer, refusal
from packer.registry.errors import AnswerUnreadable, RegistryReadOnly, RegistryRefused


def answer(status: int, data: bytes) -> Answer:
    return Answer("PUT", "http://registry/v2/x", status, {}, data)


def test_the_registrys_own_words() -> None:
    said = answer(
        400,
        b'{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{"a":1}},'
        b'{"code":"X","message":"y","detail":"because"}]}',
    )
    assert said.codes == ("MANIFEST_INVALID", "X")
    assert said.said == '400 MANIFEST_INVALID: manifest invalid {"a": 1}; X: y because'


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>\n  no", b"[]", b'{"errors":null}', b'{"errors":[1]}', b"\xff\xfe", b'"x"'],
)
def test_words_of_others(data: bytes) -> None:
    assert answer(502, data).codes == ()
    assert answer(502, data).said.startswith("502")
    assert "\n" not in answer(502, data).said


def test_long_words_are_cut() -> None:
    assert len(answer(500, b"x" * 10_000).said) <= 300


def test_an_answer_that_is_no_json() -> None:
    with pytest.raises(AnswerUnreadable):
        answer(200, b"<html>").json()


def test_refusals() -> None:
    assert isinstance(refusal(answer(405, b""), "host/x", "take it"), RegistryReadOnly)
    refused = refusal(answer(413, b"<h1>Too Large</h1>"), "host/x", "take it")
    assert isinstance(refused, RegistryRefused)
    assert "client_max_body_size" in refused.fix()
