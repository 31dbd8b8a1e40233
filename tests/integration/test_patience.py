"""How long whoever asks the ledger waits, whatever it is that has to be waited for."""

import sqlite3
import time
from contextlib import ExitStack, closing
from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import text

from decisions.errors import LedgerError
from decisions.ledger import Ledger
from tests.samples import MovableClock

HALF_A_SECOND = timedelta(seconds=0.5)


@pytest.fixture
def ledger(tmp_path):
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", MovableClock())) as opened:
        yield opened


def test_waiting_for_other_threads_and_for_other_programs_is_one_wait(ledger, tmp_path):
    is_held = Event()

    def hold():
        with ledger.writing():
            is_held.set()
            time.sleep(0.4)

    thread = Thread(target=hold)
    thread.start()
    is_held.wait()
    began = time.monotonic()
    with ledger.patience(HALF_A_SECOND):
        with ledger.writing():
            pass
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerError, match="locked"), ledger.writing():
                pass
    took = time.monotonic() - began
    thread.join()

    assert took < 0.8


def test_whoever_finds_no_connection_free_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr("decisions.ledger.engines.MOST_CONNECTIONS", 6)
    monkeypatch.setattr("decisions.ledger.engines.POOL_SECONDS", 0.1)
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", MovableClock())) as ledger:
        with ExitStack() as stack:
            for _ in range(6):
                stack.enter_context(ledger.reading())

            with pytest.raises(LedgerError, match="every connection"), ledger.reading():
                pass

        with ledger.reading() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1


def test_forty_threads_read_at_once(ledger):
    with ExitStack() as stack:
        found = [stack.enter_context(ledger.reading()) for _ in range(40)]

    assert len(found) == 40


def test_a_question_that_takes_too_long_is_given_up(postgresql_url):
    with closing(Ledger(postgresql_url, MovableClock())) as ledger:
        began = time.monotonic()
        with (
            pytest.raises(LedgerError, match="was locked"),
            ledger.patience(HALF_A_SECOND),
            ledger.reading() as connection,
        ):
            connection.execute(text("SELECT pg_sleep(5)"))

        assert time.monotonic() - began < 2
