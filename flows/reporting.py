"""Reports from the ledger's counts to files, as plain functions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from decisions.effectiveness.report import EffectivenessReport, compose
from decisions.errors import NotUnderstood
from decisions.ledger.evidence import gather
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
    written = []
    for decision in decisions or list(layer.workspace.decisions):
        definition = layer.definition(decision)
        with layer.ledger.reading() as connection:
            evidence = gather(connection, definition, as_of=as_of, since=since, until=until)
        found = compose(definition, evidence, names=names)
        files = write_report(found, layer.settings.reports_folder)
        written.append(Reported(report=found, html=files.html, json_file=files.json))
    return written


def _span(month: str) -> tuple[datetime, datetime]:
    try:
        since = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise NotUnderstood(f"month is {month!r}; write it like '2026-11'") from None
    after = (since.year + since.month // 12, since.month % 12 + 1)
    return since, since.replace(year=after[0], month=after[1])
