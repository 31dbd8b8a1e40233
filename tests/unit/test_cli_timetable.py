from datetime import UTC, datetime

import pytest

from flows.timetable import SWEEPS, Deployment, deployments
from tests.samples import definition

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "at"),
    [
        pytest.param("* * * * *", "UTC", "2026-11-20T12:01Z", id="next-minute"),
        pytest.param("0 12 * * *", "UTC", "2026-11-21T12:00Z", id="not-this-instant"),
        pytest.param("0 7 * * mon", "Asia/Tokyo", "2026-11-22T22:00Z", id="other-zone"),
        pytest.param("0 6 1 * *", "UTC", "2026-12-01T06:00Z", id="first-of-the-month"),
    ],
)
def test_the_next_start_is_read_in_the_schedules_zone(cron, zone, at):
    deployment = Deployment("observe", "daily", cron, zone)

    assert deployment.next_at(NOON) == datetime.fromisoformat(at)


def test_the_hour_stays_the_same_on_the_wall_when_summer_begins():
    daily = Deployment("observe", "daily", "0 7 * * *", "Europe/London")

    before = daily.next_at(datetime(2027, 3, 27, 0, 0, tzinfo=UTC))
    after = daily.next_at(datetime(2027, 3, 28, 0, 0, tzinfo=UTC))

    assert (before.hour, after.hour) == (7, 6)


def test_a_decision_without_a_schedule_is_never_started_by_itself():
    [decide, *_] = deployments({"churn-save-call": definition()})

    assert decide.full_name == "decide/churn-save-call"
    assert decide.next_at(NOON) is None


def test_a_decision_is_started_on_the_schedule_that_its_definition_gives():
    scheduled = definition(schedule={"cron": "0 6 * * 1", "zone": "Europe/London"})

    [decide, *rest] = deployments({"churn-save-call": scheduled})

    assert (decide.cron, decide.zone) == ("0 6 * * 1", "Europe/London")
    assert decide.parameters == {"decision": "churn-save-call"}
    assert tuple(rest) == SWEEPS
