"""The gate and drift where the scores lie in PostgreSQL: the same words, counts and keys."""

import psycopg
import pytest

from connectors.warehouse.adbc import AdbcConfig, AdbcWarehouse
from decisions.deciding.distribution import measured
from decisions.deciding.drift import Distribution
from decisions.deciding.gate import inspected
from tests.samples import MONDAY, definition

SIGNAL = {
    "from": "warehouse",
    "table": "scores",
    "subject": "account_id",
    "score": "risk",
    "scored_at": "scored_at",
    "model": {"name": "gbm", "version": "'7'"},
    "fields": {
        "risk": {"type": "float", "min": 0, "max": 1},
        "arr": {"type": "decimal", "min": 0, "nulls": "allowed"},
        "plan": {"type": "string", "allowed": ["monthly", "yearly"]},
        "vip": {"type": "boolean", "nulls": "allowed"},
    },
    "gate": {"unique": "score_id", "drift": {"risk": {}, "plan": {}, "vip": {}}},
}
ACTION = {
    "autonomy": "notify", "through": ["slack"], "title": "Call", "respond_within": "4h",
    "override_reasons": ["no"],
}  # fmt: skip
SCORES = """
CREATE TABLE scores AS SELECT 'k' || i AS account_id, CAST(i AS FLOAT8) / 1000 AS risk,
    CAST(i AS NUMERIC(12, 2)) AS arr, CASE i % 4 WHEN 0 THEN 'yearly' ELSE 'monthly' END AS plan,
    CASE i % 3 WHEN 0 THEN true WHEN 1 THEN false END AS vip, i AS score_id,
    TIMESTAMPTZ '2026-11-16 05:00Z' AS scored_at
FROM generate_series(1, 1000) AS g(i)
"""


class Source:
    """Scores in PostgreSQL, which tests spoil."""

    def __init__(self, url):
        self._uri = url.replace("+psycopg", "")
        config = AdbcConfig(driver="postgresql", uri=self._uri)
        self.warehouses = {"warehouse": AdbcWarehouse("warehouse", config)}
        self.definition = definition(signal=SIGNAL, actions={"call": ACTION})
        self.spoil(SCORES)

    def spoil(self, statement):
        with psycopg.connect(self._uri, autocommit=True) as server:
            server.execute(statement)

    def batch(self):
        return inspected(self.definition, self.warehouses, as_of=MONDAY, earlier=())


@pytest.fixture
def source(postgresql_url):
    return Source(postgresql_url)


@pytest.mark.parametrize(
    ("statement", "fault", "examples"),
    [
        pytest.param(
            "UPDATE scores SET risk = 1.5 WHERE score_id < 3",
            "risk: 2 of 1,000 rows are outside 0 to 1; found 0.003 to 1.5",
            [("k1", "1.5"), ("k2", "1.5")],
            id="out-of-range",
        ),
        pytest.param(
            "UPDATE scores SET plan = 'weekly' WHERE score_id = 9",
            "plan: 1 of 1,000 rows are outside 'monthly', 'yearly'",
            [("k9", "weekly")],
            id="a-value-not-allowed",
        ),
        pytest.param(
            "UPDATE scores SET risk = NULL WHERE score_id = 9",
            "risk: missing in 1 of 1,000 rows; at most 0% was expected",
            [("k9", None)],
            id="a-null",
        ),
        pytest.param(
            "UPDATE scores SET account_id = 'k1' WHERE score_id = 2",
            "account_id: 1 rows repeat a subject; one row each was expected",
            [("k1", "k1")],
            id="a-subject-twice",
        ),
        pytest.param(
            "UPDATE scores SET score_id = 7 WHERE score_id = 8",
            "score_id: 1 rows repeat a value; none may",
            [("k7", "7"), ("k8", "7")],
            id="a-unique-value-twice",
        ),
        pytest.param(
            "UPDATE scores SET scored_at = TIMESTAMPTZ '2026-11-16 09:11Z' WHERE score_id = 2",
            "the newest score is of 2026-11-16 09:11 UTC, which is still to come; "
            "at most 10 minutes ahead was expected",
            [("k2", "2026-11-16 09:11:00+00")],
            id="ahead",
        ),
        pytest.param(
            "ALTER TABLE scores ALTER risk TYPE TEXT",
            "column 'risk' is TEXT; float was expected",
            [],
            id="another-type",
        ),
        pytest.param(
            "DELETE FROM scores",
            "the batch is empty; at least one row was expected",
            [],
            id="empty",
        ),
    ],
)
def test_a_violation_is_told_in_the_same_words(source, statement, fault, examples):
    source.spoil(statement)

    batch = source.batch()

    assert batch.faults == (fault,)
    assert [(each.subject, each.value) for each in batch.examples] == examples


def test_a_distribution_is_counted_alike(source):
    found = measured(source.definition, source.warehouses, {}).new

    assert found["risk"] == Distribution(
        tuple(tenth / 10 for tenth in range(1, 10)), (), (*[100] * 10, 0)
    )
    assert found["plan"] == Distribution((), ("monthly", "yearly"), (750, 250, 0, 0))
    assert found["vip"] == Distribution((), ("false", "true"), (334, 333, 0, 333))
    assert measured(source.definition, source.warehouses, found).known == found
