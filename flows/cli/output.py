"""How answers look: tables for people, one JSON document for programs, notes on stderr."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from textwrap import fill
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console, RenderableType
from rich.status import Status
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 500
"""Columns where nobody looks: a row stays one line, so that it can be searched for."""

GAP = 2
"""Columns of the terminal between two of a table."""
LEAST_WIDTH = 8
"""Columns of the terminal that a text keeps, however narrow that is."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LENGTHS = (
    (timedelta(days=1), 2, "d"),
    (timedelta(hours=1), 2, "h"),
    (timedelta(minutes=1), 1, "min"),
)
"""Units, and how many of them there must be: 47 hours told as 1 d would be half the truth."""


class Output:
    """Where a command's answer and its notes go.

    Args:
        as_json: Answer with one JSON document and nothing else on stdout.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._answers = console(sys.stdout)
        self._notes = console(sys.stderr)

    def answer(self, document: object, *shown: RenderableType) -> None:
        """Give the answer: the document to a program, what is shown to a person."""
        if self.as_json:
            sys.stdout.write(as_json(document) + "\n")
            return
        for each in shown:
            _print(self._answers, each)

    def note(self, text: str) -> None:
        """Tell a person something that is not the answer."""
        _print(self._notes, text, style="dim")

    def complain(self, text: str) -> None:
        """Say what went wrong."""
        _print(self._notes, text)

    def busy(self, text: str) -> AbstractContextManager[Status | None]:
        """Show what is being done, for as long as the block lasts, if somebody watches."""
        return self._notes.status(clean(text)) if self._notes.is_terminal else nullcontext()

    @contextmanager
    def progress(self, text: str, total: int) -> Iterator[Callable[[], None]]:
        """Show how far work has come, if somebody watches.

        Args:
            text: What is being done.
            total: How many parts it has.

        Yields:
            What to call after each part.
        """
        from rich.progress import Progress

        watched = self._notes.is_terminal
        with Progress(console=self._notes, transient=True, disable=not watched) as bar:
            task = bar.add_task(str(clean(text)), total=total)
            yield lambda: bar.advance(task)


def console(stream: TextIO) -> Console:
    """Return a console that prints data as it is: nothing in it is markup."""
    watched = stream.isatty() or "COLUMNS" in os.environ
    width = None if watched else PIPED_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def _print(where: Console, what: RenderableType, style: str | None = None) -> None:
    """Print at the console's width, or wider rather than break what must stay whole."""
    if isinstance(what, str):
        text = Text(_wrapped(str(clean(what)), where.width))
        where.print(text, style=style, overflow="ignore", crop=False)
        return
    width = where.width
    if isinstance(what, Table):
        gaps = GAP * (len(what.columns) - 1)
        where.width = max(width, gaps + sum(column.min_width or 0 for column in what.columns))
    if where.is_terminal:
        where.print(what, crop=False)
    else:
        with where.capture() as drawn:
            where.print(what, crop=False)
        lines = (line.rstrip() for line in drawn.get().splitlines())
        where.file.write("".join(f"{line}\n" for line in lines))
    where.width = width


def _wrapped(text: str, width: int) -> str:
    """Return sentences broken between words only, so that a path in them can be copied."""
    lines = text.split("\n")
    pointed_at = {place - 1 for place, line in enumerate(lines) if line.strip().startswith("^")}
    return "\n".join(
        line if place in pointed_at or len(line) <= width else _filled(line, width)
        for place, line in enumerate(lines)
    )


def _filled(line: str, width: int) -> str:
    return fill(
        line,
        width,
        subsequent_indent=" " * (len(line) - len(line.lstrip())),
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )


def as_json(document: object) -> str:
    """Return the document as indented JSON; instants in UTC with a Z."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def clean(text: object) -> Text:
    """Return text that cannot steer the terminal: control characters are made visible."""
    return Text(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text)))


def table(
    *headings: str, rows: Iterable[Sequence[object]], whole: Sequence[int] = (), title: str = ""
) -> Table:
    """Return a table; numbers stand to the right, and neither they nor ``whole`` columns break.

    Args:
        headings: One a column; empty ones make a table without a head.
        rows: Numbers are written with thousands separators, None is left empty.
        whole: Columns whose text is never broken, such as keys.
        title: Stands above.
    """
    found, headed = [list(row) for row in rows], any(headings)
    drawn = Table(
        box=box.SIMPLE_HEAD if headed else None,
        show_header=headed,
        show_edge=False,
        padding=(0, GAP - headed, 0, 0),  # below a head, the box adds a column of its own
        pad_edge=False,
        title=clean(title) if title else None,
        title_justify="left",
        title_style="bold",
    )
    for place, heading in enumerate(headings):
        counts = any(isinstance(row[place], int | float) for row in found)
        longest = max((len(_cell(row[place])) for row in found), default=0)
        drawn.add_column(
            clean(heading),
            justify="right" if counts else "left",
            no_wrap=counts or place in whole,
            min_width=longest if counts or place in whole else min(LEAST_WIDTH, longest),
            overflow="fold",
        )
    for row in found:
        drawn.add_row(*(clean(_cell(value)) for value in row))
    return drawn


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def pairs(rows: Iterable[tuple[str, object]], indent: int = 2) -> Table:
    """Return labels with their values; rows without a value are left out."""
    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    for label, value in rows:
        if value not in {None, ""}:
            drawn.add_row(clean(" " * indent + label), clean(_cell(value)))
    return drawn


def when(at: datetime | None, zone: str = "UTC") -> str:
    """Return an instant to the minute in a zone, without naming the zone."""
    return "" if at is None else f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def briefly(at: datetime, now: datetime) -> str:
    """Return an instant in UTC as shortly as it can be told: without the year if that is ours."""
    return f"{at:%d %b %H:%M}" if at.year == now.year else f"{at:%d %b %Y}"


def from_now(at: datetime | None, now: datetime) -> str:
    """Return how far off an instant is, in whole units of which there are two: ``in 30 h``."""
    if at is None:
        return ""
    apart = abs(at - now)
    for length, fewest, unit in _LENGTHS:
        if apart >= fewest * length:
            count = f"{apart // length} {unit}"
            return f"in {count}" if at > now else f"{count} late"
    return "now"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    many = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else many}"


def attributes(record: object, *names: str) -> dict[str, Any]:
    """Return some attributes of a record by name."""
    return {name: getattr(record, name) for name in names}
