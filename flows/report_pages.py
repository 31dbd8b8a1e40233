"""A report as files and texts: one self-contained HTML page, the same numbers as JSON, Markdown."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from decisions.effectiveness import written
from decisions.effectiveness.adoption import FEWEST
from decisions.effectiveness.effect import Effect
from decisions.effectiveness.judgement import Judgement
from decisions.effectiveness.parts import MOST_PARTS
from decisions.effectiveness.report import EffectivenessReport
from decisions.effectiveness.slicing import FEWEST as FEWEST_OF_PART
from flows.report_numbers import csv_of

MOST_LOOPS = 15
"""People listed by name with their open loops; the JSON has them all."""


TONES = {"works": "good", "harmful": "bad", "cannot be judged": "warn"}
"""The colour of each verdict; all others are calm. None is told by its colour alone."""

MOST_NAMED, MOST_ROWS = 25, 12
"""Cases and rows shown on the page; the JSON has more."""

_LIMITS = {
    "most_loops": MOST_LOOPS,
    "most_named": MOST_NAMED,
    "most_rows": MOST_ROWS,
    "fewest": FEWEST,
    "fewest_of_part": FEWEST_OF_PART,
    "most_parts": MOST_PARTS,
    "tones": TONES,
}


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where a report was written."""

    html: Path
    json: Path
    csv: Path


def write_report(report: EffectivenessReport, folder: Path) -> ReportFiles:
    """Write the page and the numbers, named for the decision and the month reported on.

    A report on the same month replaces the one before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = stem_of(report)
    files = ReportFiles(
        html=folder / f"{stem}.html",
        json=folder / f"{stem}.json",
        csv=folder / f"{stem}.csv",
    )
    files.html.write_text(html(report), encoding="utf-8")
    files.json.write_text(report.model_dump_json(indent=2), encoding="utf-8")
    files.csv.write_text(csv_of(report), encoding="utf-8", newline="")
    return files


def stem_of(report: EffectivenessReport) -> str:
    """Return what the files of a report are called, without their ending."""
    if report.imported is None:
        return f"{report.about.decision}-{report.last:%Y-%m}"
    period = re.sub(r"[^\w.-]+", "-", report.imported.period)
    return f"{report.about.decision}-imported-{period}"


def html(report: EffectivenessReport) -> str:
    """Return the report as one HTML page without script or outside reference."""
    from flows import report_charts as charts

    drawn = {"funnel": charts.funnel(report.funnel.stages)} if report.funnel.stages[0].count else {}
    if report.effect is not None:
        drawn |= {
            "outcomes": charts.outcomes(report.effect),
            "difference": charts.difference(report.effect),
        }
    looks = _looks(report)
    if len(looks) > 1:
        drawn["looks"] = charts.looks(looks, worthwhile=report.worthwhile)
    latest = latest_judgement(report)
    if latest and latest.accuracy:
        drawn["reliability"] = charts.reliability(latest.accuracy)
    return _render("report.html.j2", report, charts=drawn, price=price_of_holdout(report))


def latest_judgement(report: EffectivenessReport) -> Judgement | None:
    """Return the newest batch whose scores could be judged; else the newest; None without one."""
    judged = [each for each in report.judgements if each.accuracy]
    return next(reversed(judged or report.judgements), None)


def price_of_holdout(report: EffectivenessReport) -> str | None:
    """Return what leaving subjects alone has cost so far, if the estimate holds; else None."""
    benefit = report.benefit
    if benefit is None or not benefit.subjects or benefit.successes.lower <= 0:
        return None
    forgone = benefit.successes.estimate / benefit.subjects * report.control.mature
    text = (
        f"The price of knowing: {written.count(report.control.mature)} subjects were left alone; "
        f"if the estimate holds, about {written.count(forgone)} of them would have done better"
    )
    if benefit.money is None:
        return f"{text}."
    return f"{text}, {written.amount(forgone * benefit.money.each, benefit.money.unit)} forgone."


def _unjudged(report: EffectivenessReport) -> str:
    """Return why nothing is known of a model that was never judged."""
    if report.imported:
        return "an imported file carries outcomes and no scores to hold against them."
    if report.about.measure is None:
        return "no outcome is declared that scores could be held against."
    return (
        "a batch of scores is judged once its outcomes are final, on those whom nobody acted on; "
        "none has come so far."
    )


def _is_rate(report: EffectivenessReport) -> bool:
    """Return whether every known outcome of the subjects put forward is 0 or 1."""
    return report.treatment.zero_or_one == report.treatment.observed


def _looks(report: EffectivenessReport) -> list[tuple[str, Effect]]:
    """Return the published estimates of this period, then the present one."""
    published = [
        (look.label, look.effect)
        for look in report.looks
        if look.effect and look.period == report.about.period
    ]
    here = f"{report.last:%Y-%m}"
    if report.effect is None or here in {label for label, _ in published}:
        return published
    return [*published, (here, report.effect)]


def markdown(report: EffectivenessReport) -> str:
    """Return the report in brief as Markdown, for an artifact or a message."""
    return _render("report.md.j2", report)


def _render(template: str, report: EffectivenessReport, **more: object) -> str:
    page = environment().get_template(template)
    told = {"r": report, "stem": stem_of(report), "latest": latest_judgement(report)}
    told |= {"unjudged": _unjudged(report), "is_rate": _is_rate(report)}
    return page.render(**told, **_LIMITS, **more)


@cache
def environment() -> Environment:
    """Return where the templates of reports are rendered."""
    environment = Environment(
        loader=PackageLoader("flows"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("count", "percent", "share", "points", "number", "day"):
        environment.filters[name] = getattr(written, name)
    environment.filters |= {
        "exact": lambda share: f"{share:.2%}",
        "exact_points": lambda share: f"{share * 100:+.2f}".replace("-", written.MINUS),
        "cents": lambda value: f"{value:,.2f}".replace("-", written.MINUS),
        "few": lambda count: "\N{EN DASH}" if count is None else written.count(count),
        "hours": _hours,
        "per": lambda number: written.number(number) if number < 10 else written.count(number),
        "plain": lambda value: "" if value is None else str(value),
    }
    environment.globals["written"] = written
    environment.filters["cell"] = _cell
    return environment


def _hours(seconds: int) -> str:
    """Return working time as people say it."""
    if seconds < 3_600:
        return f"{seconds // 60} min"
    return f"{seconds / 3_600:.1f} h"


def _cell(text: str) -> str:
    """Return text that cannot break out of a cell of a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
