import pytest

from decisions.errors import LifecycleError
from decisions.lifecycle import Move, after, allowed


@pytest.mark.parametrize(
    ("state", "move", "expected"),
    [
        pytest.param("open", Move.ACKNOWLEDGE, "acknowledged", id="taken"),
        pytest.param("open", Move.DONE, "completed", id="done-at-once"),
        pytest.param("acknowledged", Move.OVERRIDE, "overridden", id="thought-better-of-it"),
        pytest.param("acknowledged", Move.REASSIGN, "open", id="asked-anew"),
        pytest.param("acknowledged", Move.SNOOZE, "acknowledged", id="put-off"),
    ],
)
def test_a_move_leads_to(state, move, expected):
    assert after(state, move) == expected


@pytest.mark.parametrize(
    "state", ["completed", "overridden", "unanswered", "superseded", "held_out", "released"]
)
def test_nothing_may_be_done_to_a_case_that_waits_for_nobody(state):
    assert allowed(state) == ()
    with pytest.raises(LifecycleError, match=f"is {state.replace('_', ' ')} cannot be"):
        after(state, Move.ACKNOWLEDGE)


def test_a_case_is_acknowledged_once():
    with pytest.raises(LifecycleError, match="cannot be acknowledged"):
        after("acknowledged", Move.ACKNOWLEDGE)
