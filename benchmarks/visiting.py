"""How long people wait for their queue while others open theirs, over a ledger full of open cases.

A real inbox under uvicorn; so many people have their queue open over HTTP at once, and each of them
opens it again a while after the page before is there. No page is timed before the inbox is warm.

Usage: python -m benchmarks.visiting [--cases N] [--visits N] [--people N] [--pause SECONDS]
    [--postgresql]
"""

import asyncio
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import httpx
from cyclopts import App

from benchmarks.answering import PEOPLE, _agreeable, _inbox, _prepare
from benchmarks.jobs import _server
from connectors.testing.wire import LocalServer

BOUNDS = {"sqlite": 0.3, "postgresql": 0.2}
"""Seconds within which 95 of 100 pages are to come."""
app = App(name="visiting", help=__doc__, help_format="plaintext")


@app.default
def main(
    *,
    cases: int = 100_000,
    visits: int = 20,
    people: int = PEOPLE,
    pause: float = 2,
    postgresql: bool = False,
) -> None:
    """Time pages and print how long they took.

    Args:
        cases: Open cases in the ledger.
        visits: How often each person opens their queue.
        people: How many do so at once, at most 20.
        pause: Seconds that each reads before opening it again; 0 to ask without end.
        postgresql: Keep the ledger in PostgreSQL instead of SQLite.
    """
    kind = "postgresql" if postgresql else "sqlite"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        slack = stack.enter_context(LocalServer(_agreeable))
        url = f"sqlite:///{folder / 'ledger.db'}"
        if postgresql:
            url = stack.enter_context(_server(folder))()
        _prepare(folder, url, cases, slack.url)
        inbox = stack.enter_context(_inbox(folder, url))
        took = asyncio.run(_visited(inbox, people, visits, pause))
    middle, slow = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(
        f"{kind}, {cases:,} open cases, {people} people at once, {len(took)} pages: "
        f"p50 {middle * 1_000:.0f} ms, p95 {slow * 1_000:.0f} ms "
        f"(at most {BOUNDS[kind] * 1_000:.0f})"
    )
    sys.exit(0 if slow <= BOUNDS[kind] else 1)


async def _visited(inbox: str, people: int, visits: int, pause: float) -> list[float]:
    """Return the seconds each page took."""
    async with httpx.AsyncClient(base_url=inbox, timeout=60, trust_env=False) as client:
        await asyncio.gather(*(_visit(client, each, 2, 0) for each in range(people)))
        visiting = (_visit(client, each, visits, pause) for each in range(people))
        found = await asyncio.gather(*visiting)
    return [seconds for each in found for seconds in each]


async def _visit(client: httpx.AsyncClient, person: int, times: int, pause: float) -> list[float]:
    took = []
    await asyncio.sleep(pause * person / PEOPLE)  # nobody waits for anybody else to click
    for _ in range(times):
        began = perf_counter()
        page = await client.get("/", headers={"Cookie": f"followthrough_person=person.{person}"})
        took.append(perf_counter() - began)
        await asyncio.sleep(pause)
        if page.status_code != 200 or "Your queue" not in page.text:
            raise SystemExit(f"no queue came back, but {page.status_code}")
    return took


if __name__ == "__main__":
    app()
