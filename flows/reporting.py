"""Reports from the ledger's counts to files, as plain functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from decisions.effectiveness.report import EffectivenessReport, compose
from decisions.errors import NotUnderstood
from decisions.ledger.evidence import gather, gather_imported, measured
from flows.report_pages import write_report
from flows.wiring import Layer


class Reported(BaseModel):
    """One report that was written.

    Attributes:
        report: Its numbers.
        html: The page.
        json_file: The same numbers, for machines.
    """

    report: EffectivenessReport
    html: Path
    json_file: Path


def report_now(
    layer: Layer, decisions: Sequence[str], *, month: str | None = None
) -> list[Reported]:
    """Write the reports of the named decisions, or of all.

    Args:
        layer: Everything assembled.
        decisions: Names; none means all.
        month: The month whose cases the funnel counts, like 2026-11; everything so far if None.

    Raises:
        NotUnderstood: The workspace has no such decision.
        NotUnderstood: The month is not written as one, or is still to come.
    """
    since, until = _span(month) if month else (None, None)
    if since and since > layer.clock():
        raise NotUnderstood(f"month is {month!r}, which is still to come")
    people = layer.workspace.people
    names = {key: person.name for key, person in people.people.items()}
    names |= {role: names[key] for role, key in people.roles.items()}
    # A report on a past month says the same whenever it is made.
    as_of = min(layer.clock(), until) if until else layer.clock()
    composed = [
        report
        for decision in decisions or reportable(layer)
        for report in _composed(layer, decision, names, _Span(as_of, since, until))
    ]
    written = []
    for report in composed:
        files = write_report(report, layer.settings.reports_folder)
        written.append(Reported(report=report, html=files.html, json_file=files.json))
    return written


def reportable(layer: Layer) -> list[str]:
    """Return the names of all decisions with something to report: the workspace's, the imported."""
    imported = (period.decision for period in layer.ledger.imports.periods())
    return list(dict.fromkeys([*layer.workspace.decisions, *imported]))


def _composed(
    layer: Layer, decision: str, names: Mapping[str, str], span: "_Span"
) -> Iterator[EffectivenessReport]:
    """Yield the report on a decision's present period, then those on its imported ones."""
    periods = layer.ledger.imports.periods(decision)
    with layer.ledger.reading() as connection:
        if decision in layer.workspace.decisions or not periods:
            definition = measured(connection, layer.definition(decision), as_of=span.as_of)
            evidence = gather(connection, definition, **asdict(span))
            yield compose(definition, evidence, names=names)
        for period in periods:
            evidence = gather_imported(connection, period, as_of=span.as_of)
            yield compose(period.definition, evidence, names=names)


@dataclass(frozen=True, slots=True)
class _Span:
    as_of: datetime
    since: datetime | None
    until: datetime | None


def _span(month: str) -> tuple[datetime, datetime]:
    try:
        since = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise NotUnderstood(f"month is {month!r}; write it like '2026-11'") from None
    after = (since.year + since.month // 12, since.month % 12 + 1)
    return since, since.replace(year=after[0], month=after[1])
