"""What time it is: one clock for all who share a ledger, which never goes back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from decisions.errors import LedgerError
from decisions.ledger import Filter, Ledger
from decisions.ports import MachineClock
from decisions.pursuit import Pursuit
from tests.samples import MONDAY, MovableClock, batch, definition, matches, people

DAY = timedelta(days=1)


class Machine(MachineClock):
    """A machine whose clock is off by so much."""

    def __init__(self, off=timedelta()):
        super().__init__(lambda: datetime.now(UTC) + self.off)
        self.off = off


@pytest.fixture
def opened():
    ledgers = []

    def open_(url, clock):
        ledgers.append(Ledger(url, clock))
        return ledgers[-1]

    yield open_
    for ledger in ledgers:
        ledger.close()


def record(ledger, subject):
    scored = {"subject": subject, "scored_at": datetime.now(UTC)}
    ledger.runs.record(definition(), batch(1), matches(scored), people())


def opened_at(ledger):
    return [case.opened_at for case in ledger.cases.found(Filter(states=None))]


def test_workers_whose_clocks_differ_go_by_the_databases(postgresql_url, opened):
    fast = opened(postgresql_url, Machine(DAY))
    slow = opened(postgresql_url, Machine(-DAY))

    for subject, ledger in enumerate((fast, slow, fast, slow)):
        record(ledger, f"a{subject}")

    instants = sorted(opened_at(fast))
    now = datetime.now(UTC)
    assert now - timedelta(minutes=5) < instants[0] < instants[-1] <= now + timedelta(seconds=1)
    assert abs(fast.clock() - slow.clock()) < timedelta(seconds=1)
    assert fast.verified().breach is None


def test_a_clock_that_is_set_back_stands_until_it_has_caught_up(tmp_path, opened):
    machine = Machine()
    ledger = opened(f"sqlite:///{tmp_path / 'ledger.db'}", machine)
    record(ledger, "first")
    [before] = opened_at(ledger)

    machine.off = -DAY
    record(ledger, "second")
    record(ledger, "third")
    other = opened(f"sqlite:///{tmp_path / 'ledger.db'}", Machine(-DAY))
    record(other, "fourth")

    assert all(before <= at < before + timedelta(minutes=1) for at in opened_at(ledger))
    assert other.clock() >= before
    caught_up = opened(f"sqlite:///{tmp_path / 'ledger.db'}", Machine(timedelta(minutes=2)))
    record(caught_up, "fifth")
    assert max(opened_at(ledger)) > before + timedelta(minutes=1)


def test_a_clock_that_is_set_back_or_forth_by_hours_escalates_nothing_early(tmp_path, opened):
    machine = Machine()
    ledger = opened(f"sqlite:///{tmp_path / 'ledger.db'}", machine)
    pursuit = Pursuit(ledger, people())
    for subject in range(5):
        record(ledger, f"a{subject}")

    machine.off = -timedelta(hours=9)
    behind = [pursuit.take_step(key) for key in ledger.cases.due(ledger.clock())]
    machine.off = timedelta()
    back = [pursuit.take_step(key) for key in ledger.cases.due(ledger.clock())]

    assert (behind, back) == ([], [])


def test_a_clock_that_is_not_the_machines_is_taken_at_its_word(ledger_url, opened):
    clock = MovableClock()
    ledger = opened(ledger_url, clock)
    clock.now = MONDAY - DAY

    with ledger.writing() as transaction:
        assert transaction.at == MONDAY - DAY


def test_a_program_that_meets_a_newer_schema_stops_and_writes_nothing(ledger_url, opened):
    old = opened(ledger_url, MovableClock())
    with old.writing() as transaction:
        transaction.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(LedgerError, match="use the newer followthrough that wrote it"):
        record(old, "acme")
    with old.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM cases")).scalar() == 0
