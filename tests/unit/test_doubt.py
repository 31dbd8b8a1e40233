from datetime import timedelta

import pytest

from decisions.doubt import Course, Doubt, course


@pytest.mark.parametrize(
    ("absences", "silences", "expected"),
    [
        pytest.param(0, 3, Course.LOOK, id="three-silences"),
        pytest.param(0, 4, Course.REPEAT, id="four-silences"),
        pytest.param(1, 3, Course.LOOK, id="both-below"),
        pytest.param(2, 0, Course.REPEAT, id="absent-twice"),
        pytest.param(2, 1, Course.REPEAT, id="absent-twice-beside-a-silence"),
    ],
)
def test_a_message_is_sent_again_after_two_absences_or_four_silences(absences, silences, expected):
    doubt = Doubt(absences, silences)

    found = course(doubt, unconfirmed="resend", has_next_route=True, is_used_up=False)

    assert found is expected


@pytest.mark.parametrize(
    ("repeats", "has_next_route", "expected"),
    [
        pytest.param(0, True, Course.REPEAT, id="first"),
        pytest.param(1, True, Course.ELSEWHERE, id="second"),
        pytest.param(1, False, Course.REPEAT, id="second-with-nowhere-to-go"),
    ],
)
def test_a_channel_that_cannot_be_asked_gets_one_repeat_before_the_next(
    repeats, has_next_route, expected
):
    doubt = Doubt(silences=4, repeats=repeats)

    found = course(doubt, unconfirmed="resend", has_next_route=has_next_route, is_used_up=False)

    assert found is expected


@pytest.mark.parametrize(
    ("doubt", "expected"),
    [
        pytest.param(Doubt(), Course.LOOK, id="not-looked-for"),
        pytest.param(Doubt(absences=1), Course.LOOK, id="absent-once"),
        pytest.param(Doubt(absences=2), Course.GIVE_UP, id="absent-twice"),
        pytest.param(Doubt(silences=4), Course.GIVE_UP, id="silent"),
    ],
)
def test_nothing_is_given_up_before_it_was_looked_for(doubt, expected):
    found = course(doubt, unconfirmed="hold", has_next_route=False, is_used_up=True)

    assert found is expected


def test_what_is_held_is_looked_for_on_and_on():
    found = course(
        Doubt(silences=9, repeats=1), unconfirmed="hold", has_next_route=True, is_used_up=False
    )

    assert found is Course.LOOK


@pytest.mark.parametrize(
    ("doubt", "minutes"),
    [
        pytest.param(Doubt(), 0.5, id="first-look"),
        pytest.param(Doubt(silences=3), 0.5, id="silent"),
        pytest.param(Doubt(silences=1, repeats=3), 4, id="silent-after-three-repeats"),
        pytest.param(Doubt(silences=1, repeats=9), 256, id="silent-after-nine-repeats"),
        pytest.param(Doubt(absences=1, repeats=9), 16, id="absent-after-nine-repeats"),
        pytest.param(Doubt(silences=20), 16, id="held"),
    ],
)
def test_the_wait_doubles_with_every_repeat(doubt, minutes):
    assert doubt.wait == timedelta(minutes=minutes)
