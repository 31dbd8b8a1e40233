from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from decisions.errors import NotUnderstood
from flows.cli.here import Here, Options, instant


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC), id="date-is-midnight-utc"),
        pytest.param(
            "2026-11-20T09:30", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), id="naive-is-utc"
        ),
        pytest.param(
            "2026-11-20 09:30", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), id="with-a-blank"
        ),
        pytest.param("2026-11-20T09:30Z", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), id="z-is-utc"),
        pytest.param(
            "2026-11-20T09:30+02:00", datetime(2026, 11, 20, 7, 30, tzinfo=UTC), id="with-an-offset"
        ),
    ],
)
def test_an_instant_is_read_as_people_write_it(text, at):
    assert instant(text, asked="--as-of") == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "9999-12-31",
        "0001-01-01T00:00+05:00",
        "2026-13-01",
        "2026-02-30",
        "20.11.2026",
        "12:30",
    ],
)
def test_what_is_no_instant_is_refused_with_an_example(text):
    with pytest.raises(NotUnderstood, match=r"--as-of is .*; write a date like 2026-11-20"):
        instant(text, asked="--as-of")


def test_a_date_alone_means_the_start_of_the_readers_day_where_they_have_one():
    at = instant("2026-07-01", asked="--until", zone="Europe/Berlin", day_starts=time(9))

    assert at == datetime(2026, 7, 1, 7, 0, tzinfo=UTC)


def test_the_current_folder_is_the_workspace_if_it_has_people(tmp_path, monkeypatch):
    (tmp_path / "people.yaml").touch()
    monkeypatch.chdir(tmp_path)

    assert Here(Options()).settings.workspace == tmp_path


def test_a_named_workspace_comes_before_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "people.yaml").touch()
    monkeypatch.chdir(tmp_path)

    assert Here(Options(workspace=Path("other"))).settings.workspace == Path("other")


def test_as_of_fixes_the_clock():
    here = Here(Options(as_of="2026-11-20"))

    assert here.clock() == here.clock() == datetime(2026, 11, 20, tzinfo=UTC)
