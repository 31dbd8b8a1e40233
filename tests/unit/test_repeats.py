import duckdb
import pytest

from decisions.deciding.contract import REPEATED_SUBJECTS
from decisions.deciding.repeats import are_counted_apart, repeats_query
from decisions.definition import Signal

SIGNAL = Signal.model_validate(
    {
        "from": "warehouse",
        "table": "scores",
        "subject": "account_id",
        "score": "risk",
        "scored_at": "scored_at",
        "model": {"name": "made-up", "version": "'1'"},
        "fields": {"risk": "float"},
    }
)


def repeats(keys: list[int | None], kind: str) -> tuple[int, str]:
    """Return how many rows repeat a key, and the query that says so."""
    with duckdb.connect() as engine:
        engine.execute(
            f"CREATE TABLE scores AS SELECT CAST(unnest($keys) AS {kind}) AS account_id",
            {"keys": keys},
        )
        rows = engine.execute(
            "SELECT count(account_id), min(account_id), max(account_id) FROM scores"
        )
        seen = dict(
            zip(("subjects", "first_subject", "last_subject"), rows.fetchone() or (), strict=True)
        )
        query = repeats_query(SIGNAL, "scores", seen)
        found = engine.execute(query)
        assert [name for name, *_ in found.description] == [REPEATED_SUBJECTS]
        return (found.fetchone() or (-1,))[0], query


@pytest.mark.parametrize("kind", ["TINYINT", "INTEGER", "BIGINT", "UBIGINT", "HUGEINT"])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param([1, 2, 3], 0, id="each-once"),
        pytest.param([1, 2, 2, 3, 3, 3], 3, id="some-again"),
        pytest.param([7], 0, id="one"),
        pytest.param([0, 0], 1, id="the-same-alone"),
        pytest.param([5, None, 5, None], 1, id="nobody-repeats-nobody"),
        pytest.param([None, None], 0, id="nobody"),
    ],
)
def test_a_subject_that_stands_in_several_rows_is_counted_whatever_kind_of_number_it_is(
    keys: list[int | None], expected: int, kind: str
) -> None:
    assert repeats(keys, kind)[0] == expected


@pytest.mark.parametrize(
    ("keys", "expected", "by_bits"),
    [
        pytest.param([-3, -3, 0, 124], 1, True, id="below-zero"),
        pytest.param([1, 128, 128], 1, True, id="as-close-as-bits-are-worth"),
        pytest.param([1, 193, 193], 1, False, id="a-little-further-apart"),
        pytest.param([1, 2**60, 2**60], 1, False, id="far-apart"),
    ],
)
def test_bits_are_used_where_subjects_lie_close_and_the_answer_is_the_same(
    keys: list[int | None], expected: int, by_bits: bool
) -> None:
    count, query = repeats(keys, "BIGINT")

    assert count == expected
    assert ("bitstring_agg" in query) is by_bits


def test_what_has_come_since_the_ends_were_found_breaks_nothing() -> None:
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE scores AS SELECT unnest([1, 2, 3, 9]) AS account_id")
        seen = {"subjects": 3, "first_subject": "1", "last_subject": "3"}

        found = engine.execute(repeats_query(SIGNAL, "scores", seen)).fetchone()

    assert found == (0,)


@pytest.mark.parametrize(
    ("dialect", "texts", "expected"),
    [
        pytest.param("duckdb", set(), True, id="numbers-in-duckdb"),
        pytest.param("duckdb", {"account_id"}, False, id="texts"),
        pytest.param("postgres", set(), False, id="another-warehouse"),
    ],
)
def test_only_numbers_in_the_embedded_warehouse_are_counted_apart(
    dialect: str, texts: set[str], expected: bool
) -> None:
    assert are_counted_apart(SIGNAL, dialect, texts) is expected
