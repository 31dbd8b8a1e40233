"""Reports from the ledger's counts to files, as plain functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from decisions.definition import Definition
from decisions.effectiveness.reading import following_look, looks_of_period
from decisions.effectiveness.report import EffectivenessReport, compose
from decisions.errors import NotUnderstood
from decisions.ledger.evidence import gather, gather_imported, measured
from flows.report_overview import write_overview
from flows.report_pages import write_report
from flows.wiring import Layer


class Reported(BaseModel):
    """One report that was written.

    Attributes:
        report: Its numbers.
        html: The page.
        json_file: The same numbers, for machines.
        csv_file: Every number, for a spreadsheet.
    """

    report: EffectivenessReport
    html: Path
    json_file: Path
    csv_file: Path


def report_now(
    layer: Layer, decisions: Sequence[str], *, month: str | None = None, look: bool = False
) -> list[Reported]:
    """Write the reports of the named decisions, or of all.

    The report on a month that has ended is a look: what it says of the effect is published in the
    ledger and stands. Any other report changes no verdict, unless an extra look is asked for.

    Args:
        layer: Everything assembled.
        decisions: Names; none means all.
        month: The month whose cases the funnel counts, like 2026-11, or ``last``; everything so far
            if None.
        look: Whether to take an extra look now.

    Raises:
        NotUnderstood: The workspace has no such decision.
        NotUnderstood: The month is not written as one, is still to come, or an extra look is asked
            for beside it.
    """
    span = _span(month, layer.clock(), look=look)
    people = layer.workspace.people
    names = {key: person.name for key, person in people.people.items()}
    names |= {role: names[key] for role, key in people.roles.items()}
    composed = [
        report
        for decision in decisions or reportable(layer)
        for report in _composed(layer, decision, names, span)
    ]
    written = []
    for report in composed:
        files = write_report(report, layer.settings.reports_folder)
        written.append(
            Reported(report=report, html=files.html, json_file=files.json, csv_file=files.csv)
        )
    return written


def overview_now(layer: Layer, reported: Sequence[Reported]) -> Path:
    """Write the page of all decisions over the reports just written; return it."""
    reports = [each.report for each in reported]
    as_of = max((each.last for each in reports), default=layer.clock())
    return write_overview(reports, layer.settings.reports_folder, as_of=as_of)


def reportable(layer: Layer) -> list[str]:
    """Return the names of all decisions with something to report: the workspace's, the imported."""
    imported = (period.decision for period in layer.ledger.imports.periods())
    return list(dict.fromkeys([*layer.workspace.decisions, *imported]))


def _composed(
    layer: Layer, decision: str, names: Mapping[str, str], span: "_Span"
) -> Iterator[EffectivenessReport]:
    """Yield the report on a decision's present period, then those on its imported ones."""
    periods = layer.ledger.imports.periods(decision)
    if decision in layer.workspace.decisions or not periods:
        yield _present(layer, layer.acting(decision), names, span)
    for period in periods:
        with layer.ledger.reading() as connection:
            evidence = gather_imported(connection, period, as_of=span.as_of)
        yield compose(period.definition, evidence, names=names)


def _present(
    layer: Layer, declared: Definition, names: Mapping[str, str], span: "_Span"
) -> EffectivenessReport:
    """Return the report on a decision's present period; a look is published first."""
    while True:
        with layer.ledger.counting() as connection:
            definition = measured(connection, declared, as_of=span.as_of)
            evidence = gather(connection, definition, **asdict(span))
        report = compose(definition, evidence, names=names)
        if report.look is None or layer.ledger.looks.publish(
            declared.decision, report.look, known=len(looks_of_period(evidence))
        ):
            return report


@dataclass(frozen=True, slots=True)
class _Span:
    as_of: datetime
    since: datetime | None = None
    until: datetime | None = None
    look: str | None = None


def _span(month: str | None, now: datetime, *, look: bool) -> _Span:
    if month is None:
        return _Span(now, look=f"{now:%Y-%m-%d}" if look else None)
    if look:
        raise NotUnderstood(
            "a month that has ended is a look by itself; ask for an extra one without --month"
        )
    if month == "last":
        month = f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"
    since, until = _bounds(month)
    if since > now:
        raise NotUnderstood(f"month is {month!r}, which is still to come")
    # A report on a past month says the same whenever it is made.
    return _Span(min(now, until), since, until, look=month if until <= now else None)


def _bounds(month: str) -> tuple[datetime, datetime]:
    try:
        since = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise NotUnderstood(f"month is {month!r}; write it like '2026-11', or 'last'") from None
    return since, following_look(since)
