"""Run the benchmarks: every way of a job as a process of its own, in turns; print and keep figures.

Usage: python -m benchmarks [JOB ...] [--rows N] [--rounds N] [--stored N ...] [--cases N]

Jobs are evaluation, deciding, writing, records, sweeps and reporting; all of them if none is named.
"""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from benchmarks import jobs
from benchmarks.measuring import WaysDisagree, run_python
from benchmarks.results import Results

KEPT = Path(__file__).parent / "results.json"
app = App(name="benchmarks", help=__doc__, help_format="plaintext")


@app.default
def main(
    *names: str,
    rows: int = 1_000_000,
    rounds: int = 5,
    stored: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    cases: int = 1_000_000,
    keep: bool = True,
) -> None:
    """Time jobs and write their figures down.

    Args:
        names: Which jobs; all if none is named.
        rows: Rows of the batch.
        rounds: How often each way is run.
        stored: Cases in the ledgers of the sweeps.
        cases: Cases in the ledger that is reported on.
        keep: Whether to write results.json, results.svg and the tables of README.md.
    """
    console, results = Console(), Results(KEPT)
    if unknown := set(names) - set(jobs.JOBS):
        sys.exit(f"there is no job {', '.join(sorted(unknown))}; there are {', '.join(jobs.JOBS)}")
    with tempfile.TemporaryDirectory() as made:
        asked = jobs.Asked(Path(made), rows, rounds, tuple(stored or (10_000, 100_000)), cases)
        for name in names or tuple(jobs.JOBS):
            try:
                for done in jobs.JOBS[name](asked):
                    console.print(done.table())
                    results.add(done)
            except WaysDisagree as disagreement:
                sys.exit(f"{name}: {disagreement}")
    if keep:
        results.write()
        # In a process of its own: what draws the chart would weigh on every later figure of memory.
        run_python("benchmarks.results", "draw", KEPT.parent)


if __name__ == "__main__":
    app()
