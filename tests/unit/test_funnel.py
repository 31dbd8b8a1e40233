from decisions.effectiveness.evidence import FollowUp
from decisions.effectiveness.funnel import open_loops
from tests.reports import NOTHING, report


def stages(name):
    return {stage.name: stage.count for stage in report(name).funnel.stages}


def test_cases_are_followed_from_opened_to_outcome_known():
    assert stages("works") == {
        "opened": 150,
        "told": 120,
        "answered": 100,
        "in time": 90,
        "overridden": 16,
        "acted, reported": 80,
        "acted, proven": 70,
        "outcome known": 96,
    }


def test_every_stage_is_a_part_of_the_cases_opened():
    assert {stage.of for stage in report("works").funnel.stages} == {150}


def test_what_is_not_declared_is_not_known_rather_than_zero():
    assert stages("no holdout")["acted, proven"] is None
    assert stages("no outcome")["outcome known"] is None
    assert stages("no outcome")["acted, proven"] == 70


def test_the_most_frequent_reason_to_override_comes_first():
    assert list(report("works").funnel.overrides.items()) == [
        ("already in contact", 12),
        ("data is wrong", 4),
    ]


class TestOpenLoops:
    def test_whoever_misses_most_comes_first(self):
        found = [(loop.name, loop.answer, loop.open) for loop in report("works").loops]

        assert found == [("ben.okafor", 40, 49), ("Mia Chen", 10, 19)]

    def test_without_a_declared_proof_a_report_will_do(self):
        assert [loop.intervention for loop in report("works").loops] == [7, 7]
        assert [loop.intervention for loop in report("no holdout").loops] == [1, 1]

    def test_without_a_declared_outcome_none_is_missing(self):
        assert [loop.outcome for loop in report("no outcome").loops] == [None, None]

    def test_an_empty_ledger_has_none(self):
        assert open_loops(report("works").about, NOTHING, {}) == ()


def test_what_is_followed_adds_up():
    one = FollowUp(opened=3, told=2, unproven=1)

    assert one + one == FollowUp(opened=6, told=4, unproven=2)
