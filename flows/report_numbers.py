"""Every number of a report as one table: a line a number, for a spreadsheet."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from decisions.effectiveness.report import EffectivenessReport

HEADINGS = ("number", "value")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a cell for a formula."""

_ELSEWHERE = {"queries", "answers"}
"""What the JSON holds beside numbers: the questions, and what they gave."""


def csv_of(report: EffectivenessReport) -> str:
    """Return every number and text of a report, named by its place in the JSON.

    Texts that a spreadsheet would take for formulas begin with a quote; numbers stay numbers.
    """
    document = report.model_dump(mode="json", exclude=_ELSEWHERE)
    return written((place, value) for place, value in flat(document))


def written(rows: Iterator[tuple[str, Any]]) -> str:
    """Return rows as CSV with its headings."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(HEADINGS)
    writer.writerows((safe(place), safe(value)) for place, value in rows)
    return file.getvalue()


def flat(document: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of a JSON document with its place, such as ``effect.difference.lower``."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from flat(value, f"{place}.{key}".removeprefix("."))
    elif isinstance(document, list):
        for nth, value in enumerate(document):
            yield from flat(value, f"{place}[{nth}]")
    else:
        yield place, document


def safe(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(DANGEROUS):
        return f"'{value}"
    return value
