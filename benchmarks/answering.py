"""How long somebody in Slack waits for their press to be recorded, while others press too.

A real inbox under uvicorn over a ledger full of open cases; presses are signed as Slack signs them
and sent over HTTP at an even pace, each by the assignee of a case of its own. Every answer is
timed from the instant it was due to be sent, so that a slow one does not hide those behind it.

Usage: python -m benchmarks.answering [--cases N] [--pace N] [--seconds N] [--postgresql]
"""

import asyncio
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from cyclopts import App

from benchmarks.jobs import _server
from benchmarks.sweeps import insertion, instant_sql, series
from benchmarks.workload import DECISION, NOW, make
from connectors.testing.interaction import signature
from connectors.testing.team import APP, TEAM
from connectors.testing.wire import HttpAnswer, HttpRequest, LocalServer, json_answer

SECRET = "0123456789abcdef"  # noqa: S105  good for this benchmark alone
PEOPLE = 20
BOUNDS = {"sqlite": 0.5, "postgresql": 0.25}
"""Seconds within which 99 of 100 answers are to come."""
WARM_UP = 50
app = App(name="answering", help=__doc__, help_format="plaintext")


@app.default
def main(
    *, cases: int = 100_000, pace: float = 50, seconds: int = 30, postgresql: bool = False
) -> None:
    """Time answers and print how long they took.

    Args:
        cases: Open cases in the ledger.
        pace: Presses a second.
        seconds: For how long.
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
        took = asyncio.run(_pressed(inbox, cases, pace=pace, seconds=seconds))
        stack.close()
    _print(kind, cases, pace, took)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    each = (used.ru_utime + used.ru_stime) / (len(took) + WARM_UP)
    print(f"  the inbox used {each * 1_000:.1f} ms of processor a press, its start included")
    sys.exit(0 if _is_fast_enough(kind, took) else 1)


@dataclass(frozen=True, slots=True)
class Took:
    """How long one press took."""

    status: int
    seconds: float


def _agreeable(request: HttpRequest) -> HttpAnswer:
    """Answer as a Slack that agrees to everything."""
    if request.path.startswith("/api/"):
        known = {"ok": True, "team_id": TEAM, "app_id": APP, "bot_id": "B0", "bot": {"app_id": APP}}
        return json_answer(known | {"user": {"id": "U0"}})
    return HttpAnswer(200, b"ok")


def _prepare(folder: Path, url: str, cases: int, slack: str) -> None:
    from flows.settings import Settings
    from flows.sweep import decide
    from flows.wiring import assemble

    make(str(folder), "1")
    people = (folder / "people.yaml").read_text()
    for number in range(PEOPLE):
        name = f"name: Person {number},"
        people = people.replace(name, f"{name} slack: U{number:03},")
    (folder / "people.yaml").write_text(people)
    (folder / "connections.yaml").write_text(
        "warehouse: {type: duckdb}\n"
        f'slack: {{type: slack, token: "${{SLACK_BOT_TOKEN}}", base_url: "{slack}/api/",\n'
        '        signing_secret: "${SLACK_SIGNING_SECRET}"}\n'
    )
    os.environ |= {"SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": SECRET}
    layer = assemble(Settings(workspace=folder, home=folder / "home", ledger=url), lambda: NOW)
    decide(layer, DECISION)
    store = layer.ledger._store  # noqa: SLF001  filled from below, as no command could
    with store.writing() as transaction:
        for statement in _statements(cases, transaction.connection):
            transaction.connection.exec_driver_sql(statement)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    layer.ledger.close()


def _statements(cases: int, connection: Any) -> Iterator[str]:
    from datetime import timedelta

    from decisions.ledger.records import Case, Notification

    is_sqlite = connection.dialect.name == "sqlite"
    instant = "" if is_sqlite else "TIMESTAMPTZ "
    facts = """'{"account_id":"a' || i || '","risk":0.99,"arr":60000.0}'"""
    many = series(cases, connection)
    now = instant + instant_sql(NOW, is_sqlite=is_sqlite)
    later = instant + instant_sql(NOW + timedelta(days=3_000), is_sqlite=is_sqlite)
    whose = f"'person.' || (i - i / {PEOPLE} * {PEOPLE})"
    case = {
        "id": "i",
        "key": "'BC-' || i",
        "decision": f"'{DECISION}'",
        "prefix": "'BC'",
        "number": "i",
        "version_id": "1",
        "run_id": "1",
        "subject": "'a' || i",
        "arm": "'treatment'",
        "period": "''",
        "rule": "'critical'",
        "action": "'call'",
        "score": "0.99",
        "scored_at": now,
        "model_name": "'bench'",
        "model_version": "'1'",
        "facts": facts if is_sqlite else f"CAST({facts} AS JSON)",
        "state": "'open'",
        "assignee": whose,
        "opened_at": now,
        "respond_by": later,
        "cycle": "0",
        "step": "0",
        "revision": "0",
        "due_at": later,
    }
    told = {
        "key": f"'BC-' || i || ':0:0:' || {whose} || ':asked'",
        "case_id": "i",
        "kind": "'asked'",
        "recipient": whose,
        "because": "'assigned'",
        "state": "'sent'",
        "attempts": "1",
        "created_at": now,
        "sent_at": now,
        "channel": "'slack'",
        "reference": "'D0/' || i || '.0'",
    }
    yield insertion(Case, case, many)
    yield insertion(Notification, told, many)


@contextmanager
def _inbox(folder: Path, url: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {
        "FOLLOWTHROUGH_WORKSPACE": str(folder),
        "FOLLOWTHROUGH_HOME": str(folder / "home"),
        "FOLLOWTHROUGH_LEDGER": url,
        "FOLLOWTHROUGH_PORT": str(port),
    }
    with (folder / "inbox.log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "inbox"], env=os.environ | variables, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/livez", running, folder / "inbox.log")
        yield address
    finally:
        running.terminate()
        running.wait()


def _wait_for(url: str, running: "subprocess.Popen[bytes]", log: Path) -> None:
    while running.poll() is None:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"the inbox ended:\n{log.read_text()}")


async def _pressed(inbox: str, cases: int, *, pace: float, seconds: int) -> list[Took]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(timeout=30, limits=limits) as client:
        for case in range(cases - WARM_UP, cases):
            await _press(client, inbox, case, time.perf_counter())
        begun, running = time.perf_counter() + 0.1, []
        for place in range(int(pace * seconds)):
            due = begun + place / pace
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            running.append(asyncio.create_task(_press(client, inbox, place + 1, due)))
        return list(await asyncio.gather(*running))


async def _press(client: httpx.AsyncClient, inbox: str, case: int, due: float) -> Took:
    body = urlencode({"payload": json.dumps(_content(case))}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    headers |= signature(SECRET, body, int(time.time()))
    answer = await client.post(f"{inbox}/slack/interactions", content=body, headers=headers)
    return Took(answer.status_code, time.perf_counter() - due)


def _content(case: int) -> dict[str, Any]:
    user = {"id": f"U{case % PEOPLE:03}", "team_id": TEAM}
    where = {"type": "message", "channel_id": "D0", "message_ts": f"{case}.0"}
    button = {"type": "button", "action_id": "acknowledge", "value": f"BC-{case}"}
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "api_app_id": APP,
        "user": user,
        "container": where,
        "channel": {"id": "D0"},
        "message": {"ts": f"{case}.0", "blocks": []},
        "trigger_id": f"t{case}",
        "response_url": "",
        "actions": [button | {"action_ts": f"{case}.1"}],
    }


def _print(kind: str, cases: int, pace: float, took: list[Took]) -> None:
    refused, bound = sum(one.status != 200 for one in took), BOUNDS[kind]
    seconds = [one.seconds for one in took]
    middle, *_ = statistics.quantiles(seconds, n=2)
    p99 = _ninety_nine(took)
    print(
        f"{kind}: {len(took):,} presses at {pace:g} a second, {cases:,} open cases; "
        f"{refused} refused\n"
        f"  median {middle * 1_000:,.0f} ms, p99 {p99 * 1_000:,.0f} ms "
        f"(bound {bound * 1_000:,.0f} ms), longest {max(seconds) * 1_000:,.0f} ms"
    )


def _is_fast_enough(kind: str, took: list[Took]) -> bool:
    return all(one.status == 200 for one in took) and _ninety_nine(took) < BOUNDS[kind]


def _ninety_nine(took: list[Took]) -> float:
    return statistics.quantiles([one.seconds for one in took], n=100, method="inclusive")[98]


if __name__ == "__main__":
    app()
