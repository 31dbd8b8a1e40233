from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from decisions.quantities import Amount, Difference, ElapsedSpan, Nulls, Rate, RowBound, Share, Span

UNITS = ("minute", "hour", "day", "week")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("4h", Span(4, "hour"), id="short"),
        pytest.param("10m", Span(10, "minute"), id="m-is-minutes"),
        pytest.param(" 2 days ", Span(2, "day"), id="spaces-around"),
        pytest.param("1 week", Span(1, "week"), id="one-week"),
        pytest.param("4 working hours", Span(4, "hour", working=True), id="working-hours"),
        pytest.param("2 working days", Span(2, "day", working=True), id="working-days"),
        pytest.param("10000 days", Span(10_000, "day"), id="the-longest"),
    ],
)
def test_a_span_is_read_as_people_write_it(text, expected):
    assert Span.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "4", "4 hrs", "0 days", "-1h", "1.5h", "10001 days", "4h30", "3 working minutes",
        "1 working week", "four hours", "", "٣ days", "9" * 30 + "h", 4, None, 2.5, ["4h"],
    ],
)  # fmt: skip
def test_what_is_no_span_is_refused_with_one_that_is(text):
    with pytest.raises(ValueError, match="write"):
        Span.parse(text)


@settings(deadline=None)
@given(st.integers(1, 10_000), st.sampled_from(UNITS), st.booleans())
def test_a_span_reads_back_what_it_writes(count, unit, working):
    span = Span(count, unit, working and unit in {"hour", "day"})

    assert Span.parse(str(span)) == span


def test_elapsed_time_has_one_length():
    assert Span.parse("36h").elapsed == timedelta(days=1, hours=12)


def test_working_time_has_no_length_of_its_own():
    with pytest.raises(ValueError, match="depends on whose"):
        _ = Span.parse("2 working days").elapsed


def test_where_only_elapsed_time_makes_sense_working_time_is_refused():
    with pytest.raises(ValidationError, match="only elapsed time is allowed here"):
        TypeAdapter(ElapsedSpan).validate_python("2 working days")


@pytest.mark.parametrize(
    ("text", "count", "per", "written"),
    [
        pytest.param("8 per day", 8, Span(1, "day"), "8 per day", id="per-day"),
        pytest.param("1 per 30d", 1, Span(30, "day"), "1 per 30 days", id="per-thirty-days"),
        pytest.param("2 per 1 week", 2, Span(1, "week"), "2 per week", id="per-one-week"),
    ],
)
def test_a_rate_is_a_count_and_a_length_of_time(text, count, per, written):
    rate = Rate.parse(text)

    assert (rate.count, rate.per, str(rate)) == (count, per, written)
    assert Rate.parse(written) == rate


@pytest.mark.parametrize("text", ["8", "0 per day", "1 per 0d", "1 per fortnight", "8/day", 8])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="write"):
        Rate.parse(text)


@pytest.mark.parametrize(
    ("text", "of_one", "written"),
    [
        pytest.param("10%", 0.1, "10%", id="whole"),
        pytest.param("12.5 %", 0.125, "12.5%", id="fraction"),
        pytest.param("0%", 0.0, "0%", id="nothing"),
        pytest.param("100%", 1.0, "100%", id="everything"),
        pytest.param("33.3%", 0.333, "33.3%", id="no-noise-of-floats"),
    ],
)
def test_a_share_is_written_in_percent_and_kept_as_a_part_of_one(text, of_one, written):
    share = Share.parse(text)

    assert (share.of_one, str(share)) == (of_one, written)


@pytest.mark.parametrize("text", ["10", 10, 0.1, "101%", "-1%", "ten %", True])
def test_a_share_without_percent_or_beyond_the_whole_is_refused(text):
    with pytest.raises(ValueError, match="%'"):
        Share.parse(text)


@pytest.mark.parametrize(
    ("text", "expected", "written"),
    [
        pytest.param("1000", RowBound(fixed=1000), "1000", id="fixed"),
        pytest.param(1000, RowBound(fixed=1000), "1000", id="a-number-will-do"),
        pytest.param(
            "80% of median 7 runs", RowBound(0.8, 7), "80% of median 7 runs", id="relative"
        ),
        pytest.param(
            "150 % of median 1 run",
            RowBound(1.5, 1),
            "150% of median 1 runs",
            id="above-the-median",
        ),
    ],
)
def test_a_row_bound_is_fixed_or_relative_to_earlier_runs(text, expected, written):
    assert RowBound.parse(text) == expected
    assert str(expected) == written
    assert RowBound.parse(written) == expected


@pytest.mark.parametrize("text", ["80%", "80% of median 0 runs", "80% of median 101 runs", True])
def test_what_is_no_row_bound_is_refused(text):
    with pytest.raises(ValueError, match=r"write|take"):
        RowBound.parse(text)


def test_nulls_are_a_share_or_allowed_and_dump_as_written():
    nulls = TypeAdapter(Nulls)

    assert nulls.validate_python("5%") == Share(0.05)
    assert nulls.validate_python("allowed") == "allowed"
    assert [nulls.dump_python(each, mode="json") for each in (Share(0.05), "allowed")] == [
        "5%",
        "allowed",
    ]


def test_the_schema_of_a_quantity_shows_examples_for_editors():
    schema = TypeAdapter(Span).json_schema()

    assert schema["examples"] == ["4h", "4 working hours", "2 working days"]


@pytest.mark.parametrize(
    ("text", "size", "unit", "written"),
    [
        pytest.param("40 USD", 40.0, "USD", "40 USD", id="whole"),
        pytest.param("12.50 EUR", 12.5, "EUR", "12.5 EUR", id="fraction"),
        pytest.param("0 USD", 0.0, "USD", "0 USD", id="nothing"),
    ],
)
def test_an_amount_has_its_unit(text, size, unit, written):
    amount = Amount.parse(text)

    assert (amount.size, amount.unit, str(amount)) == (size, unit, written)


@pytest.mark.parametrize("text", ["40", "USD 40", "$40", "-4 USD", 40])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match="write it like '40 USD'"):
        Amount.parse(text)


@pytest.mark.parametrize(
    ("text", "size", "written"),
    [
        pytest.param("4 points", 0.04, "4 points", id="points"),
        pytest.param("1 point", 0.01, "1 points", id="one-point"),
        pytest.param("0.5 points", 0.005, "0.5 points", id="half-a-point"),
        pytest.param("100 points", 1.0, "100 points", id="all-there-is"),
        pytest.param("12.5", 12.5, "12.5", id="in-the-measures-unit"),
        pytest.param(30, 30.0, "30", id="a-number-of-yaml"),
    ],
)
def test_a_difference_is_in_points_or_in_the_measures_unit(text, size, written):
    difference = Difference.parse(text)

    assert (difference.size, str(difference)) == (pytest.approx(size), written)
    assert Difference.parse(written).size == pytest.approx(size)


@pytest.mark.parametrize("text", ["4%", "0", "0 points", "101 points", "-4", "four points", True])
def test_what_is_no_difference_is_refused(text):
    with pytest.raises(ValueError, match=r"write|worth having|points"):
        Difference.parse(text)
