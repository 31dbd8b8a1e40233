from datetime import timedelta

import pytest

from decisions.definition import Action
from decisions.escalation import ASSIGNEE, End, Telling, due_step, next_due, wait
from decisions.ports import Kind
from decisions.worktime import WorkingHours
from tests.samples import MONDAY, action

POLICY = Action.model_validate(action())
KEPT_OPEN = Action.model_validate(action(unanswered="keep open"))
NO_POLICY = Action.model_validate(action(escalate=[]))
HOURS = WorkingHours.parse("mon-fri 09:00-17:00")


@pytest.mark.parametrize(
    ("policy", "state", "taken", "expected"),
    [
        pytest.param(POLICY, "open", 0, Telling("assignee.manager", Kind.ESCALATED), id="first"),
        pytest.param(POLICY, "open", 1, Telling("business", Kind.ESCALATED), id="second"),
        pytest.param(POLICY, "open", 2, End.CLOSE_UNANSWERED, id="policy-ends"),
        pytest.param(KEPT_OPEN, "open", 2, End.KEEP_OPEN, id="kept-open"),
        pytest.param(NO_POLICY, "open", 0, End.CLOSE_UNANSWERED, id="no-policy"),
        pytest.param(POLICY, "acknowledged", 0, Telling(ASSIGNEE, Kind.REMINDED), id="forgotten"),
        pytest.param(
            POLICY, "acknowledged", 1, Telling("assignee.manager", Kind.ESCALATED), id="climbs"
        ),
        pytest.param(POLICY, "acknowledged", 3, End.STOP_REMINDING, id="nobody-left"),
    ],
)
def test_the_step_that_follows(policy, state, taken, expected):
    assert due_step(policy, state=state, taken=taken) == expected


@pytest.mark.parametrize(
    ("state", "taken", "hours"),
    [
        pytest.param("open", 0, 4, id="asked"),
        pytest.param("open", 1, 8, id="manager-told"),
        pytest.param("open", 2, 4, id="last-one-has-as-long-as-the-first"),
        pytest.param("acknowledged", 1, 4, id="reminded"),
        pytest.param("acknowledged", 2, 8, id="manager-reminded"),
    ],
)
def test_whoever_was_told_last_has(state, taken, hours):
    due = next_due(POLICY, state=state, taken=taken, sent_at=MONDAY, hours=HOURS)

    assert due == MONDAY + timedelta(hours=hours)


def test_nothing_follows_the_last_reminder():
    assert wait(POLICY, state="acknowledged", taken=3) is None


def test_an_outage_shortens_nobodys_time():
    sent_late = MONDAY + timedelta(hours=30)

    due = next_due(POLICY, state="open", taken=1, sent_at=sent_late, hours=HOURS)

    assert due == sent_late + timedelta(hours=8)
