"""The whole loop over warehouses of other makers: the same company, decided on where it lies."""

import json
import os
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest
from sqlalchemy import NullPool, create_engine, text

from connectors.warehouse.adbc import AdbcConfig, AdbcWarehouse
from connectors.warehouse.alchemy import SqlalchemyConfig, SqlalchemyWarehouse
from connectors.warehouse.spark import SparkConfig, SparkWarehouse
from decisions.errors import ConnectorError, PermanentFailure, TemporaryFailure
from flows import observing, sweep
from flows.cli import main
from tests.company import CHURN_SAVE_CALL, DECISION, PEOPLE, assembled
from tests.samples import MONDAY, MovableClock

SECRET = "s3cr3t-and-long"
DEFINITION = CHURN_SAVE_CALL.replace(
    "    company: string\n    account_manager: {type: string, nulls: allowed}\n", ""
).replace(
    "    model_version: string\nmatch: first\n",
    """\
    is_trial: {type: boolean, nulls: 50%}
  gate: {max_age: 26h, rows: {min: 10}}
context:
  - {from: warehouse, table: accounts, on: id,
     fields: {company: string, account_manager: string, seats: integer}}
match: first
withhold:
  - {when: seats > 900, because: too large for a call, to: technical}
""",
).replace(
    "when: churn_probability >= 0.6\n",
    "when: churn_probability >= 0.6 AND (company ILIKE 'é%' OR renewal_on <= today() + "
    "INTERVAL 3 MONTH)\n",
).replace(
    "limits: {prefer: churn_probability * arr}\n",
    "limits: {prefer: churn_probability * arr, per_run: 6}\n"
    "holdout: {share: 20%, salt: first}\n"
    "intervention: {proof: {from: warehouse, table: calls, on: account_id, at: called_on}}\n",
)  # fmt: skip
TABLES = {
    "churn_scores": """
        SELECT 'a' || i AS account_id, CAST((i * 37 % 100) / 100.0 AS FLOAT) AS churn_probability,
            CAST(1000 * (i * 53 % 120) AS DECIMAL(12, 2)) AS arr,
            DATE '2026-11-01' + CAST(i * 7 % 200 AS INTEGER) AS renewal_on,
            CASE WHEN i % 4 = 0 THEN NULL ELSE 'fewer logins' END AS top_reason,
            CASE WHEN i % 3 = 0 THEN NULL ELSE i % 2 = 0 END AS is_trial, '7' AS model_version,
            TIMESTAMPTZ '2026-11-16 05:00:00Z' AS scored_at
        FROM range(1, 41) AS t(i)""",
    "accounts": """
        SELECT 'a' || i AS id, CASE WHEN i % 5 = 0 THEN 'Éclair ' ELSE 'Acme ' END || i AS company,
            CASE WHEN i % 6 = 0 THEN NULL ELSE 'mia.chen' END AS account_manager,
            CASE WHEN i % 11 = 0 THEN 1000 ELSE i END AS seats
        FROM range(1, 38) AS t(i)""",
    "calls": """
        SELECT 'a' || i AS account_id, DATE '2026-11-17' AS called_on FROM range(1, 41, 3) AS t(i)
        """,
    "renewals": """
        SELECT 'a' || i AS account_id, i % 2 = 0 AS renewed,
            TIMESTAMPTZ '2026-12-20 12:00:00Z' AS decided_at FROM range(1, 31) AS t(i)""",
}


@pytest.fixture(scope="module")
def tables():
    """The company's tables."""
    with duckdb.connect(config={"threads": "1"}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        return {name: engine.sql(query).to_arrow_table() for name, query in TABLES.items()}


def in_duckdb(folder, tables, request):
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        for name, table in tables.items():
            warehouse.register("given", table)
            warehouse.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    return "{type: duckdb, path: warehouse.duckdb}"


def in_postgresql(folder, tables, request):
    from adbc_driver_postgresql import dbapi

    url = request.getfixturevalue("postgresql_url")
    uri = url.replace("+psycopg", "")
    with dbapi.connect(uri, autocommit=True) as server, server.cursor() as cursor:
        for name, table in tables.items():
            cursor.adbc_ingest(name, table)
    request.getfixturevalue("monkeypatch").setenv(
        "WAREHOUSE", url if request.param == "sqlalchemy" else uri
    )
    if request.param == "sqlalchemy":
        return '{type: sqlalchemy, dialect: postgresql, url: "${WAREHOUSE}"}'
    return '{type: adbc, driver: postgresql, uri: "${WAREHOUSE}"}'


def in_spark(folder, tables, request):
    session = request.getfixturevalue("spark")
    for name, table in tables.items():
        session.createDataFrame(table).write.mode("overwrite").saveAsTable(name)
    return "{type: spark}"


IN_SPARK = pytest.param("spark", marks=pytest.mark.xdist_group("spark"))
"""In the same process as all that share the session: it takes many seconds to begin."""


def written(folder, warehouse):
    (folder / "people.yaml").write_text(PEOPLE)
    (folder / f"{DECISION}.yaml").write_text(DEFINITION)
    slack = '{type: slack, token: "${SLACK_BOT_TOKEN}"}'
    (folder / "connections.yaml").write_text(f"warehouse: {warehouse}\nslack: {slack}\n")
    return folder


PUT = {
    "adbc": in_postgresql,
    "sqlalchemy": in_postgresql,
    "spark": in_spark,
}


@pytest.fixture(params=["adbc", "sqlalchemy", IN_SPARK])
def folder(request, tmp_path, tables, monkeypatch):
    """The company's workspace, its tables somewhere."""
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    return written(tmp_path, PUT[request.param](tmp_path, tables, request))


class Counting:
    """A warehouse that says how many rows left it."""

    def __init__(self, warehouse):
        self._warehouse = warehouse
        self.left = []

    def __getattr__(self, name):
        return getattr(self._warehouse, name)

    def select(self, query):
        answer = self._warehouse.select(query)
        self.left.append(answer.num_rows)
        return answer


def opened(url):
    return create_engine(url, poolclass=NullPool).begin()


def facts_of(layer):
    with opened(layer.settings.ledger_url) as connection:
        return dict(connection.execute(text("SELECT subject, facts FROM cases")).tuples().all())


def decided_and_observed(folder):
    clock = MovableClock()
    layer = assembled(folder, clock)
    told = [sweep.decide(layer, DECISION)]
    for days in (2, 61):
        clock.now = MONDAY + timedelta(days=days)
        told.append(observing.observe(layer))
    layer.ledger.close()
    return told, facts_of(layer)


@pytest.fixture(scope="module")
def expected(tmp_path_factory, tables):
    """What the loop comes to in DuckDB."""
    folder = tmp_path_factory.mktemp("reference")
    written(folder, in_duckdb(folder, tables, None))
    return decided_and_observed(folder)


def test_the_loop_in_duckdb_comes_to_something(expected):
    (decided, proven, observed), facts = expected

    assert (decided.evaluated, decided.opened, decided.held_out) == (40, 5, 1)
    assert (decided.suppressed, decided.not_met) == ({"per_run: 6": 6}, 25)
    assert decided.withheld == {"too large for a call": 3}
    assert (proven.proven, observed.outcomes, observed.missing) == (2, 6, 1)
    assert len(facts) == 6


def test_the_loop_is_the_same_wherever_the_scores_live(folder, expected):
    assert decided_and_observed(folder) == expected


@pytest.mark.parametrize("folder", ["adbc"], indirect=True)
def test_only_subjects_to_act_on_leave_the_warehouse(folder):
    layer = assembled(folder, MovableClock())
    counting = Counting(layer.warehouses["warehouse"])

    decided = sweep.decide(replace(layer, warehouses={"warehouse": counting}), DECISION)
    layer.ledger.close()

    assert max(counting.left) == decided.selected == 12


@pytest.mark.parametrize("folder", ["adbc"], indirect=True)
def test_a_command_runs_the_decision_in_postgresql(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)

    assert main(["run", "--as-of", "2026-11-16T09:00", "--json"]) == 0

    [run] = json.loads(capsys.readouterr().out)["runs"]
    assert (run["opened"], run["faults"]) == (5, [])


@pytest.mark.parametrize("folder", ["adbc"], indirect=True)
def test_a_broken_batch_is_withheld_there_too(folder, monkeypatch):
    with opened(os.environ["WAREHOUSE"].replace("://", "+psycopg://")) as server:
        server.execute(text("UPDATE churn_scores SET churn_probability = 'NaN' WHERE arr > 9e4"))
        server.execute(text("INSERT INTO churn_scores SELECT * FROM churn_scores LIMIT 2"))
    layer = assembled(folder, MovableClock())

    decided = sweep.decide(layer, DECISION)
    layer.ledger.close()

    assert decided.opened == 0
    assert [fault.partition(";")[0] for fault in decided.faults] == [
        "account_id: 2 rows repeat a subject",
        "churn_probability: missing in 10 of 42 rows, 10 of them unreadable as float",
    ]


def test_a_password_is_in_no_message(tmp_path, monkeypatch, capsys):
    refused = f"postgresql://mia:{SECRET}@127.0.0.1:1/scores"
    written(tmp_path, '{type: adbc, driver: postgresql, uri: "${WAREHOUSE}"}')
    monkeypatch.setenv("WAREHOUSE", refused)
    monkeypatch.chdir(tmp_path)

    code = main(["run", "-v"])
    told = capsys.readouterr()

    assert code == 1
    assert "Connection refused" in told.out
    assert SECRET not in told.err + told.out


@pytest.fixture
def adbc(postgresql_url):
    """A PostgreSQL warehouse with one table."""
    uri = postgresql_url.replace("+psycopg", "")
    with opened(postgresql_url) as server:
        server.execute(text("CREATE TABLE scores AS SELECT 1 AS id, 0.5 AS risk"))
        server.execute(text("CREATE SEQUENCE numbers"))
    return AdbcWarehouse("warehouse", AdbcConfig(driver="postgresql", uri=uri))


def test_columns_are_told_with_their_types(adbc):
    assert adbc.columns('"scores"') == {"id": "BIGINT", "risk": "NUMERIC"}


def test_a_number_of_any_length_comes_as_a_double(adbc):
    assert adbc.select("SELECT risk FROM scores").to_pylist() == [{"risk": 0.5}]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("SELECT * FROM scorez", "does not exist", id="no-such-table"),
        pytest.param("SELECT nextval('numbers')", "read-only", id="writes"),
        pytest.param("SELECT 1 / 0", "division by zero", id="fails-on-a-row"),
    ],
)
def test_what_cannot_be_asked_is_no_use_trying_again(adbc, query, found):
    with pytest.raises(PermanentFailure, match=found):
        adbc.select(query)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM scores",
        "SELECT 1; DROP TABLE scores",
        "WITH gone AS (DELETE FROM scores RETURNING *) SELECT * FROM gone",
        "SELECT * INTO more FROM scores",
        "COPY scores TO PROGRAM 'sh'",
    ],
)
def test_a_query_of_a_definition_only_selects(adbc, query):
    with pytest.raises(PermanentFailure, match=r"query is not one SELECT|does more than to select"):
        adbc.relation(table=None, query=query, path=None)


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://mia:{SECRET}@127.0.0.1:1/scores",
        f"postgresql://127.0.0.1:1/scores?user=mia&password={SECRET}",
        f"host=127.0.0.1 port=1 password={SECRET}",
        f"postgresql://mia:{SECRET}@127.0.0.1:x/scores",
        f"{SECRET} that is no address",
    ],
)
def test_no_address_however_wrong_is_repeated(address):
    warehouse = AdbcWarehouse("warehouse", AdbcConfig(driver="postgresql", uri=address))

    with pytest.raises(ConnectorError) as caught:
        warehouse.select("SELECT 1")

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert SECRET not in repr(AdbcConfig(driver="postgresql", uri=address))


def test_a_server_that_is_away_may_come_back():
    address = "postgresql://127.0.0.1:1/scores"
    with pytest.raises(TemporaryFailure, match="Connection refused"):
        AdbcWarehouse("w", AdbcConfig(driver="postgresql", uri=address)).select("SELECT 1")
    url = "postgresql+psycopg://127.0.0.1:1/scores"
    with pytest.raises(TemporaryFailure, match="Connection refused"):
        SqlalchemyWarehouse("w", SqlalchemyConfig(dialect="postgresql", url=url)).select("SELECT 1")


def test_a_driver_that_is_not_installed_is_named():
    config = AdbcConfig(driver="snowflake", uri="mia@account/scores")
    with pytest.raises(PermanentFailure, match="pip install adbc-driver-snowflake"):
        AdbcWarehouse("warehouse", config).select("SELECT 1")


def test_sqlalchemy_names_a_driver_it_lacks():
    config = SqlalchemyConfig(dialect="trino", url="trino://nowhere:1/hive")
    with pytest.raises(PermanentFailure, match=r"trino"):
        SqlalchemyWarehouse("warehouse", config).select("SELECT 1")


def test_check_warns_of_a_warehouse_no_test_has_met(tmp_path, monkeypatch, capsys):
    written(tmp_path, '{type: adbc, driver: bigquery, uri: "${WAREHOUSE}"}')
    monkeypatch.chdir(tmp_path)

    assert main(["check"]) == 0

    assert "bigquery is experimental" in " ".join(capsys.readouterr().out.split())


def test_spark_says_what_is_wrong_with_a_query(spark):
    warehouse = SparkWarehouse("warehouse", SparkConfig())

    with pytest.raises(PermanentFailure, match="TABLE_OR_VIEW_NOT_FOUND"):
        warehouse.select("SELECT * FROM nowhere")
