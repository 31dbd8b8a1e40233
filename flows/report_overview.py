"""All decisions on one page: verdicts, effects, and what is overdue for its owners."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from decisions.effectiveness.portfolio import Portfolio, Standing, portfolio
from decisions.effectiveness.report import EffectivenessReport
from flows.report_numbers import flat, written
from flows.report_pages import TONES, environment, stem_of


@dataclass(frozen=True, slots=True)
class Row:
    """One decision on the page.

    Attributes:
        report: Its report.
        standing: Where it stands among the others.
        page: File name of its own page.
        tone: Colour class of its verdict.
        overdue: Whether its owners should have confirmed it by now.
    """

    report: EffectivenessReport
    standing: Standing
    page: str
    tone: str
    overdue: bool


def write_overview(
    reports: Sequence[EffectivenessReport], folder: Path, *, as_of: datetime
) -> Path:
    """Write the page of all decisions with its numbers beside it; return the page.

    Args:
        reports: The reports, already written into the same folder.
        folder: Where to.
        as_of: The instant they were made for (timezone-aware).
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"all-decisions-{as_of:%Y-%m}"
    page = folder / f"{stem}.html"
    page.write_text(overview(reports, as_of=as_of, stem=stem), encoding="utf-8")
    numbers = _numbers(reports, as_of.date())
    (folder / f"{stem}.json").write_text(
        json.dumps(numbers, indent=2, ensure_ascii=False), encoding="utf-8"
    )
    (folder / f"{stem}.csv").write_text(written(flat(numbers)), encoding="utf-8", newline="")
    return page


def overview(reports: Sequence[EffectivenessReport], *, as_of: datetime, stem: str) -> str:
    """Return the page of all decisions as HTML without script or outside reference."""
    ordered = sorted(reports, key=_urgency)
    together = portfolio(ordered)
    rates = [
        (_called(report), each.effect)
        for report, each in zip(ordered, together.standings, strict=True)
        if each.effect is not None and each.effect.scale == "rate"
    ]
    chart = None
    if rates:
        from flows.report_charts import forest

        chart = forest(rates)
    return (
        environment()
        .get_template("overview.html.j2")
        .render(
            rows=_rows(ordered, together, as_of.date()),
            together=together,
            chart=chart,
            as_of=as_of,
            stem=stem,
        )
    )


def _rows(reports: Sequence[EffectivenessReport], together: Portfolio, today: date) -> list[Row]:
    return [
        Row(
            report=report,
            standing=standing,
            page=f"{stem_of(report)}.html",
            tone=TONES.get(report.verdict.kind.value, "calm"),
            overdue=report.imported is None and report.about.review_by < today,
        )
        for report, standing in zip(reports, together.standings, strict=True)
    ]


def _called(report: EffectivenessReport) -> str:
    """Return what tells a decision's present period from its imported ones."""
    if report.imported is None:
        return report.about.decision
    return f"{report.imported.period} (imported)"


def _urgency(report: EffectivenessReport) -> tuple[int, str]:
    """Return what to sort by: harm and broken measurements first, then by name."""
    first = {"harmful": 0, "cannot be judged": 1}
    return first.get(report.verdict.kind.value, 2), report.about.decision


def _numbers(reports: Sequence[EffectivenessReport], today: date) -> dict[str, Any]:
    together = portfolio(reports)
    return {
        "decisions": [_number(row) for row in _rows(reports, together, today)],
        "together": together.model_dump(mode="json", exclude={"standings"}),
    }


def _number(row: Row) -> dict[str, Any]:
    report, standing = row.report, row.standing
    effect = standing.effect
    return {
        "decision": standing.decision,
        "imported": report.imported is not None,
        "verdict": standing.kind.value,
        "stands": standing.stands,
        "p": standing.p,
        "owner": report.about.owners[0].name,
        "review_by": report.about.review_by.isoformat(),
        "overdue": row.overdue,
        "page": row.page,
        "difference": effect.difference.model_dump() if effect else None,
        "scale": effect.scale if effect else None,
    }
