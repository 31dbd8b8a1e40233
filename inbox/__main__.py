"""The inbox as a process of its own: ``python -m inbox``, set by FOLLOWTHROUGH_ variables."""

import sys

import uvicorn

from decisions.errors import DecisionLayerError
from flows import logs, wiring
from flows.mooring import moor
from flows.settings import Settings
from inbox.app import create_app
from inbox.slack_socket import slack_sockets


def main() -> int:
    """Serve the inbox until SIGTERM or Ctrl-C.

    Returns:
        The exit code: 0 once stopped, 1 where the layer cannot be assembled.
    """
    settings = Settings()
    logs.set_up(settings.log_format)
    try:
        layer = wiring.assemble(settings)
        moor(layer)
        app = create_app(layer)
    except DecisionLayerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
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
