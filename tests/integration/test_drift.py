"""Drift from the warehouse's rows to what the owners are told."""

from dataclasses import replace
from math import log

import duckdb
import pytest

from decisions.deciding.distribution import measured
from decisions.deciding.drift import Distribution
from decisions.errors import LifecycleError, NotEntitled
from decisions.ledger.records import NotificationState
from decisions.ledger.standings import Mandate
from flows import sweep
from flows.references import set_reference
from flows.settings import Settings
from flows.wiring import assemble
from tests.company import CHURN_SAVE_CALL, DECISION, write_scores, write_workspace
from tests.samples import MONDAY, MovableClock

WATCHING = CHURN_SAVE_CALL.replace(
    "company: string", "company: {type: string, nulls: allowed}", 1
).replace(
    "match: first",
    "  gate: {drift: {churn_probability: {psi: 0.2}, company: {}}}\nmatch: first",
    1,
)
_BATCH = """
INSERT INTO churn_scores SELECT 'k' || i, {company}, 'mia.chen', {score}, 1000, DATE '2027-01-03',
    NULL, '7', TIMESTAMPTZ '{at}' FROM range({rows}) AS r(i)
"""
USUAL, HIGH = "(i % 100) / 200", "0.3 + (i % 100) / 500"


class Feed:
    """A company whose batches of scores come and go."""

    def __init__(self, folder, ledger_url):
        self.folder = write_workspace(folder, definition=WATCHING)
        self.clock = MovableClock()
        settings = Settings(workspace=self.folder, home=folder / "home", ledger=ledger_url)
        self.layer = replace(assemble(settings, self.clock), channels={})

    def brings(self, score=USUAL, *, company="CASE i % 2 WHEN 0 THEN 'Acme' END", rows=2_000):
        write_scores(self.folder, [], scored_at=MONDAY)
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as warehouse:
            at = self.clock.now.isoformat()
            spec = {"company": company, "score": score, "rows": rows, "at": at}
            warehouse.execute(_BATCH.format(**spec))

    def decides(self, score=USUAL, **batch):
        self.brings(score, **batch)
        return sweep.decide(self.layer, DECISION)

    def told(self):
        """Return to whom which warning was queued and not yet handed over."""
        claims = self.layer.ledger.outbox.claim(most=100)
        return [
            (claim.notification.recipient, [each["about"] for each in claim.run.warnings])
            for claim in claims
            if claim.notification.kind == "warned"
            and claim.notification.state != NotificationState.SENT
        ]


@pytest.fixture
def feed(tmp_path, ledger_url):
    made = Feed(tmp_path / "company", ledger_url)
    yield made
    made.layer.ledger.close()


def test_the_first_batch_becomes_the_reference_by_deciles_and_values(feed):
    run = feed.decides()

    references = feed.layer.ledger.drifts.references(DECISION)
    score, company = (references[name] for name in ("churn_probability", "company"))
    assert (run.drift, run.warnings) == ({}, [])
    assert score.distribution.counts == (*[200] * 10, 0)
    assert score.distribution.edges == pytest.approx([(10 * n - 1) / 200 for n in range(1, 10)])
    assert company.distribution == Distribution((), ("Acme",), (1_000, 0, 1_000))
    assert company.set_by == "followthrough"


def test_a_batch_like_the_first_has_not_moved(feed):
    feed.decides()

    run = feed.decides(rows=1_000)

    assert run.drift == {"churn_probability": pytest.approx(0), "company": pytest.approx(0)}
    assert run.warnings == []


def test_a_batch_that_has_moved_is_decided_on_and_the_technical_owner_told_once(feed):
    feed.decides()

    moved = [feed.decides(HIGH) for _ in range(2)]

    assert [run.faults for run in moved] == [[], []]
    assert moved[0].drift["churn_probability"] > 1
    assert moved[0].warnings[0].startswith("churn_probability has moved: index ")
    assert "against the batch of 2026-11-16; at most 0.20 was expected" in moved[1].warnings[0]
    assert feed.told() == [("lee.park", ["drift: churn_probability"])]


def test_word_comes_again_after_a_batch_that_was_as_ever(feed):
    for score in (USUAL, HIGH, USUAL, HIGH):
        feed.decides(score)

    assert len(feed.told()) == 2


def test_values_that_no_row_had_before_are_a_shift(feed):
    feed.decides()

    run = feed.decides(company="CASE i % 2 WHEN 0 THEN 'Bolt' END")

    assert [warning.partition(" ")[0] for warning in run.warnings] == ["company"]


def test_more_nulls_are_a_shift(feed):
    feed.decides()

    run = feed.decides(company="CASE i % 10 WHEN 0 THEN 'Acme' END")

    assert run.drift["company"] == pytest.approx(0.4 * log(5) + 0.4 * log(1.8))
    assert [warning.partition(" ")[0] for warning in run.warnings] == ["company"]


def test_values_of_few_rows_are_no_bins_of_their_own(feed):
    feed.decides(company="'Company ' || i")

    references = feed.layer.ledger.drifts.references(DECISION)

    assert references["company"].distribution == Distribution((), (), (2_000, 0))


def test_the_history_says_what_each_run_was_held_against(feed):
    for score in (USUAL, USUAL, HIGH):
        feed.decides(score)

    found = feed.layer.ledger.drifts.history(DECISION)

    scores = [each for each in found if each.field == "churn_probability"]
    assert [(each.run, each.is_flagged) for each in scores] == [(3, True), (2, False)]
    assert {each.reference_at for each in found} == {MONDAY}
    assert feed.layer.ledger.drifts.history(DECISION, most=1) == found[:1]


def test_an_owner_sets_the_reference_anew_and_the_ledger_says_who(feed):
    feed.decides()
    feed.brings(HIGH)

    fields = set_reference(feed.layer, DECISION, "lee.park")

    assert fields == ["churn_probability", "company"]
    assert feed.decides(HIGH).warnings == []
    assert feed.layer.ledger.drifts.references(DECISION)["company"].set_by == "lee.park"
    entries = feed.layer.ledger.entries_of(f"{DECISION}/churn_probability")
    assert [entry.actor for entry in entries] == ["followthrough", "lee.park"]
    assert feed.layer.ledger.verified().breach is None


def test_only_an_owner_sets_the_reference(feed):
    feed.brings()

    with pytest.raises(NotEntitled, match="is no owner of churn-save-call"):
        set_reference(feed.layer, DECISION, "mia.chen")


def test_a_batch_at_fault_is_no_reference(feed):
    feed.brings(score="2")

    with pytest.raises(LifecycleError, match="is no reference: churn_probability: 2,000 of"):
        set_reference(feed.layer, DECISION, "dana.reyes")


def test_a_withheld_batch_neither_is_a_reference_nor_held_against_one(feed):
    feed.decides("2")

    assert feed.layer.ledger.drifts.references(DECISION) == {}


def test_a_reference_set_while_a_batch_is_decided_on_is_not_held_against_its_bins(feed):
    feed.decides()
    definition = feed.layer.definition(DECISION)
    feed.brings(HIGH)
    batch = sweep.inspect_batch(feed.layer, definition)
    set_reference(feed.layer, DECISION, "lee.park")

    run = sweep.record_verdicts(
        feed.layer, Mandate(definition), batch, sweep.evaluate_rules(feed.layer, definition)
    )

    assert set(run.drift) == {"company"}


def test_numbers_without_a_value_have_two_bins(feed):
    definition = feed.layer.definition(DECISION)
    feed.brings("NULL")

    found = measured(definition, feed.layer.warehouses, {}).new["churn_probability"]

    assert found == Distribution((), (), (0, 2_000))
