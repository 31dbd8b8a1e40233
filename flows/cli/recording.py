"""Work done as plain functions, or as flow runs that Prefect records."""

import importlib
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from decisions.errors import DecisionLayerError
from flows.cli.here import Here

if TYPE_CHECKING:
    from flows.wiring import Layer

R = TypeVar("R")


class PrefectAway(DecisionLayerError):
    """The Prefect server that is to record the work does not answer."""


QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL": "WARNING",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}
"""What Prefect is told before it is imported, unless the environment says otherwise."""


def carried_out(
    here: Here,
    entrypoint: str,
    plain: Callable[["Layer"], R],
    *,
    flow: bool | None,
    **parameters: Any,
) -> R:
    """Do the work and return its summary.

    A flow run is recorded where PREFECT_API_URL names a server, or where it is asked for: a
    server started for one command takes longer than the work.

    Args:
        here: What the command works on.
        entrypoint: The flow, such as ``flows.decide:decide``.
        plain: The same work without Prefect.
        flow: Whether to record a flow run; None leaves it to the environment.
        **parameters: What the flow takes.
    """
    if flow is None:
        flow = bool(os.environ.get("PREFECT_API_URL"))
    return _as_flow_run(here, entrypoint, parameters) if flow else plain(here.layer)


def _as_flow_run(here: Here, entrypoint: str, parameters: dict[str, Any]) -> Any:
    if not os.environ.get("PREFECT_API_URL") and "prefect" not in sys.modules:
        here.out.note("PREFECT_API_URL is not set: a Prefect server is started for this command")
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import asyncio

    from flows import wiring

    module, _, name = entrypoint.partition(":")
    flow = getattr(importlib.import_module(module), name)
    with wiring.using(here.layer):
        return asyncio.run(_recorded(here, flow, parameters))


async def _recorded(here: Here, flow: Any, parameters: dict[str, Any]) -> Any:
    from prefect import get_client
    from prefect.utilities.urls import url_for

    async with get_client() as client:
        found = await client.api_healthcheck()
        if found is not None:
            raise PrefectAway(
                f"Prefect does not answer at {client.api_url} ({found}); nothing was done. Start "
                "it, set PREFECT_API_URL to where it runs, or do without it: --no-flow"
            )
    state = await flow(**parameters, return_state=True)
    run = state.state_details.flow_run_id
    page = url_for("flow-run", run) if os.environ.get("PREFECT_API_URL") else None
    here.out.note(f"recorded as flow run {run}" + (f", {page}" if page else ""))
    return await state.aresult()
