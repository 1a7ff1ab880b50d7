from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from dispatcher.overheard import Overheard


def test_what_was_shown_is_not_shown_again():
    overheard = Overheard()
    assert overheard.hear("one\n") == ("stdout", "one\n")
    assert overheard.pending
    assert list(overheard.bring("stdout", "one\ntwo\n")) == ["two\n"]
    assert not overheard.pending


def test_the_same_line_twice_is_shown_twice():
    overheard = Overheard()
    overheard.hear("x\n")
    assert list(overheard.bring("stderr", "x\nx\n")) == ["x\n"]


def test_a_piece_of_a_line_that_was_heard_is_held_back():
    overheard = Overheard()
    overheard.hear("loading done\n")
    assert list(overheard.bring("stdout", "loading ")) == []
    assert list(overheard.bring("stdout", "done\nnext")) == ["next"]


def test_a_piece_that_only_began_like_one_is_shown_in_the_end():
    overheard = Overheard()
    overheard.hear("loading done\n")
    assert list(overheard.bring("stderr", "load")) == []
    assert list(overheard.bring("stderr", "stone\n")) == ["loadstone\n"]
    assert list(overheard.bring("stderr", "loa")) == []
    assert list(overheard.end()) == [("stderr", "loa")]


def test_the_rest_of_a_line_that_was_begun_is_shown_on_its_stream():
    overheard = Overheard()
    assert list(overheard.bring("stderr", "loading ")) == ["loading "]
    assert overheard.hear("loading done\n") == ("stderr", "done\n")
    assert list(overheard.bring("stderr", "done\n")) == []


def test_a_progress_bar_is_left_to_the_store():
    overheard = Overheard()
    assert overheard.hear("\r10%\r20%\n") is None
    assert list(overheard.bring("stderr", "\r10%")) == ["\r10%"]
    assert list(overheard.bring("stderr", "\r20%\n")) == ["\r20%\n"]


LINES = some.lists(some.text("ab", max_size=3).map(lambda text: text + "\n"), max_size=12)


@given(LINES, LINES, some.lists(some.integers(1, 5)), some.data())
def test_everything_is_shown_once(out, err, cuts, data):
    """Whatever is heard when, and however the store's pieces are cut."""
    overheard, shown = Overheard(), []
    lines = data.draw(some.permutations(out + err))
    heard = data.draw(some.integers(0, len(lines)))
    for line in lines[:heard]:
        text = overheard.hear(line)
        assert text
        shown.append(text[1])
    for stream, text in (("stdout", "".join(out)), ("stderr", "".join(err))):
        for cut in [*cuts, 10**6]:
            shown += overheard.bring(stream, text[:cut])
            text = text[cut:]  # noqa: PLW2901 (eaten up)
    shown += [text for _, text in overheard.end()]
    assert sorted("".join(shown)) == sorted("".join(out + err))
    assert not overheard.pending
    if not heard:
        assert "".join(shown) == "".join(out) + "".join(err)
