from datetime import date
from itertools import product

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.definition import FieldSpec
from decisions.rules.expression import parse, sql
from decisions.rules.reach import Finding, Reach

FIELDS = {
    "risk": FieldSpec(type="float", min=0, max=1),
    "arr": FieldSpec(type="decimal", min=0, nulls="allowed"),
    "tickets": FieldSpec(type="integer", nulls="5%"),
    "plan": FieldSpec(type="string", nulls="allowed"),
    "contract": FieldSpec(type="string", allowed=("monthly", "yearly")),
    "seats": FieldSpec(type="integer", allowed=(1, 5, 20), nulls="allowed"),
    "paid_on": FieldSpec(type="date", allowed=("2027-01-31", "2027-02-28")),
    "vip": FieldSpec(type="boolean"),
    "renewal_on": FieldSpec(type="date", nulls="allowed"),
    "seen_at": FieldSpec(type="timestamp", nulls="allowed"),
}
GUARDED = FIELDS


def reach(*conditions: str, guarded=GUARDED, **options) -> Reach:
    return Reach([parse(each, FIELDS) for each in conditions], FIELDS, guarded, **options)


def found(*conditions: str, exclusive_from=None, guarded=GUARDED) -> list[Finding]:
    return list(reach(*conditions, guarded=guarded).findings(exclusive_from=exclusive_from))


@pytest.mark.parametrize(
    ("condition", "is_dead"),
    [
        pytest.param("risk > 1", True, id="above-the-range"),
        pytest.param("risk >= 1", False, id="at-the-end-of-the-range"),
        pytest.param("risk < 0", True, id="below-the-range"),
        pytest.param("-1 >= risk", True, id="the-constant-first"),
        pytest.param("risk IS NULL", True, id="never-missing"),
        pytest.param("arr IS NULL", False, id="may-be-missing"),
        pytest.param("tickets IS NULL", False, id="missing-in-some"),
        pytest.param("tickets > 3 AND tickets < 4", True, id="no-whole-number-between"),
        pytest.param("arr > 3 AND arr < 4", False, id="a-number-between"),
        pytest.param("tickets BETWEEN 5 AND 4", True, id="between-the-wrong-way-round"),
        pytest.param("plan = 'a' AND plan = 'b'", True, id="two-texts"),
        pytest.param("plan IN ('a', 'b') AND plan <> 'a'", False, id="one-of-two-texts"),
        pytest.param("plan NOT IN ('a') AND plan = 'a'", True, id="in-and-not-in"),
        pytest.param("plan < 'a' AND plan > 'b'", False, id="order-of-texts-is-not-judged"),
        pytest.param("vip AND NOT vip", True, id="a-condition-and-its-opposite"),
        pytest.param("vip = FALSE AND vip", True, id="a-truth-compared"),
        pytest.param("vip IS NULL", True, id="a-truth-never-missing"),
        pytest.param("vip IS NOT TRUE AND vip IS NOT FALSE", True, id="neither-true-nor-false"),
        pytest.param("arr > 5 AND NOT (arr > 3 OR arr IS NULL)", True, id="de-morgan"),
        pytest.param("arr IS DISTINCT FROM 3 AND arr IS NULL", False, id="null-is-distinct"),
        pytest.param("arr <> 3 AND arr IS NULL", True, id="null-is-not-unequal"),
        pytest.param("(arr > 3) IS NULL AND arr IS NOT NULL", True, id="null-of-a-comparison"),
        pytest.param("contract <> 'monthly'", False, id="another-allowed-text"),
        pytest.param("contract <> 'monthly' AND contract <> 'yearly'", True, id="none-allowed"),
        pytest.param("seats > 5 AND seats < 20", True, id="between-allowed-numbers"),
        pytest.param("seats > 1 AND seats < 20", False, id="an-allowed-number"),
        pytest.param("seats IS NULL", False, id="null-besides-the-allowed"),
        pytest.param("paid_on < DATE '2027-01-31'", True, id="no-allowed-day"),
        pytest.param("paid_on <= DATE '2027-01-31'", False, id="an-allowed-day"),
        pytest.param("paid_on < today()", False, id="an-allowed-day-from-today"),
        pytest.param("FALSE", True, id="false"),
        pytest.param("TRUE", False, id="true"),
        pytest.param("risk * arr > 5 AND risk * arr < 4", True, id="one-calculation"),
        pytest.param("risk * arr > 5 AND arr * risk < 4", False, id="two-calculations"),
        pytest.param("contains(plan, 'a') AND NOT contains(plan, 'a')", True, id="one-function"),
        pytest.param("plan LIKE 'a%' AND plan NOT LIKE 'a%'", False, id="like-is-not-looked-into"),
        pytest.param(
            "renewal_on > DATE '2027-01-01' AND renewal_on < DATE '2027-01-02'",
            True,
            id="no-day-between",
        ),
        pytest.param(
            "seen_at > TIMESTAMP '2027-01-01 00:00:00' AND seen_at < DATE '2027-01-02'",
            False,
            id="an-instant-between",
        ),
        pytest.param(
            "renewal_on < today() AND renewal_on > today() + INTERVAL 1 WEEK",
            True,
            id="before-and-after-today",
        ),
        pytest.param(
            "renewal_on > today() + INTERVAL 30 DAY AND renewal_on < today() + INTERVAL 1 MONTH",
            False,
            id="a-month-has-no-fixed-length",
        ),
        pytest.param(
            "tickets > 9007199254740992 AND tickets < 9007199254740993",
            False,
            id="too-large-to-be-told-apart",
        ),
    ],
)
def test_a_condition_that_can_never_hold_is_found_and_no_other(condition, is_dead):
    assert [each.kind for each in found(condition)] == (["dead"] if is_dead else [])


def test_what_rules_a_condition_out_is_named():
    assert found("risk > 1 AND arr > 3")[0].within == ("arr", "risk")
    assert found("arr > 5 AND arr < 3")[0].within == ()


def test_a_context_is_not_held_against_its_declaration():
    assert found("risk > 1 OR risk IS NULL", guarded={}) == []


@pytest.mark.parametrize(
    ("conditions", "covering"),
    [
        pytest.param(["risk >= 0.5", "risk >= 0.8"], [(1, (0,))], id="by-one"),
        pytest.param(["risk >= 0.8", "risk >= 0.5"], [], id="narrow-before-wide"),
        pytest.param(["arr >= 5", "arr < 5", "risk >= 0.5"], [], id="null-slips-through"),
        pytest.param(["risk >= 0.5", "risk < 0.5", "arr > 1"], [(2, ())], id="by-two-together"),
        pytest.param(["arr > 1", "arr <= 1", "arr IS NULL", "vip"], [(3, ())], id="by-three"),
        pytest.param(
            ["risk > 0.9", "vip OR risk > 0.95", "risk > 0.92 AND vip"], [(2, (0,))], id="the-first"
        ),
        pytest.param(["risk > 1", "risk > 0.5"], [], id="a-dead-one-covers-nothing"),
        pytest.param(["TRUE", "vip"], [(1, (0,))], id="by-true"),
        pytest.param(
            ["contains(plan, 'x') OR vip", "vip AND contains(plan, 'x')"],
            [(1, (0,))],
            id="function",
        ),
        pytest.param(
            ["renewal_on <= today() + INTERVAL 60 DAY", "renewal_on <= today() + INTERVAL 30 DAY"],
            [(1, (0,))],
            id="days-from-today",
        ),
    ],
)
def test_a_condition_that_is_never_reached_is_found_with_what_covers_it(conditions, covering):
    told = [(each.place, each.others) for each in found(*conditions) if each.kind == "covered"]

    assert told == covering


@pytest.mark.parametrize(
    ("one", "other", "example"),
    [
        pytest.param("risk >= 0.5", "risk >= 0.8", {"risk": 0.8}, id="ranges"),
        pytest.param("risk < 0.5", "risk >= 0.5", None, id="apart"),
        pytest.param("risk > 0.5", "risk < 0.6", {"risk": 0.55}, id="between-two"),
        pytest.param("arr IS NULL", "vip", {"arr": None, "vip": True}, id="two-columns"),
        pytest.param("plan <> 'a'", "plan <> 'b'", {"plan": "something else"}, id="another-text"),
        pytest.param("tickets > 3", "tickets < 6", {"tickets": 4}, id="whole-numbers"),
        pytest.param("arr * risk > 3", "arr * risk > 5", None, id="hangs-on-a-calculation"),
        pytest.param("arr < 9", "arr > 5 OR arr * risk > 1", {"arr": 7}, id="without-it"),
        pytest.param("renewal_on < today()", "vip", None, id="hangs-on-the-day"),
        pytest.param(
            "renewal_on > DATE '2027-01-01'",
            "renewal_on < DATE '2027-01-03'",
            {"renewal_on": date(2027, 1, 2)},
            id="days",
        ),
    ],
)
def test_two_that_hold_at_once_are_told_with_a_record_where_that_is_certain(one, other, example):
    told = [(each.others, each.example) for each in found(one, other, exclusive_from=0)]

    assert told == ([((0,), example)] if example else [])


def test_what_an_earlier_boundary_takes_is_no_overlap():
    assert found("vip", "vip AND risk > 0.2", "risk > 0.5 AND vip", exclusive_from=1)[0] == (
        Finding(1, "covered", (0,))
    )
    assert found("risk > 0.5", "vip", "risk > 0.4", exclusive_from=1)[-1].example == {
        "risk": 0.5,
        "vip": True,
    }


def test_a_hundred_rules_are_examined_in_time():
    steps = [f"risk >= {place / 200} AND risk < {(place + 1) / 200}" for place in range(100)]

    ordered, unique = reach(*steps), reach(*steps)

    assert list(ordered.findings()) == []
    assert list(unique.findings(exclusive_from=0)) == []
    assert (ordered.unexamined, unique.unexamined) == (set(), set())


def test_what_cannot_be_found_out_in_time_is_said():
    tangle = [f"(risk * {n} > 1 OR arr * {n} > 1) AND (vip OR arr - {n} > 1)" for n in range(1, 60)]

    looked = reach(*tangle, "vip AND arr > 5", most_steps=2_000)

    assert list(looked.findings()) == []
    assert looked.unexamined


GRID = {
    "n": FieldSpec(type="integer", min=0, max=4),
    "m": FieldSpec(type="integer", nulls="allowed", min=0, max=3),
    "s": FieldSpec(type="string", nulls="allowed"),
    "b": FieldSpec(type="boolean", nulls="allowed"),
}
VALUES = [range(5), [None, *range(4)], [None, "x", "y", "z"], [None, True, False]]
COMPARED = st.one_of(
    st.builds(
        "{} {} {}".format,
        st.sampled_from(["n", "m"]),
        st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"]),
        st.integers(-1, 5),
    ),
    st.builds("s {} '{}'".format, st.sampled_from(["=", "<>"]), st.sampled_from("xy")),
    st.builds(
        "{} {}".format,
        st.sampled_from(["m", "s", "b"]),
        st.sampled_from(["IS NULL", "IS NOT NULL"]),
    ),
    st.builds("m BETWEEN {} AND {}".format, st.integers(-1, 4), st.integers(-1, 4)),
    st.sampled_from(["b", "b IS NOT TRUE", "s IN ('x', 'y')", "n NOT IN (0, 1)", "TRUE"]),
)
CALCULATED = st.sampled_from(["n + m > 3", "n > m", "n + m > 5", "length(s) = 1"])


def conditions(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("({} AND {})".format, inner, inner),
            st.builds("({} OR {})".format, inner, inner),
            st.builds("NOT ({})".format, inner),
            st.builds("(({}) IS NULL)".format, inner),
        ),
        max_leaves=5,
    )


@pytest.fixture(scope="module")
def grid():
    """Every record there can be, as far as the conditions below can tell them apart."""
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE grid (n BIGINT, m BIGINT, s VARCHAR, b BOOLEAN)")
        engine.executemany("INSERT INTO grid VALUES (?, ?, ?, ?)", [*product(*VALUES)])
        yield engine


def holding(grid, texts):
    """The numbers of the conditions that hold, one set for each distinct one over the grid."""
    columns = ", ".join(
        f"coalesce({sql(parse(text, GRID), dialect='duckdb', as_of=date(2026, 1, 1))}, FALSE)"
        for text in texts
    )
    rows = grid.execute(f"SELECT DISTINCT {columns} FROM grid").fetchall()
    return [{place for place, holds in enumerate(row) if holds} for row in rows]


def expected(held, count):
    """What brute force finds: the dead, and those that are never the first to hold."""
    alive = set().union(*held)
    firsts = {min(each) for each in held if each}
    return {place: "covered" if place in alive else "dead" for place in set(range(count)) - firsts}


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(conditions(COMPARED), min_size=1, max_size=4))
def test_comparisons_with_constants_are_judged_as_brute_force_judges_them(grid, texts):
    looked = Reach([parse(text, GRID) for text in texts], GRID, GRID)

    told = {each.place: each.kind for each in looked.findings()}

    assert told == expected(holding(grid, texts), len(texts))
    assert looked.unexamined == set()


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(conditions(COMPARED | CALCULATED), min_size=2, max_size=4))
def test_whatever_is_said_is_true(grid, texts):
    held = holding(grid, texts)
    brute = expected(held, len(texts))

    for each in Reach([parse(text, GRID) for text in texts], GRID, GRID).findings():
        assert each.place in brute
        assert each.kind == "covered" or brute[each.place] == "dead"
    for each in Reach([parse(text, GRID) for text in texts], GRID, GRID).findings(exclusive_from=0):
        assert each.kind == "dead" or {each.place, *each.others} <= set().union(
            *(both for both in held if {each.place, *each.others} <= both)
        )
