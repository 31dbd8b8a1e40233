import numpy as np
import pytest
from scipy import stats

from decisions.effectiveness.about import measure_of
from decisions.effectiveness.effect import estimate_effect
from decisions.effectiveness.parts import PartCounts, Sliced
from decisions.effectiveness.report import compose
from decisions.effectiveness.slicing import FEWEST, slice_effects
from tests.reports import arm, definition, evidence

MEASURE = measure_of(definition())
NORTH = PartCounts(label="north", control=arm(200, 140), treatment=arm(1_800, 1_400))
SOUTH = PartCounts(label="south", control=arm(200, 144), treatment=arm(1_800, 1_408))


def slices(*parts):
    return (Sliced(by="region", parts=parts),)


def test_the_interval_of_a_part_allows_for_all_parts_that_are_read():
    (found,) = slice_effects(slices(NORTH, SOUTH), MEASURE, critical=2.5)

    assert stats.norm.sf(found.critical) == pytest.approx(stats.norm.sf(2.5) / 2)
    assert found.parts[0].effect == estimate_effect(
        NORTH.control, NORTH.treatment, better="higher", critical=found.critical
    )


def test_a_single_part_is_read_as_the_whole_is():
    (found,) = slice_effects(slices(NORTH), MEASURE, critical=2.5)

    assert found.critical == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("known", "is_read"),
    [pytest.param(FEWEST - 1, False, id="too-few"), pytest.param(FEWEST, True, id="enough")],
)
def test_a_part_is_read_once_enough_is_known_of_either_arm(known, is_read):
    part = PartCounts(label="east", control=arm(known, 20), treatment=arm(400, 300))

    (found,) = slice_effects(slices(part), MEASURE, critical=2.0)

    assert (found.parts[0].effect is not None) is is_read


@pytest.mark.parametrize(
    ("control", "shown"),
    [
        pytest.param(arm(400, 284), 1, id="reliable"),
        pytest.param(arm(200, 142), 0, id="randomisation-broken"),
        pytest.param(arm(40, 28, allocated=400), 0, id="too-early"),
    ],
)
def test_no_part_is_shown_while_the_whole_cannot_be_judged(control, shown):
    known = evidence(control, arm(3_600, 2_808), slices=slices(NORTH, SOUTH))

    assert len(compose(definition(), known).slices) == shown


def test_without_an_effect_all_parts_of_all_fields_hold_zero_nineteen_times_out_of_twenty():
    random, held = np.random.default_rng(5), []
    for _ in range(300):
        parts = [
            PartCounts(
                label=str(place),
                control=arm(80, int(random.binomial(80, 0.3))),
                treatment=arm(400, int(random.binomial(400, 0.3))),
            )
            for place in range(6)
        ]
        (found,) = slice_effects(slices(*parts), MEASURE, critical=stats.norm.isf(0.025))
        ends = [part.effect.difference for part in found.parts]
        held.append(all(each.lower <= 0 <= each.upper for each in ends))

    assert np.mean(held) >= 0.92
