from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from decisions.ledger.cases import Filter
from flows import wiring
from flows.demo.clock import MovableClock
from flows.demo.play import DECISION, played, set_up
from flows.demo.stage import cleared
from flows.demo.timeline import Moment, Step, first_monday
from flows.report import report

TUESDAY = datetime(2026, 11, 17, 11, tzinfo=UTC)


@pytest.fixture(scope="module")
def play(tmp_path_factory, prefect_server):
    def made():
        playing = played(
            cleared(tmp_path_factory.mktemp("demo")),
            seed=7,
            accounts=1_500,
            weeks=1,
            until=TUESDAY,
            console=Console(quiet=True),
        )
        return prefect_server.run(playing)

    return made


@pytest.fixture(scope="module")
def found(play):
    return play()


def test_the_same_seed_and_end_make_the_same_ledger_to_the_last_hash(play, found):
    assert play().ledger == found.ledger


def test_a_demo_leaves_a_believable_present_and_a_sound_ledger(found):
    counted = {figure.name: figure.count for figure in found.figures}
    assert found.ledger.breach is None
    assert found.report.is_file()
    assert found.present["open"] + found.present["acknowledged"] > 0
    assert counted["evaluated"] == 1_500
    assert counted["opened"] == counted["told"] > counted["answered"] > counted["overridden"]
    assert found.effect.found is None
    assert found.verdict.startswith("too early")


def test_what_it_shows_fits_a_narrow_terminal(found):
    console = Console(width=80, file=StringIO(), markup=False)

    for part in found.shown():
        console.print(part)

    shown = console.file.getvalue()
    assert "1,500 accounts, 1 week to" in " ".join(shown.split())
    assert "followthrough serve \\\n      --workspace" in shown
    assert "--no-schedules" in shown


def test_what_became_of_the_cases_is_known_to_the_report_and_the_truth_beside_it(
    tmp_path, prefect_server
):
    begins_at = first_monday(TUESDAY, weeks=12)
    steps = (Step.SCORE, Step.DECIDE, Step.DISPATCH)
    week = [Moment(begins_at + timedelta(hours=5 + n), 1, step) for n, step in enumerate(steps)]
    clock = MovableClock(begins_at)
    story = set_up(cleared(tmp_path / "demo"), clock, seed=7, accounts=6_000, until=TUESDAY)

    with wiring.using(story.layer):
        later = Moment(begins_at + timedelta(days=64), 10, Step.OBSERVE)
        prefect_server.run(story.tell(iter([*week, later]), lambda moment: None))
        (reported,) = prefect_server.run(report(DECISION))

    cases = story.layer.ledger.cases
    everybody = cases.count(Filter(states=None))
    known = reported.report.treatment.observed + reported.report.control.observed
    assert known == everybody > 30
    assert reported.report.treatment.missing == reported.report.control.missing == 0
    assert 0 < reported.report.treatment.proven < reported.report.treatment.observed
    assert cases.count(Filter(states=("held_out",))) == 0
    story.layer.ledger.close()
