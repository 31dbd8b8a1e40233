import pytest

from decisions.ownership import People
from decisions.workspace.roster import contradictions


def found(people=None, roles=None, cover=(), operators=()):
    """The contradictions of a team of seven whose members report to nobody unless told."""
    content = {
        "people": {
            key: {
                "name": key,
                "email": f"{key}@larkfield.example",
                "manager": (people or {}).get(key),
            }
            for key in "abcdefg"
        },
        "roles": roles or {},
        "operators": operators,
        "cover": [
            {
                "of": of,
                "by": by,
                "from": f"2026-{begins}",
                "until": f"2026-{until}",
                "because": "leave",
            }
            for of, by, begins, until in cover
        ],
    }
    return list(contradictions(People.model_validate(content)))


def test_a_team_without_contradictions_has_none():
    cover = [
        ("a", "b", "01-01", "01-05"),
        ("a", "c", "01-06", "01-07"),
        ("b", "a", "01-06", "01-09"),
    ]

    assert found({"a": "b", "b": "c", "d": "c"}, {"lead": "a"}, cover) == []


@pytest.mark.parametrize(
    ("people", "roles", "cover", "place"),
    [
        pytest.param({"a": "x"}, {}, [], ("people", "a", "manager"), id="manager"),
        pytest.param({}, {"lead": "x"}, [], ("roles", "lead"), id="role"),
        pytest.param({}, {}, [("x", "a", "01-01", "01-02")], ("cover", 0, "of"), id="cover-of"),
        pytest.param({}, {}, [("a", "x", "01-01", "01-02")], ("cover", 0, "by"), id="cover-by"),
    ],
)
def test_a_key_nobody_has_is_told_where_it_stands(people, roles, cover, place):
    assert found(people, roles, cover) == [
        (place, "nobody is called 'x'; there are 'a', 'b', 'c', 'd', 'e', 'f', 'g'")
    ]


def test_a_role_may_not_be_called_like_a_person():
    assert found(roles={"a": "b"}) == [
        (("roles", "a"), "'a' is a person as well; a role needs a name of its own")
    ]


def test_a_circle_of_managers_is_told_once():
    assert found({"a": "b", "b": "c", "c": "a", "d": "a"}) == [
        (("people", "a", "manager"), "managers in a circle: a → b → c → a")
    ]


def test_somebody_who_reports_to_themselves_is_a_circle():
    assert found({"a": "a"}) == [(("people", "a", "manager"), "managers in a circle: a → a")]


@pytest.mark.parametrize(
    ("second", "count"),
    [
        pytest.param(("a", "c", "01-06", "01-09"), 0, id="the-day-after"),
        pytest.param(("a", "c", "01-05", "01-09"), 1, id="the-same-day"),
        pytest.param(("a", "c", "01-02", "01-03"), 1, id="within"),
        pytest.param(("b", "c", "01-02", "01-03"), 0, id="another-person"),
    ],
)
def test_nobody_is_covered_by_two_people_at_a_time(second, count):
    told = found(cover=[("a", "b", "01-01", "01-05"), second])

    assert len(told) == count
    assert all("'a' is covered twice" in text for _, text in told)


def test_cover_that_leads_back_on_some_day_is_refused():
    cover = [
        ("a", "b", "01-01", "01-31"),
        ("b", "c", "01-10", "01-12"),
        ("c", "a", "01-12", "01-20"),
    ]

    assert found(cover=cover) == [
        (("cover", 2), "cover in a circle from 2026-01-12 on: c → a → b → c")
    ]


def test_cover_may_lead_back_on_different_days():
    cover = [("a", "b", "01-01", "01-05"), ("b", "a", "01-06", "01-09")]

    assert found(cover=cover) == []


@pytest.mark.parametrize(
    ("length", "count"), [pytest.param(5, 0, id="five"), pytest.param(6, 1, id="six")]
)
def test_more_than_five_stand_ins_in_a_row_are_refused(length, count):
    cover = [(of, by, "01-01", "01-02") for of, by in zip("abcdef", "bcdefg", strict=True)]

    told = found(cover=cover[:length])

    assert len(told) == count
    assert all("more than 5 stand-ins in a row" in text for _, text in told)


@pytest.mark.parametrize("operators", [["a"], ["lead"]])
def test_operators_are_people_or_roles(operators):
    assert found(roles={"lead": "a"}, operators=operators) == []


def test_an_operator_nobody_is_called_is_told_where_it_stands():
    ((place, text),) = found(operators=["a", "eve"])

    assert (place, text.partition(";")[0]) == (("operators", 1), "nobody is called 'eve'")
