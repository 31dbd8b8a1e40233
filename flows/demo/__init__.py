"""The whole loop on a made-up company: real flows, real ledger, simulated world.

Nothing here is heavy when imported: Prefect is, and must be told how to behave before it is.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from flows.demo.result import DemoResult

__all__ = ["run_demo"]

_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}
# At this pace Prefect's own event services and the runs would lock each other out of its SQLite.
_WITHOUT_EVENTS = {
    f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false"
    for service in ("EVENT_PERSISTER", "TASK_RUN_RECORDER", "TRIGGERS")
}
_INTERRUPTED = 130
"""Ctrl-C, as shells count it."""
_UNSET = ("PREFECT_API_URL", "PREFECT_API_KEY")


def run_demo(
    folder: Path,
    *,
    seed: int = 7,
    accounts: int = 20_000,
    weeks: int = 26,
    until: datetime | None = None,
    console: Console | None = None,
) -> "DemoResult":
    """Let a made-up company live through some weeks, and report what came of it.

    Nobody is really told anything, whatever tokens are set, and no Prefect server is asked but one
    started for the occasion, with its database below the folder.

    Args:
        folder: Where workspace, ledger and reports are kept; an earlier demo there is replaced.
        seed: The same seed and end make the same ledger, to the last hash.
        accounts: Accounts of the company.
        weeks: How long the story lasts; outcomes are known after 60 days.
        until: When it ends (timezone-aware); by default the latest Tuesday, 11:00 UTC.
        console: Where progress is shown; stderr if left out.

    Raises:
        NotUnderstood: The folder holds something that is not a demo.
    """
    from flows.demo.stage import cleared
    from flows.demo.timeline import default_end

    began = time.monotonic()
    end = (until or default_end(datetime.now(UTC))).astimezone(UTC)
    stage = cleared(folder, seed=seed, accounts=accounts, weeks=weeks, until=end)
    with _quiet_prefect(stage.prefect):
        from flows.demo.play import played

        told = console or Console(stderr=True)
        playing = played(stage, seed=seed, accounts=accounts, weeks=weeks, until=end, console=told)
        with _stopped_at_once():
            result = asyncio.run(_with_one_client(playing))
    return result.model_copy(update={"seconds": round(time.monotonic() - began, 1)})


async def _with_one_client(playing: Coroutine[Any, Any, "DemoResult"]) -> "DemoResult":
    """Let all flow runs share Prefect's clients, whose making anew takes half of a short run.

    Only here, where the server runs without its event services: with them, runs that follow one
    another this fast wait for its database. No run sends heartbeats either: the threads that do
    would outlive the program's end.
    """
    from prefect.context import AsyncClientContext, SyncClientContext
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        async with AsyncClientContext.get_or_create():
            with SyncClientContext.get_or_create():
                return await playing


@contextmanager
def _stopped_at_once() -> Iterator[None]:
    """Let Ctrl-C end the program at once.

    The server hears the same Ctrl-C and is gone; Prefect would go on asking it for minutes.
    """
    from prefect.server.api.server import SubprocessASGIServer

    def stop(_number: int, _frame: FrameType | None) -> None:
        for server in list(SubprocessASGIServer._instances.values()):  # noqa: SLF001  no other list
            with suppress(Exception):
                server.stop()
        os.write(sys.stderr.fileno(), b"\nstopped\n")
        os._exit(_INTERRUPTED)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _quiet_prefect(home: Path) -> Iterator[None]:
    """Tell Prefect how to behave, as long as the block lasts; it reads this when imported."""
    told = _QUIET | _WITHOUT_EVENTS | {"PREFECT_HOME": str(home)}
    before = {name: os.environ.pop(name, None) for name in (*_UNSET, *told)}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
