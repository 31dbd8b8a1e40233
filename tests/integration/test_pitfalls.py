"""Each pitfall in a few worlds; `make pitfalls` prints the table over hundreds of them."""

import numpy as np
import pytest

from benchmarks import pitfalls, promises, simulations
from benchmarks.worlds import Worlds


@pytest.fixture
def worlds(tmp_path):
    return Worlds(tmp_path, np.random.default_rng(4))


@pytest.mark.parametrize("pitfall", [pitfalls.repeated_cases, pitfalls.overrides])
def test_what_misleads_the_naive_misleads_no_report(worlds, pitfall):
    line = pitfall(worlds, 8)

    assert line.naive >= 0.25
    assert line.ours <= 0.125


def test_looking_every_month_claims_no_effect_that_is_not_there(worlds):
    assert pitfalls.peeking(worlds, 3).ours <= 1 / 3


def test_the_whole_effect_is_found_once_its_window_has_passed(worlds):
    line = pitfalls.immature(worlds, 8)

    assert line.naive == pytest.approx(1 / 3, abs=0.2)
    assert line.ours == pytest.approx(1, abs=0.4)


def test_a_leaking_holdout_is_never_passed_over(worlds):
    assert pitfalls.contamination(worlds, 4).ours == 0


def test_counts_drawn_at_once_are_judged_as_those_of_a_ledger_are(worlds):
    for stored in worlds.some(1, rate=0.3, effect=0.1):
        drawn = promises.CountedWorld(
            stored.definition, stored.outcome, stored.control, stored.opened
        )
        for number in (4, 8, 10, 12):
            ledgers, counted = stored.look(number), drawn.look(number)

            assert counted.verdict.kind == ledgers.verdict.kind
            assert counted.effect == ledgers.effect


@pytest.mark.parametrize("by", [simulations.in_ledger, simulations.drawn])
def test_a_few_worlds_keep_what_is_promised(by):
    found = by(0, count=5, seed=2)

    assert {name: len(each) for name, each in found.items()} == {
        promises.ONCE: 20,
        promises.FALSE: 5,
        promises.FOUND: 5,
        promises.ALL_HOLD: 5,
        promises.LAST_HOLDS: 5,
    }
    assert np.mean(found[promises.ONCE]) >= 0.8
    assert np.mean(found[promises.FALSE]) <= 0.2
    assert np.mean(found[promises.FOUND]) >= 0.4
