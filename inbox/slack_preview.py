"""A pretended Slack over the demo's company, to click through: ``python -m inbox.slack_preview``.

Nobody is told anything and no account is needed: people, cases, messages and answers are real,
Slack and its clock are not.
"""

import argparse
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread
from time import sleep

import uvicorn

from connectors.slack.channel import SlackChannel
from connectors.testing.clock import ShiftedClock
from connectors.testing.slack import FakeSlack
from connectors.testing.viewer import PATH, Viewer
from decisions.errors import NotUnderstood
from flows import sweep, wiring
from flows.demo.company import Company
from flows.demo.play import DECISION, sign_off
from flows.demo.stage import Stage, account_managers, cleared, write_tables
from flows.demo.timeline import default_end
from flows.wiring import Layer
from inbox.app import create_app
from inbox.slack import EVENTS
from inbox.slack import PATH as INTERACTIONS

HOUR = 3600
_HOST = "127.0.0.1"
_TABLES = ("churn_scores", "accounts", "renewals", "crm_calls")


@contextmanager
def previewed(
    folder: Path, *, port: int, inbox_port: int, accounts: int = 1_500, seed: int = 7
) -> Iterator[str]:
    """Show the demo's company in a pretended Slack for as long as the block lasts.

    Args:
        folder: Where workspace and ledger are kept; an earlier preview there is replaced.
        port: Where Slack's page is served; any free one for 0.
        inbox_port: Where the inbox is served.
        accounts: Accounts of the company.
        seed: What everything is drawn from.

    Yields:
        The page's address.

    Raises:
        NotUnderstood: The folder holds something that is neither a preview nor a demo, or a port is
            taken; nothing was touched.
    """
    for option, wanted in (("--port", port), ("--inbox-port", inbox_port)):
        _see_free(option, wanted)
    begins_at = default_end(datetime.now(UTC)).replace(hour=9)
    clock = ShiftedClock()
    clock.stop_at(begins_at)
    stage = cleared(folder, preview=True)
    with ExitStack() as stack:
        slack = stack.enter_context(FakeSlack(clock=clock, port=port))
        layer = _layer(stage, clock, slack, inbox_port, accounts=accounts, seed=seed)
        stack.callback(layer.ledger.close)
        address = f"http://127.0.0.1:{inbox_port}"
        slack.interactions_to, slack.events_to = address + INTERACTIONS, address + EVENTS
        sweep.decide(layer, DECISION)
        sweep.dispatch(layer)
        controls = {
            "1 hour later": partial(_later, layer, clock, 1),
            "1 day later": partial(_later, layer, clock, 24),
        }
        title = "Larkfield in a pretended Slack"
        Viewer(slack, clock, controls=controls, title=title)
        stack.enter_context(_served(layer, inbox_port))
        yield slack.url.removesuffix("api/") + PATH


def _see_free(option: str, port: int) -> None:
    """See that nobody else listens, before an earlier preview that still runs is replaced."""
    try:
        socket.create_server((_HOST, port)).close()
    except (OSError, OverflowError) as fault:
        raise NotUnderstood(f"{option} {port} cannot be used ({fault}); name another") from fault


def _layer(
    stage: Stage,
    clock: ShiftedClock,
    slack: FakeSlack,
    inbox_port: int,
    *,
    accounts: int,
    seed: int,
) -> Layer:
    settings = stage.settings.model_copy(update={"port": inbox_port, "url": None})
    workspace = wiring.read_workspace(settings, clock)
    managers = account_managers(workspace.people, workspace.decisions[DECISION])
    company = Company(accounts=accounts, managers=managers, begins_on=clock().date(), seed=seed)
    write_tables(stage.warehouse, {name: company.table(name, clock()) for name in _TABLES})
    layer = wiring.assemble(settings, clock)
    sign_off(layer, DECISION)
    for person in layer.workspace.people.people.values():
        if person.slack:
            slack.add_person(person.slack, email=person.email, name=person.name, zone=person.zone)
    channel = SlackChannel(
        "slack", slack.token, slack.url, signing_secret=slack.signing_secret, clock=clock
    )
    return replace(layer, channels={"slack": channel})


def _later(layer: Layer, clock: ShiftedClock, hours: int) -> None:
    """Let so much time pass, with a sweep in every hour of it."""
    for _ in range(hours):
        clock.forward(HOUR)
        sweep.dispatch(layer)


@contextmanager
def _served(layer: Layer, port: int) -> Iterator[None]:
    app = create_app(layer)
    config = uvicorn.Config(app, port=port, log_level="warning", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        sleep(0.05)
    if not server.started:
        raise NotUnderstood(f"--inbox-port {port} was taken meanwhile; name another")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def main() -> int:
    """Serve the preview until Ctrl-C.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m inbox.slack_preview", description=__doc__)
    parser.add_argument("--port", type=int, default=8585, help="of the page (8585)")
    parser.add_argument("--inbox-port", type=int, default=8484, help="of the inbox (8484)")
    parser.add_argument("--folder", type=Path, default=Path(".followthrough/slack-preview"))
    told = parser.parse_args()
    try:
        with previewed(told.folder, port=told.port, inbox_port=told.inbox_port) as page:
            sys.stdout.write(f"Open {page} and answer as anybody; Ctrl-C ends it.\n")
            sys.stdout.flush()
            while True:
                sleep(HOUR)
    except NotUnderstood as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
