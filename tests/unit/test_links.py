from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.errors import NotEntitled
from decisions.lifecycle import Move
from decisions.links import Link, Links

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
LINKS = Links("a-key-for-tests-alone-of-some-length")
LINK = Link("mia.chen", "CSC-1", NOW + timedelta(days=3), Move.ACKNOWLEDGE)


@pytest.mark.parametrize("move", [None, *Move])
def test_a_link_says_what_it_was_made_of(move):
    link = Link("mia.chen", "CSC-1", NOW + timedelta(days=3), move)

    assert LINKS.read(LINKS.signed(link), NOW) == link


def test_a_link_can_stand_in_an_address_as_it_is():
    token = LINKS.signed(LINK)

    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert len(token) < 200


@pytest.mark.parametrize(
    ("later", "counts"),
    [
        pytest.param(timedelta(days=3) - timedelta(seconds=1), True, id="a-second-before"),
        pytest.param(timedelta(days=3), False, id="to-the-second"),
    ],
)
def test_a_link_counts_until_its_time_is_over(later, counts):
    token = LINKS.signed(LINK)

    if counts:
        assert LINKS.read(token, NOW + later) == LINK
    else:
        with pytest.raises(NotEntitled, match="counted until 2026-11-19 09:00 UTC"):
            LINKS.read(token, NOW + later)


@given(position=st.integers(0, 200), character=st.sampled_from("abcXYZ019-_."))
def test_a_link_with_one_character_changed_counts_no_more(position, character):
    token = LINKS.signed(LINK)
    at = position % (len(token) - 1)  # of the last, two bits say nothing
    changed = token[:at] + character + token[at + 1 :]

    if changed != token:
        with pytest.raises(NotEntitled, match="not whole"):
            LINKS.read(changed, NOW)


@pytest.mark.parametrize("token", ["", ".", "a.b", "\0", "ü" * 50, "x" * 100_000])
def test_what_is_no_link_is_refused(token):
    with pytest.raises(NotEntitled, match="not whole"):
        LINKS.read(token, NOW)


def test_another_key_reads_nothing():
    with pytest.raises(NotEntitled):
        Links("another-key-for-tests-of-some-length").read(LINKS.signed(LINK), NOW)


@pytest.mark.parametrize(("length", "is_long_enough"), [(31, False), (32, True)])
def test_a_key_that_could_be_guessed_is_refused(length, is_long_enough):
    if is_long_enough:
        Links("k" * length)
    else:
        with pytest.raises(ValueError, match="at least 32"):
            Links("k" * length)
