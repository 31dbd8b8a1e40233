import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flows.cli.output import (
    Output,
    as_json,
    briefly,
    clean,
    console,
    from_now,
    pairs,
    plural,
    table,
    when,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ESCAPE = "\x1b[31mAcme\x1b[0m\x07"


@pytest.fixture
def answered(capsys, monkeypatch):
    """A function that answers in a terminal of some width and returns the lines."""

    def answer(renderable, width=80):
        monkeypatch.setenv("COLUMNS", str(width))
        Output().answer({}, renderable)
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    return answer


def test_a_number_is_never_shortened_however_narrow_the_terminal(answered):
    rows = [("churn-save-call-for-every-large-account", 1_234_567_890, 2_345_678)]

    lines = answered(table("decision", "evaluated", "opened", rows=rows), width=40)

    assert "1,234,567,890" in lines[2]
    assert "2,345,678" in lines[2]


def test_a_text_that_does_not_fit_is_folded_and_not_cut(answered):
    rows = [("CSC-1", "Call Quarry Stone about the invoice before the third of December")]

    lines = answered(table("case", "what is asked", rows=rows, whole=[0]), width=40)

    assert "".join(line[7:] for line in lines[2:]).replace(" ", "") == rows[0][1].replace(" ", "")
    assert "…" not in "".join(lines)


def test_a_path_in_a_sentence_can_be_copied_whole(answered):
    path = "/a/folder/" + "deep/" * 30 + "ledger.db"

    lines = answered(f"there is no database {path}; check 'path' in connections.yaml")

    assert f"{path};" in lines


def test_a_text_column_stays_readable_beside_many_numbers(answered):
    rows = [("churn-save-call", *[1_000_000_000] * 6)]

    lines = answered(table("decision", *"abcdef", rows=rows), width=80)

    assert lines[2].startswith("churn-sa")


def test_data_is_not_read_as_markup(answered):
    assert answered(table("customer", rows=[("[bold]Acme[/bold] :smile:",)]))[2:] == [
        "[bold]Acme[/bold] :smile:"
    ]


def test_data_cannot_steer_the_terminal(answered):
    assert "\x1b" not in str(clean(ESCAPE))
    assert "\x07" not in str(clean(ESCAPE))
    assert "\x1b" not in "".join(answered(table("customer", rows=[(ESCAPE,)])))


def test_labels_without_a_value_are_left_out(answered):
    assert answered(pairs([("with", "Mia"), ("snoozed until", ""), ("page", None)], 0)) == [
        "with  Mia"
    ]


def test_nothing_is_coloured_and_rows_stay_whole_where_nobody_looks(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    stream = io.StringIO()
    wide = " ".join(["word"] * 60)

    console(stream).print(table("text", rows=[(wide,)]))

    assert wide in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_the_terminals_width_is_kept_where_it_is_known(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    assert console(io.StringIO()).width == 80


@pytest.mark.parametrize(
    ("apart", "text"),
    [
        pytest.param(timedelta(days=2, hours=3), "in 2 d", id="days-to-come"),
        pytest.param(timedelta(days=2), "in 2 d", id="two-days-to-the-second"),
        pytest.param(timedelta(hours=47, minutes=59), "in 47 h", id="not-yet-two-days"),
        pytest.param(timedelta(hours=2), "in 2 h", id="two-hours"),
        pytest.param(timedelta(minutes=119), "in 119 min", id="not-yet-two-hours"),
        pytest.param(timedelta(minutes=1), "in 1 min", id="a-minute"),
        pytest.param(timedelta(seconds=59), "now", id="less-than-a-minute"),
        pytest.param(timedelta(0), "now", id="this-instant"),
        pytest.param(-timedelta(minutes=5), "5 min late", id="minutes-ago"),
        pytest.param(-timedelta(hours=30), "30 h late", id="more-than-a-day-ago"),
    ],
)
def test_how_far_off_an_instant_is(apart, text):
    assert from_now(NOON + apart, NOON) == text


def test_no_deadline_is_not_far_off():
    assert from_now(None, NOON) == ""


def test_an_instant_is_told_in_the_readers_zone():
    assert when(NOON, "Asia/Tokyo") == "2026-11-20 21:00"
    assert when(None) == ""


def test_the_year_is_told_where_it_is_not_this_one():
    assert briefly(NOON, NOON) == "20 Nov 12:00"
    assert briefly(NOON, NOON.replace(year=2027)) == "20 Nov 2026"


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        pytest.param(1, "case", "1 case", id="one"),
        pytest.param(0, "case", "0 cases", id="none"),
        pytest.param(1_234, "entry", "1,234 entries", id="many-entries"),
        pytest.param(2, "day", "2 days", id="vowel-before-y"),
    ],
)
def test_a_count_agrees_with_its_noun(count, noun, text):
    assert plural(count, noun) == text


def test_json_tells_instants_in_utc_and_keeps_letters():
    document = {"at": NOON, "on": date(2026, 11, 20), "page": Path("a/b"), "name": "Zoë"}

    text = as_json(document)

    assert "Zoë" in text
    assert json.loads(text)["at"] == "2026-11-20T12:00:00Z"


def test_json_refuses_what_has_no_form_rather_than_inventing_one():
    with pytest.raises(TypeError, match="object has no JSON form"):
        as_json({"what": object()})


def test_what_is_piped_ends_without_spaces(capsys):
    Output().answer({}, table("name", "what", rows=[("a", "long enough"), ("bcd", "x")]))

    shown = capsys.readouterr().out
    assert shown.splitlines() == [line.rstrip() for line in shown.splitlines()]
