from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.errors import DecisionLayerError
from decisions.quantities import Span
from decisions.worktime import WorkingHours, deadline, first_instant, is_holiday, working_time

OFFICE = "mon-fri 09:00-17:30"
LONDON = WorkingHours.parse(OFFICE, zone="Europe/London", holidays="GB")
ZONES = (
    "UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
    "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca",
)  # fmt: skip
HOURS = (
    "mon-fri 09:00-17:30",
    "mon,wed-fri 08:00-16:00",
    "sat-sun 00:00-24:00",
    "sun-thu 01:30-02:30",
)

instants = st.datetimes(
    datetime.fromisoformat("2011-01-01"),
    datetime.fromisoformat("2035-12-31"),
    timezones=st.just(UTC),
)
people = st.builds(
    WorkingHours.parse, st.sampled_from(HOURS), zone=st.sampled_from(ZONES), holidays=st.none()
)


def at(text: str, zone: str = "Europe/London") -> datetime:
    """An instant by wall clock; the first one where clocks show it twice."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        pytest.param(OFFICE, {0, 1, 2, 3, 4}, time(9), time(17, 30), id="office"),
        pytest.param("mon,wed-fri 08:00-16:00", {0, 2, 3, 4}, time(8), time(16), id="list"),
        pytest.param("sun-thu 09:00-18:00", {6, 0, 1, 2, 3}, time(9), time(18), id="over-sunday"),
        pytest.param("SAT 10:00-12:00", {5}, time(10), time(12), id="capitals"),
        pytest.param("mon-sun 00:00-24:00", set(range(7)), time(0), time(0), id="always"),
    ],
)
def test_hours_are_read_as_people_write_them(text, days, start, end):
    hours = WorkingHours.parse(text)

    assert (hours.days, hours.start, hours.end) == (days, start, end)


@pytest.mark.parametrize(
    "text",
    [
        "9-17", "mon-fri", "mon-fri 9:00-17:00", "mon-fri 17:00-09:00", "mon-fri 09:00-09:00",
        "mon-fri 09:00-25:00", "mon-fri 09:00-17:60", "monday 09:00-17:00", "mon- 09:00-17:00", "",
    ],
)  # fmt: skip
def test_hours_that_cannot_be_kept_are_refused(text):
    with pytest.raises(ValueError, match=r"write it like|begins before it ends"):
        WorkingHours.parse(text)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        # Friday 20 November 2026 and what follows; London is on UTC in winter.
        pytest.param("2026-11-20 10:00", "4 working hours", "2026-11-20 14:00", id="same-day"),
        pytest.param("2026-11-20 13:30", "4 working hours", "2026-11-20 17:30", id="to-the-minute"),
        pytest.param("2026-11-20 13:31", "4 working hours", "2026-11-23 09:01", id="over-weekend"),
        pytest.param("2026-11-20 18:00", "4 working hours", "2026-11-23 13:00", id="after-work"),
        pytest.param("2026-11-21 12:00", "1 working hour", "2026-11-23 10:00", id="on-saturday"),
        pytest.param("2026-11-20 06:00", "1 working hour", "2026-11-20 10:00", id="before-work"),
        pytest.param("2026-11-20 17:30", "1 working hour", "2026-11-23 10:00", id="at-closing"),
        pytest.param("2026-11-20 14:00", "1 working day", "2026-11-23 14:00", id="a-day"),
        pytest.param("2026-11-20 18:00", "1 working day", "2026-11-24 09:00", id="day-after-work"),
        pytest.param("2026-11-20 17:30", "1 working day", "2026-11-24 09:00", id="day-at-closing"),
        pytest.param("2026-12-24 14:00", "1 working day", "2026-12-29 14:00", id="christmas"),
        pytest.param("2026-12-31 14:00", "1 working day", "2027-01-04 14:00", id="new-year"),
        pytest.param("2028-02-28 14:00", "1 working day", "2028-02-29 14:00", id="leap-day"),
        pytest.param("2026-11-20 18:00", "24h", "2026-11-21 18:00", id="elapsed"),
    ],
)
def test_a_deadline_counts_only_what_its_span_counts(start, span, expected):
    assert deadline(at(start), Span.parse(span), LONDON) == at(expected)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        # Clocks go forward on Sunday 28 March 2027, 01:00 to 02:00, and back on 31 October.
        pytest.param("2027-03-27 12:00", "24h", "2027-03-28 13:00", id="elapsed-day-in-spring"),
        pytest.param("2027-03-25 12:00", "1 working day", "2027-03-30 12:00", id="easter-too"),
        pytest.param("2027-10-30 12:00", "24h", "2027-10-31 11:00", id="elapsed-day-in-autumn"),
        pytest.param("2027-10-29 12:00", "1 working day", "2027-11-01 12:00", id="wall-in-autumn"),
    ],
)
def test_a_working_day_keeps_the_wall_clock_where_elapsed_time_does_not(start, span, expected):
    hours = WorkingHours.parse(OFFICE, zone="Europe/London", holidays="GB-ENG")

    assert deadline(at(start), Span.parse(span), hours) == at(expected)


def test_a_wall_time_in_the_gap_becomes_the_first_instant_after_it():
    night = WorkingHours.parse("mon-sun 01:30-05:00", zone="Europe/London")

    due = deadline(at("2027-03-27 01:30"), Span.parse("1 working day"), night)

    assert due == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)  # 02:00, as 01:30 does not exist


def test_a_wall_time_that_comes_twice_means_the_first():
    night = WorkingHours.parse("mon-sun 01:30-05:00", zone="Europe/London")

    due = deadline(at("2027-10-30 01:30"), Span.parse("1 working day"), night)

    assert due == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_a_night_shortened_by_the_clock_is_counted_as_long_as_it_was():
    night = WorkingHours.parse("mon-sun 00:00-06:00", zone="Europe/London")

    assert working_time(at("2027-03-28 00:00"), at("2027-03-28 12:00"), night) == timedelta(hours=5)
    assert working_time(at("2027-10-31 00:00"), at("2027-10-31 12:00"), night) == timedelta(hours=7)


def test_a_day_that_a_zone_left_out_is_no_working_day():
    apia = WorkingHours.parse("mon-fri 09:00-17:00", zone="Pacific/Apia")
    thursday = at("2011-12-29 10:00", "Pacific/Apia")

    due = deadline(thursday, Span.parse("1 working day"), apia)

    assert apia.on(date(2011, 12, 30)) is None
    assert due == at("2012-01-02 10:00", "Pacific/Apia")


def test_a_public_holiday_of_a_part_of_the_country_counts_there_alone():
    corpus_christi = date(2027, 5, 27)

    assert is_holiday(corpus_christi, "DE-BY")
    assert not is_holiday(corpus_christi, "DE-BE")
    assert not is_holiday(corpus_christi, None)


@pytest.mark.parametrize("country", ["XX", "DE-XX", "Germany", ""])
def test_a_country_without_known_holidays_is_refused(country):
    with pytest.raises(ValueError, match="no public holidays are known"):
        is_holiday(date(2027, 1, 1), country)


def test_working_time_is_nothing_when_the_end_comes_first():
    assert working_time(at("2026-11-20 12:00"), at("2026-11-20 10:00"), LONDON) == timedelta()


def test_working_time_leaves_out_nights_and_weekends():
    waited = working_time(at("2026-11-20 16:00"), at("2026-11-23 10:00"), LONDON)

    assert waited == timedelta(hours=2, minutes=30)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="has no time zone"):
        deadline(datetime.fromisoformat("2026-11-20"), Span.parse("4h"), LONDON)


def test_somebody_who_never_works_has_no_deadline():
    never = WorkingHours("UTC", frozenset(), time(9), time(17))

    with pytest.raises(DecisionLayerError, match=r"correct hours and holidays in people\.yaml"):
        deadline(at("2026-11-20 12:00"), Span.parse("1 working day"), never)


@settings(max_examples=60, deadline=None)
@given(instants, st.integers(1, 60), people)
def test_working_hours_pass_between_a_start_and_its_deadline(start, count, hours):
    due = deadline(start, Span(count, "hour", working=True), hours)

    assert working_time(start, due, hours) == timedelta(hours=count)
    assert hours.on(hours.local_day(due - timedelta(microseconds=1)))


@settings(max_examples=60, deadline=None)
@given(instants, st.integers(1, 30), people)
def test_a_deadline_in_working_days_falls_within_working_hours(start, count, hours):
    due = deadline(start, Span(count, "day", working=True), hours)

    begins_at, ends_at = hours.on(hours.local_day(due)) or (None, None)
    assert begins_at is not None
    assert begins_at <= due < ends_at
    assert due > start
    assert due.tzinfo is UTC


@settings(max_examples=40, deadline=None)
@given(instants, st.timedeltas(timedelta(), timedelta(days=10)), st.integers(1, 40), people)
def test_who_starts_later_is_never_due_earlier(start, pause, count, hours):
    span = Span(count, "hour", working=True)

    assert deadline(start, span, hours) <= deadline(start + pause, span, hours)


@settings(max_examples=60, deadline=None)
@given(instants, st.sampled_from(ZONES))
def test_every_wall_time_that_clocks_show_leads_back_to_its_first_instant(instant, zone):
    wall = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    found = first_instant(wall, zone)

    assert found <= instant
    assert found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall


def test_the_gap_is_left_at_its_very_end_in_a_zone_of_half_hours():
    # Lord Howe Island goes from 02:00 to 02:30 on 4 October 2026.
    found = first_instant(datetime.fromisoformat("2026-10-04 02:10"), "Australia/Lord_Howe")

    assert found == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
