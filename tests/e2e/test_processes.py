"""Several processes at once, and processes that are killed: the ledger ends in the right state."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from decisions.ledger import Filter, Ledger
from tests.company import write_scores, write_workspace

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
ACCOUNTS = 3_000
COMMAND = [str(Path(sys.executable).with_name("followthrough"))]


@pytest.fixture
def company(tmp_path):
    folder = write_workspace(tmp_path / "workspace", holdout="20%")
    write_scores(folder, [{"account_id": f"a{n:05}"} for n in range(ACCOUNTS)], scored_at=NOW)
    return folder


@pytest.fixture
def run(company, ledger_url):
    """Start `followthrough run` on the company's batch, as a process of its own."""

    started = []

    def start():
        options = ["--workspace", company, "--home", company.parent, "--as-of", NOW.isoformat()]
        process = subprocess.Popen(
            [*COMMAND, "run", "--no-deliver", "--json", *map(str, options)],
            env=os.environ | {"FOLLOWTHROUGH_LEDGER": ledger_url},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def ledger(ledger_url):
    opened = Ledger(ledger_url)
    yield opened
    opened.close()


def answer(process):
    said, failed = process.communicate(timeout=120)
    assert process.returncode == 0, failed.decode()
    return json.loads(said)


def everything(ledger):
    return ledger.cases.count(Filter(states=None))


def test_three_processes_on_one_batch_open_one_set_of_cases(run, ledger):
    processes = [run() for _ in range(3)]

    for process in processes:
        answer(process)

    assert everything(ledger) == ACCOUNTS
    assert len(ledger.runs.latest()) == 3
    opened = [recorded.counts["opened"] + recorded.counts["held_out"] for recorded in
              ledger.runs.latest()]  # fmt: skip
    assert sorted(opened) == [0, 0, ACCOUNTS]
    assert ledger.verified().breach is None


def test_a_killed_run_leaves_all_or_nothing_and_the_next_one_completes_it(run, ledger):
    started = time.monotonic()
    answer(run())
    whole = time.monotonic() - started
    first = everything(ledger)
    forget(ledger)
    seen = set()

    for tenth in range(5, 11):
        process = run()
        time.sleep(whole * tenth / 10)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        seen.add(everything(ledger))

    answer(run())
    assert seen <= {0, ACCOUNTS}
    assert first == everything(ledger) == ACCOUNTS
    assert ledger.verified().breach is None


def forget(ledger):
    """Empty every table but the chain, whose triggers refuse it."""
    from sqlalchemy import text

    with ledger.writing() as transaction:
        for table in ("notifications", "assignments", "allocations", "cases", "runs"):
            transaction.connection.execute(text(f"DELETE FROM {table}"))
