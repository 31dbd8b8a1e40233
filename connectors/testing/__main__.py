"""A pretended Slack as a process of its own: ``python -m connectors.testing --port 8585``."""

import argparse
import json
import sys
from datetime import timedelta
from threading import Event

from connectors.testing.clock import ShiftedClock
from connectors.testing.control import Control
from connectors.testing.pace import SPACING, Pace
from connectors.testing.slack import FakeSlack


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; the first line says where, as JSON.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m connectors.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="any free one by default")
    parser.add_argument(
        "--spacing",
        type=float,
        default=SPACING.total_seconds(),
        help="seconds between two posts into one channel; less is recorded as a breach",
    )
    parser.add_argument("--strict", action="store_true", help="refuse what comes too soon")
    told = parser.parse_args()
    clock = ShiftedClock()
    pace = Pace(spacing=timedelta(seconds=told.spacing), strict=told.strict)
    with FakeSlack(clock=clock, pace=pace, port=told.port) as slack:
        Control(slack, clock)
        about = {"address": slack.url.removesuffix("/api/"), "token": slack.token}
        about |= {"app_token": slack.app_token, "signing_secret": slack.signing_secret}
        sys.stdout.write(json.dumps(about) + "\n")
        sys.stdout.flush()
        try:
            Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
