from datetime import timedelta

import pytest

from decisions.entitlement import entitled
from tests.samples import MONDAY, definition, people

OWNERS = {"dana.reyes", "lee.park", "sam.ortiz"}
LEAVE = {"of": "mia.chen", "by": "ben.okafor", "from": "2026-11-16", "until": "2026-11-20",
         "because": "leave"}  # fmt: skip


def may(*, assignee="mia.chen", told=(), at=MONDAY, **changes):
    owners = definition().owners
    return entitled(people(**changes), owners, assignee=assignee, told=told, at=at)


def test_the_assignee_and_the_owners_may_answer():
    assert may() == OWNERS | {"mia.chen"}


def test_whoever_was_told_may_answer():
    assert "omar.haddad" in may(told=["omar.haddad"])


@pytest.mark.parametrize(
    ("days", "expected"),
    [pytest.param(0, True, id="first-day"), pytest.param(5, False, id="the-day-after")],
)
def test_cover_may_answer_while_it_lasts(days, expected):
    found = may(cover=[LEAVE], at=MONDAY + timedelta(days=days))

    assert ("ben.okafor" in found) is expected


def test_whoever_has_left_may_not_and_their_manager_may():
    left = people().model_dump(by_alias=True, exclude_defaults=True)["people"]
    left["mia.chen"]["last_day"] = "2026-11-13"

    assert may(people=left) == OWNERS | {"omar.haddad"}


def test_a_gap_in_people_yaml_locks_nobody_else_out():
    assert may(told=["somebody.gone"]) == OWNERS | {"mia.chen"}
