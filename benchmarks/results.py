"""Figures of a run: as tables, as ``results.json``, as a chart, and in README.md."""

import json
import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measuring import Measured

_VERSIONS = ("duckdb", "pyarrow", "sqlalchemy", "sqlglot", "psycopg", "polars", "sqlmodel")
_VERSIONS += ("zen-engine", "common-expression-language", "rule-engine")
_BEGIN, _END = "<!-- results: written by make bench -->", "<!-- end of results -->"
_CHART = "![Ratios to the limit of each job, as bars](results.svg)"
_HEADINGS = ("way", "wall s", "fastest", "slowest", "CPU s", "inside s", "peak MiB", "ratio")


@dataclass(slots=True)
class Done:
    """One job, done.

    Attributes:
        job: Its name.
        size: Rows of the batch, or cases stored.
        rounds: How often each way was run.
        ways: What each came to.
        limit: The way whose time is 1 in the ratios; the first one's if left out. A way whose
            name ends in ``_postgresql`` is held against the limit there.
    """

    job: str
    size: int
    rounds: int
    ways: list[Measured]
    limit: str | None = None

    def kept(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {
            "rounds": self.rounds,
            "answer": self.ways[0].answer,
            "limit": self.limit or self.ways[0].way,
            "ways": {way.way: way.summary() for way in self.ways},
        }

    def table(self) -> Any:
        """Return it as it is printed."""
        from rich.table import Table

        drawn = Table(title=f"{self.job}, {self.size:,}; medians of {self.rounds} rounds")
        for place, heading in enumerate(_HEADINGS):
            drawn.add_column(heading, justify="right" if place else "left", no_wrap=not place)
        for row in _rows(self.kept()):
            drawn.add_row(*row)
        return drawn


class Results:
    """What is kept of all jobs; a job that is run again replaces its own figures alone.

    Args:
        file: Where it is kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept = json.loads(file.read_text()) if file.exists() else {"jobs": {}}

    def add(self, done: Done) -> None:
        """Take in one job."""
        self._kept["jobs"][f"{done.job} {done.size:,}"] = done.kept()

    def write(self) -> None:
        """Write what is kept, with the machine it was measured on."""
        self._kept["machine"] = _machine()
        self._kept["jobs"] = dict(sorted(self._kept["jobs"].items(), key=_by_job_and_size))
        self._file.write_text(json.dumps(self._kept, indent=1) + "\n")


def draw(folder: str) -> None:
    """Draw the chart and put the tables into README.md."""
    kept = json.loads((Path(folder) / "results.json").read_text())
    _chart(kept).save(Path(folder) / "results.svg")
    readme = Path(folder) / "README.md"
    before, _, rest = readme.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    readme.write_text(f"{before}{_BEGIN}\n\n{_CHART}\n\n{_written(kept)}\n{_END}{after}")


def _rows(kept: dict[str, Any]) -> list[list[str]]:
    ways, inside = kept["ways"], kept["limit"]
    rows = []
    for name, found in ways.items():
        limit = inside.replace("sqlite", "postgresql") if name.endswith("_postgresql") else inside
        if kept["limit"].startswith("executemany") and name.endswith("_postgresql"):
            limit = "copy_postgresql"
        measure = "inside" if "inside" in found and "inside" in ways[limit] else "wall"
        ratio = found[measure] / ways[limit][measure]
        figures = [found.get(key) for key in ("wall", "fastest", "slowest", "cpu", "inside")]
        rows.append([name, *map(_seconds, figures), f"{found['peak']:,.0f}", f"{ratio:.2f}"])
    return rows


def _seconds(figure: float | None) -> str:
    if figure is None:
        return ""
    return f"{figure:.2f}" if figure >= 0.1 else f"{figure:.6f}".rstrip("0")


def _written(kept: dict[str, Any]) -> str:
    machine = kept["machine"]
    lines = [f"Measured on {machine['cores']} cores ({machine['processor']}), "]
    lines[0] += f"{machine['memory']} GiB of memory, {machine['system']}, Python "
    lines[0] += f"{machine['python']}; " + ", ".join(
        f"{name} {number}" for name, number in machine["versions"].items()
    )
    lines[0] += "."
    for name, job in kept["jobs"].items():
        lines += ["", f"### {name.capitalize()}", "", f"Medians of {job['rounds']} rounds.", ""]
        lines.append("| " + " | ".join(_HEADINGS) + " |")
        lines.append("| --- |" + " --: |" * (len(_HEADINGS) - 1))
        lines += ["| " + " | ".join([f"`{row[0]}`", *row[1:]]) + " |" for row in _rows(job)]
    return "\n".join(lines) + "\n"


def _chart(kept: dict[str, Any]) -> Any:
    import altair as alt

    found = [
        {"job": name, "way": row[0], "ratio": float(row[-1])}
        for name, job in kept["jobs"].items()
        if not name.startswith(("sweeps", "records", "reporting"))
        for row in _rows(job)
    ]
    rows = alt.Chart(alt.Data(values=found))
    ratio = alt.X("ratio:Q", title="times the limit's time (logarithmic)").scale(type="log")
    way = alt.Y("way:N", title=None).sort(None)
    bars = rows.mark_bar(color="#2f5d8a", height=14).encode(x=ratio, y=way)
    texts = rows.mark_text(align="left", dx=4).encode(
        x=ratio, y=way, text=alt.Text("ratio:Q", format=".3~s")
    )
    faceted = alt.layer(bars, texts).properties(width=560)
    return faceted.facet(row=alt.Row("job:N", title=None).sort(None)).resolve_scale(y="independent")


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory": round(memory),
        "processor": _processor(),
        "system": platform.system(),
        "python": sys.version.split()[0],
        "versions": {name: version(name) for name in _VERSIONS},
    }


def _processor() -> str:
    """Return what the processor is called, where the system says so; else its architecture."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(filter(None, names), platform.machine())


def _by_job_and_size(named: tuple[str, Any]) -> tuple[str, int]:
    job, _, size = named[0].partition(" ")
    return job, int(size.replace(",", ""))
