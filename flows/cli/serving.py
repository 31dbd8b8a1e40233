"""Which programs `serve` runs, and what each of them is told."""

import os
from collections.abc import Iterator
from pathlib import Path

import flows
from decisions.errors import NotUnderstood
from flows.cli.recording import QUIET
from flows.settings import Settings
from flows.supervision import Program, Supervisor, refuse_taken_port

LOCALHOST = "127.0.0.1"
PREFECT_PORT = 4200
"""Where Prefect's own server listens unless PREFECT_SERVER_API_PORT says otherwise."""

SERVER = {
    "PREFECT_LOGGING_EXTRA_LOGGERS": "decisions,connectors",
    "PREFECT_RUNNER_POLL_FREQUENCY": "5",
    # A run every minute would otherwise grow the server's database by tens of megabytes a day.
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P3D",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": '["events", "flow_runs"]',
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "P14D",
}
"""What a server and a runner of ours are told, unless the environment says otherwise."""


class Service:
    """The inbox, and what keeps the schedules, as programs of their own.

    Attributes:
        prefect_url: The API of the Prefect server; None where no schedule is kept.

    Args:
        settings: Where things are.
        schedules: Whether schedules are kept.
    """

    def __init__(self, settings: Settings, *, schedules: bool) -> None:
        self._settings = settings
        self._own_port: int | None = None
        self.prefect_url = os.environ.get("PREFECT_API_URL") if schedules else None
        if schedules and not self.prefect_url:
            self._own_port = _prefect_port()
            self.prefect_url = f"http://{LOCALHOST}:{self._own_port}/api"

    @property
    def logs(self) -> Path:
        """Where each program's output is kept."""
        return self._settings.home.absolute() / "logs"

    @property
    def places(self) -> dict[str, object]:
        """Where people look: the inbox, Prefect's pages, the programs' output."""
        return {
            "inbox": self._settings.inbox_url,
            "prefect": self.prefect_url and self.prefect_url.removesuffix("/api"),
            "logs": self.logs,
        }

    def refuse_taken_ports(self) -> None:
        """See that nothing listens yet where we are about to.

        Raises:
            NotRunning: Something does.
        """
        if self._own_port is not None:
            refuse_taken_port(
                LOCALHOST,
                self._own_port,
                what="Prefect's server",
                instead="set PREFECT_SERVER_API_PORT to another port, or PREFECT_API_URL to the "
                "server that is to be used",
            )
        refuse_taken_port(
            self._settings.host,
            self._settings.port,
            what="the inbox",
            instead="name another with --port",
        )

    def supervisor(self) -> Supervisor:
        """Return what runs the programs."""
        return Supervisor(self._environment(), self.logs)

    def programs(self) -> Iterator[Program]:
        """Yield the programs in the order in which they need one another."""
        if self._own_port is not None:
            words = ["-m", "prefect", "server", "start", "--host", LOCALHOST]
            words += ["--port", str(self._own_port)]
            yield Program("prefect server", words, url=f"{self.prefect_url}/health")
        if self.prefect_url:
            yield Program("schedules", ["-m", "flows.serve"])
        host = LOCALHOST if self._settings.host in {"0.0.0.0", "::"} else self._settings.host  # noqa: S104  compared, not listened on
        url = f"http://{host}:{self._settings.port}/livez"
        yield Program("inbox", ["-m", "inbox"], url=url)

    def _environment(self) -> dict[str, str]:
        here = self._settings
        ours = {
            "FOLLOWTHROUGH_WORKSPACE": str(here.workspace.absolute()),
            "FOLLOWTHROUGH_HOME": str(here.home.absolute()),
            "FOLLOWTHROUGH_LEDGER": here.ledger_url,
            "FOLLOWTHROUGH_REPORTS": str(here.reports_folder.absolute()),
            "FOLLOWTHROUGH_HOST": here.host,
            "FOLLOWTHROUGH_PORT": str(here.port),
            # The packages we run from, and no folder of the same name where we were started.
            "PYTHONPATH": os.pathsep.join([_root(), os.environ.get("PYTHONPATH", "")]).rstrip(":"),
            "PYTHONSAFEPATH": "1",
            "PYTHONUNBUFFERED": "1",
        }
        if self.prefect_url:
            ours["PREFECT_API_URL"] = self.prefect_url
        if self._own_port is not None:
            ours["PREFECT_HOME"] = str(here.home.absolute() / "prefect")
        return QUIET | SERVER | os.environ | ours


def _prefect_port() -> int:
    told = os.environ.get("PREFECT_SERVER_API_PORT", str(PREFECT_PORT))
    if not told.isdecimal():
        raise NotUnderstood(f"PREFECT_SERVER_API_PORT is {told!r}; write a port's number")
    return int(told)


def _root() -> str:
    return str(Path(flows.__file__).resolve().parent.parent)
