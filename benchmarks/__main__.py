"""Run every way of the job as a process of its own, in turns, and print medians and ratios.

Usage: python -m benchmarks [ROWS] [ROUNDS]
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.jobs import JOBS, make_batch

ROWS = 1_000_000
ROUNDS = 5


def main(rows: int, rounds: int) -> None:
    """Time the jobs round by round and print one table."""
    console = Console()
    seconds: dict[str, list[float]] = {name: [] for name in JOBS}
    stored: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as made:
        source = Path(made) / "source"
        source.mkdir()
        make_batch(source, rows)
        for _ in track(range(rounds), "Rounds", console=Console(stderr=True)):
            for name in JOBS:
                stored[name] = _timed(name, source, Path(made) / "work", seconds[name])
    if len(set(stored.values())) != 1:
        sys.exit(f"the ways disagree, so their times mean nothing: {stored}")
    console.print(_table(rows, rounds, stored["ours"], seconds))


def _timed(name: str, source: Path, work: Path, seconds: list[float]) -> int:
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(source, work)
    command = [sys.executable, "-m", "benchmarks", "--job", name, str(work)]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds.append(time.perf_counter() - started)
    return int(done.stdout)


def _table(rows: int, rounds: int, stored: int, seconds: dict[str, list[float]]) -> Table:
    title = f"{rows:,} rows judged, {stored:,} cases stored; whole processes, {rounds} rounds"
    table = Table(title=title)
    table.add_column("way")
    for heading in ("median s", "lowest s", "highest s", "ratio to floor"):
        table.add_column(heading, justify="right")
    floor = median(seconds["floor"])
    for name, found in seconds.items():
        middle = median(found)
        figures = (middle, min(found), max(found), middle / floor)
        table.add_row(name, *(f"{figure:.2f}" for figure in figures))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    table.caption = f"Highest memory of any one process: {peak:,.0f} MiB"
    return table


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        print(JOBS[sys.argv[2]](Path(sys.argv[3])))
    else:
        given = [int(text) for text in sys.argv[1:3]]
        main(*(given + [ROWS, ROUNDS][len(given) :]))
