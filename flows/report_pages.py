"""A report as files and texts: one self-contained HTML page, the same numbers as JSON, Markdown."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from decisions.effectiveness import written
from decisions.effectiveness.report import EffectivenessReport

MOST_LOOPS = 15
"""People listed by name with their open loops; the JSON has them all."""


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where a report was written."""

    html: Path
    json: Path


def write_report(report: EffectivenessReport, folder: Path) -> ReportFiles:
    """Write the page and the numbers, named for the decision and the month reported on.

    A report on the same month replaces the one before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = stem_of(report)
    files = ReportFiles(html=folder / f"{stem}.html", json=folder / f"{stem}.json")
    files.html.write_text(html(report), encoding="utf-8")
    files.json.write_text(report.model_dump_json(indent=2), encoding="utf-8")
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
    return _render("report.html.j2", report, charts=drawn)


def markdown(report: EffectivenessReport) -> str:
    """Return the report in brief as Markdown, for an artifact or a message."""
    return _render("report.md.j2", report)


def _render(template: str, report: EffectivenessReport, **more: object) -> str:
    page = _environment().get_template(template)
    return page.render(r=report, stem=stem_of(report), most_loops=MOST_LOOPS, **more)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("flows"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("count", "percent", "share", "points", "number", "day"):
        environment.filters[name] = getattr(written, name)
    environment.globals["written"] = written
    environment.filters["cell"] = _cell
    return environment


def _cell(text: str) -> str:
    """Return text that cannot break out of a cell of a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
