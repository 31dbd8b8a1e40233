import pytest

from decisions.effectiveness.declaration import Declaration
from tests.reports import OUTCOME, definition

BEFORE = Declaration.of(definition())


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        pytest.param(
            {"holdout": {"share": "30%", "salt": "churn-2027"}}, ("holdout.share",), id="share"
        ),
        pytest.param({"holdout": {"share": "10%", "salt": "anew"}}, ("holdout.salt",), id="salt"),
        pytest.param({"outcome": OUTCOME | {"window": "30d"}}, ("outcome.window",), id="window"),
        pytest.param(
            {"outcome": OUTCOME | {"better": "lower"}}, ("outcome.better",), id="direction"
        ),
        pytest.param({"outcome": OUTCOME | {"cost": "40 USD"}}, ("outcome.cost",), id="cost"),
        pytest.param(
            {"outcome": OUTCOME | {"worthwhile": "4 points"}},
            ("outcome.worthwhile",),
            id="worthwhile",
        ),
        pytest.param(
            {"outcome": OUTCOME | {"planned": 600, "looks": 6, "alpha": "1%"}},
            ("outcome.alpha", "outcome.looks", "outcome.planned"),
            id="plan",
        ),
    ],
)
def test_everything_that_decides_how_it_is_measured_is_declared(change, keys):
    after = Declaration.of(definition(**change))

    assert after.sha256 != BEFORE.sha256
    assert BEFORE.changes(after) == keys


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"review_by": "2030-01-01"}, id="another-review"),
        pytest.param({"outcome": OUTCOME | {"window": "60 days"}}, id="another-spelling"),
        pytest.param({"outcome": OUTCOME | {"looks": 12}}, id="a-default-written-out"),
    ],
)
def test_what_does_not_decide_it_changes_nothing(change):
    after = Declaration.of(definition(**change))

    assert (after.sha256, BEFORE.changes(after)) == (BEFORE.sha256, ())


def test_nothing_is_declared_where_nobody_is_held_out():
    assert Declaration.of(definition(holdout=None, intervention=None)) is None
