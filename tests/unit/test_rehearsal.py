from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from decisions.deciding.rehearsal import failed_examples, perishing_examples
from decisions.definition import Definition, Example
from decisions.workspace import ConnectionKind, load_workspace

SHIPPED = Path(__file__).parents[2] / "decisions" / "definitions"
TODAY = date(2026, 11, 20)


class Config(BaseModel):
    path: str | None = None
    token: SecretStr | None = None
    signing_secret: SecretStr | None = None


@pytest.fixture(scope="module")
def shipped() -> Definition:
    kinds = {
        "duckdb": ConnectionKind(role="warehouse", config=Config),
        "slack": ConnectionKind(role="channel", config=Config),
    }
    return load_workspace(SHIPPED, kinds).decisions["churn-save-call"]


def failed(definition: Definition, expect: str, as_of: date | None = None, **given):
    example = Example(given=given, expect=expect, as_of=as_of)
    return failed_examples(definition.model_copy(update={"examples": (example,)}), today=TODAY)


def test_the_examples_that_ship_lead_where_they_say(shipped):
    assert shipped.examples
    assert failed_examples(shipped, today=TODAY) == ()


def test_an_example_that_leads_elsewhere_says_where_and_by_which_rule(shipped):
    (found,) = failed(shipped, "nothing", churn_probability=0.9, arr=50000)

    assert found.place == ("examples", 0)
    assert found.text == "example 1 expects 'nothing'; rule 'critical' leads to 'call'"


def test_an_example_that_no_rule_selects_says_so(shipped):
    (found,) = failed(shipped, "call", churn_probability=0.1)

    assert found.text == "example 1 expects 'call'; no rule holds, which leads to 'nothing'"


def test_a_field_that_is_left_out_is_null_and_null_does_not_hold(shipped):
    assert failed(shipped, "nothing", arr=80000) == ()
    assert failed(shipped, "nothing") == ()


@pytest.mark.parametrize(
    ("renewal_on", "as_of", "expect"),
    [
        pytest.param("2027-01-19", None, "email-check", id="sixty-days-from-today"),
        pytest.param("2027-01-20", None, "nothing", id="sixty-one-days-from-today"),
        pytest.param("2027-01-20", date(2026, 11, 21), "email-check", id="as-of-tomorrow"),
        pytest.param(None, None, "nothing", id="no-renewal"),
    ],
)
def test_today_is_the_day_the_example_names_or_the_day_it_is_run(
    shipped, renewal_on, as_of, expect
):
    assert failed(shipped, expect, as_of, churn_probability=0.7, renewal_on=renewal_on) == ()


def test_the_first_rule_that_holds_decides(shipped):
    given = {"churn_probability": 0.9, "arr": 50000, "renewal_on": "2026-12-01"}

    assert failed(shipped, "call", **given) == ()


def test_what_no_rule_selects_may_have_an_action_too(shipped):
    otherwise = shipped.model_copy(update={"otherwise": "email-check"})

    assert failed(otherwise, "email-check", churn_probability=0.1) == ()


def test_a_value_that_looks_like_sql_is_a_value(shipped):
    assert failed(shipped, "nothing", company="'; DROP TABLE accounts; --") == ()


UNSURE = {"when": "churn_interval > 0.3", "because": "not sure enough", "to": "technical"}


def withholding(shipped: Definition, **changes: object) -> Definition:
    return Definition.model_validate(shipped.model_dump(by_alias=True) | changes)


@pytest.mark.parametrize(
    ("interval", "expect"),
    [pytest.param(0.3, "call", id="at-the-edge"), pytest.param(0.31, "withheld", id="beyond")],
)
def test_an_example_may_expect_that_the_boundary_withholds_it(shipped, interval, expect):
    definition = withholding(shipped, withhold=[UNSURE])
    given = {"churn_probability": 0.9, "arr": 50000, "churn_interval": interval}

    assert failed(definition, expect, **given) == ()


def test_an_example_that_is_withheld_against_its_word_says_why(shipped):
    definition = withholding(shipped, withhold=[UNSURE])

    (found,) = failed(definition, "call", churn_interval=0.5)

    assert found.text == "example 1 expects 'call'; it is withheld: not sure enough"


def test_an_example_for_which_two_rules_hold_is_withheld_under_unique(shipped):
    definition = withholding(shipped, match="unique")
    given = {"churn_probability": 0.9, "arr": 50000, "renewal_on": "2026-12-01"}

    assert failed(shipped, "call", **given) == ()
    (found,) = failed(definition, "call", **given)

    assert found.text.endswith("it is withheld: the rules 'critical' and 'watch' both hold")


@pytest.mark.parametrize(
    ("renewal_on", "as_of", "perishes"),
    [
        pytest.param("2026-12-31", None, True, id="soon-past"),
        pytest.param("2026-12-31", TODAY, False, id="on-a-day-of-its-own"),
        pytest.param("2019-12-31", None, False, id="long-past"),
        pytest.param(None, None, False, id="no-date"),
    ],
)
def test_an_example_that_will_fail_one_day_is_doubted_beforehand(
    shipped, renewal_on, as_of, perishes
):
    given = {"churn_probability": 0.7, "renewal_on": renewal_on}
    expect = "email-check" if renewal_on == "2026-12-31" else "nothing"
    example = Example(given=given, expect=expect, as_of=as_of)
    written = shipped.model_copy(update={"examples": (example,)})

    doubts = list(perishing_examples(written, today=TODAY))

    assert failed_examples(written, today=TODAY) == ()
    assert [place for place, _ in doubts] == ([("examples", 0)] if perishes else [])
    assert all("example 1 gives no as_of, and fails from 2027-02-18" in text for _, text in doubts)


def test_an_example_that_fails_today_is_not_doubted_besides(shipped):
    example = Example(given={"churn_probability": 0.7, "renewal_on": "2026-12-31"}, expect="call")
    written = shipped.model_copy(update={"examples": (example,)})

    assert len(failed_examples(written, today=TODAY)) == 1
    assert list(perishing_examples(written, today=TODAY)) == []
