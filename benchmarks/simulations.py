"""Whether intervals and verdicts keep what they promise, through the real ledger and report code.

Every world is a decision of its own in a ledger: arms drawn, cases, outcomes. Each look counts
in the database, judges, and publishes, as a monthly report does.
Usage: python -m benchmarks.simulations [WORLDS] [SEED] [drawn]

With ``drawn``, what a ledger would have counted is drawn instead: the same question of many more.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from statsmodels.stats.proportion import proportion_confint

from benchmarks.promises import RATE, Looked, measured, promised, world
from benchmarks.worlds import SUBJECTS, Worlds

WORLDS = 600
TOGETHER = 10
"""Worlds that share a ledger, and are read one after the other by one process."""
Held = dict[str, list[bool]]


def in_ledger(place: int, *, count: int, seed: int) -> Held:
    """Return what held in so many worlds of one ledger.

    Args:
        place: Which ledger of all; worlds are drawn from it and the seed.
        count: Worlds that are read twelve times; four times as many are read once.
        seed: What they are drawn from.
    """
    with tempfile.TemporaryDirectory() as folder:
        worlds = Worlds(Path(folder), np.random.default_rng([seed, place]))

        def make(effect: float, planned: int) -> Looked:
            return worlds.world(rate=RATE, effect=effect, planned=planned)

        found = measured(make, count)
        worlds.close()
    return found


def drawn(place: int, *, count: int, seed: int) -> Held:
    """Return what held in so many worlds of which only counts are drawn; see ``in_ledger``."""
    random = np.random.default_rng([seed, place])
    return measured(partial(world, random), count)


def held(count: int, seed: int, *, by: Callable[..., Held] = in_ledger) -> Held:
    """Return what held in which world, with a process for each core.

    Args:
        count: Worlds that are read twelve times; four times as many are read once.
        seed: What they are drawn from; the first worlds of more are those of fewer.
        by: What makes them and asks.
    """
    places = range(-(-count // TOGETHER))
    ask = partial(by, count=min(count, TOGETHER), seed=seed)
    found: Held = {}
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as processes:
        answers = processes.map(ask, places)
        shown = Console(stderr=True)
        for answer in track(answers, "Worlds", total=len(places), console=shown):
            for name, each in answer.items():
                found.setdefault(name, []).extend(each)
    return found


def main(count: int, seed: int, *, by: Callable[..., Held] = in_ledger) -> None:
    """Print the table."""
    through = "counts drawn, the report's own statistics" if by is drawn else "through the ledger"
    table = Table(title=f"{count:,} worlds of {SUBJECTS:,} subjects, seed {seed}; {through}")
    for heading in ("in what share of worlds", "worlds", "found", "95% interval", "should be"):
        table.add_column(heading, justify="right" if table.columns else "left")
    for name, each in held(count, seed, by=by).items():
        low, high = proportion_confint(sum(each), len(each), method="wilson")
        between, share = f"{low:.1%} to {high:.1%}", f"{np.mean(each):.1%}"
        table.add_row(name, f"{len(each):,}", share, between, promised()[name])
    Console().print(table)


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:] if each != "drawn"]
    count, seed = (given + [WORLDS, 1][len(given) :])[:2]
    main(count, seed, by=drawn if "drawn" in sys.argv else in_ledger)
