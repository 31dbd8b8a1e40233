"""The inbox as a process of its own: ``python -m inbox``, set by FOLLOWTHROUGH_ variables."""

import sys

import uvicorn
from pydantic import ValidationError

from decisions.errors import DecisionLayerError
from flows import logs, wiring
from flows.cli.endings import exit_code, explanation
from flows.mooring import moor
from flows.settings import Settings
from inbox.app import create_app
from inbox.slack_socket import slack_sockets


def main() -> int:
    """Serve the inbox until SIGTERM or Ctrl-C.

    Returns:
        The exit code: 0 once stopped, 1 where the world failed, 2 where a setting or a file is to
        be mended first.
    """
    try:
        settings = Settings()
        logs.set_up(settings.log_format)
        layer = wiring.assemble(settings)
        moor(layer)
        app = create_app(layer)
    except (DecisionLayerError, ValidationError) as error:
        sys.stderr.write(f"{explanation(error)}\n")
        return exit_code(error)
    with slack_sockets(layer):
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
