import numpy as np
import pytest
from scipy import stats

from decisions.effectiveness.portfolio import portfolio
from decisions.effectiveness.report import compose
from tests.reports import OUTCOME, arm, definition, evidence, report


def decision(name, control, treatment, **outcome):
    declared = definition(decision=name, outcome=OUTCOME | outcome)
    return compose(declared, evidence(arm(400, control), arm(3_600, treatment)))


def test_every_decision_stands_among_the_others_with_its_verdict():
    reports = [report(name) for name in ("works", "harmful", "too early", "no holdout")]

    found = portfolio(reports)

    assert [each.kind for each in found.standings] == [each.verdict.kind for each in reports]
    assert found.counts == {
        "works": 1,
        "harmful": 1,
        "too early": 1,
        "no effect can be claimed": 1,
    }
    assert (found.compared, found.expected_false) == (2, pytest.approx(0.1))
    assert found.said == (
        "With 2 decisions compared at 5%, expect about 0.1 verdicts about an effect by chance "
        "alone."
    )


def test_a_narrow_verdict_among_many_others_does_not_stand():
    narrow = decision("narrow", 290, 2_790)
    others = [decision(f"other-{n}", 300, 2_700) for n in range(19)]
    assert narrow.verdict.kind == "works"

    alone, among = portfolio([narrow]), portfolio([narrow, *others])

    assert alone.standings[0].stands is True
    assert among.standings[0].stands is False
    assert {each.stands for each in among.standings[1:]} == {None}


def test_the_chance_agrees_with_a_test_of_two_rates():
    found = portfolio([decision("one", 300, 2_880)]).standings[0]

    table = np.array([[300, 100], [2_880, 720]])
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert found.p == pytest.approx(expected, rel=0.3)


def test_worth_is_totalled_over_all_decisions_and_not_the_winners():
    winner, loser = decision("winner", 284, 2_808), decision("loser", 312, 2_664)

    (total,) = portfolio([winner, loser]).totals

    monies = [each.benefit.money.amount.estimate for each in (winner, loser)]
    assert monies[1] < 0 < monies[0]
    assert (total.unit, total.decisions) == ("USD", 2)
    assert total.amount.estimate == pytest.approx(sum(monies))
    assert total.amount.lower < total.amount.estimate < total.amount.upper


def test_what_cannot_be_judged_is_compared_with_nothing():
    found = portfolio([report("cannot be judged")])

    assert (found.compared, found.totals, found.standings[0].effect) == (0, (), None)


def test_an_empty_portfolio_says_so():
    assert (portfolio([]).standings, portfolio([]).compared) == ((), 0)
