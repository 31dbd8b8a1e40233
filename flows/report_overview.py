"""All decisions on one page: verdicts, effects, and what is overdue for its owners."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from decisions.effectiveness.report import EffectivenessReport
from flows.report_numbers import flat, written
from flows.report_pages import TONES, environment, stem_of

_NOT_JUDGED = {"no effect can be claimed", "cannot be judged", "too early"}


@dataclass(frozen=True, slots=True)
class Row:
    """One decision on the page.

    Attributes:
        report: Its report.
        page: File name of its own page.
        tone: Colour class of its verdict.
        overdue: Whether its owners should have confirmed it by now.
    """

    report: EffectivenessReport
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
    rates = [
        (each.about.decision, each.effect)
        for each in ordered
        if each.effect is not None and each.effect.scale == "rate"
    ]
    chart = None
    if rates:
        from flows.report_charts import forest

        chart = forest(rates)
    worth, counted = _worth(reports)
    return (
        environment()
        .get_template("overview.html.j2")
        .render(
            rows=[_row(each, as_of.date()) for each in ordered],
            verdicts=Counter(each.verdict.kind.value for each in ordered),
            judged=sum(each.verdict.kind.value not in _NOT_JUDGED for each in ordered),
            worth=worth,
            counted=counted,
            chart=chart,
            as_of=as_of,
            stem=stem,
        )
    )


def _row(report: EffectivenessReport, today: date) -> Row:
    return Row(
        report=report,
        page=f"{stem_of(report)}.html",
        tone=TONES.get(report.verdict.kind.value, "calm"),
        overdue=report.imported is None and report.about.review_by < today,
    )


def _urgency(report: EffectivenessReport) -> tuple[int, str]:
    """Return what to sort by: harm and broken measurements first, then by name."""
    first = {"harmful": 0, "cannot be judged": 1}
    return first.get(report.verdict.kind.value, 2), report.about.decision


def _worth(
    reports: Sequence[EffectivenessReport],
) -> tuple[dict[str | None, float], Counter[str | None]]:
    """Return the estimates of all decisions added up by unit, and how many there are of each."""
    worth: dict[str | None, float] = {}
    counted: Counter[str | None] = Counter()
    for each in reports:
        if each.benefit and each.benefit.money:
            unit = each.benefit.money.unit
            worth[unit] = worth.get(unit, 0.0) + each.benefit.money.amount.estimate
            counted[unit] += 1
    return worth, counted


def _numbers(reports: Sequence[EffectivenessReport], today: date) -> list[dict[str, Any]]:
    return [
        {
            "decision": each.about.decision,
            "imported": each.imported is not None,
            "verdict": each.verdict.kind.value,
            "owner": each.about.owners[0].name,
            "review_by": each.about.review_by.isoformat(),
            "overdue": _row(each, today).overdue,
            "page": f"{stem_of(each)}.html",
            "difference": each.effect.difference.model_dump() if each.effect else None,
            "scale": each.effect.scale if each.effect else None,
        }
        for each in reports
    ]
