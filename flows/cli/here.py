"""What a command works on: where things are, who asks, which instant counts as now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from errno import EACCES, EEXIST, EISDIR, ENOENT, ENOTDIR, EPERM, EROFS
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from decisions.errors import LedgerError, NotUnderstood
from flows.cli.output import Output

if TYPE_CHECKING:
    from decisions.ownership import People
    from decisions.ports import Clock
    from flows.settings import Settings
    from flows.wiring import Layer

PEOPLE = "people.yaml"
"""The file that makes a folder a workspace."""


EARLIEST, LATEST = 1970, 2199
"""The years an instant may lie in; beyond, the sums that deadlines are made of overflow."""


@Parameter(name="*", show_env_var=False, show_default=False)
@dataclass(frozen=True, kw_only=True)
class Options:
    """What every command may be told, before or after its name."""

    workspace: Annotated[Path | None, Parameter(env_var="FOLLOWTHROUGH_WORKSPACE")] = None
    """Folder of the definitions; this one if it has people.yaml."""
    home: Annotated[Path | None, Parameter(env_var="FOLLOWTHROUGH_HOME")] = None
    """Folder of ledger, reports and logs; else .followthrough."""
    ledger: Annotated[str | None, Parameter(metavar="URL", env_var="FOLLOWTHROUGH_LEDGER")] = None
    """Database of the ledger; else an SQLite file below home."""
    as_of: Annotated[str | None, Parameter(metavar="INSTANT")] = None
    """The instant that counts as now; a date is midnight UTC."""
    json: Annotated[bool, Parameter(negative=())] = False
    """Answer with one JSON document, and nothing else on stdout."""
    verbose: Annotated[bool, Parameter(name=["--verbose", "-v"], negative=())] = False
    """Show the traceback of an error."""


class Here:
    """What one command works on; nothing is opened before it is needed.

    Args:
        options: What the command was told.
        only_reads: Whether the command asks what is recorded: then a ledger that was named and is
            not there is a slip of the pen, and no reason to begin another.
    """

    def __init__(self, options: Options, *, only_reads: bool = False) -> None:
        self.options = options
        self._only_reads = only_reads
        self.out = Output(as_json=options.json)

    @cached_property
    def settings(self) -> "Settings":
        """Where things are: what the command was told, else the environment, else a default."""
        from flows.settings import Settings

        told: dict[str, Any] = {
            "workspace": self.options.workspace or _workspace_here(),
            "home": self.options.home,
            "ledger": self.options.ledger,
        }
        found = Settings(**{name: value for name, value in told.items() if value is not None})
        if self.options.ledger is None:
            with writing_to(found.home, asked="--home"):
                _refuse_no_folder(found.home)
        return found

    @cached_property
    def clock(self) -> "Clock":
        """The present instant, or the one the command was told."""
        from decisions.ports import StandingClock, wall_clock

        if self.options.as_of is None:
            return wall_clock
        return StandingClock(instant(self.options.as_of, asked="--as-of"))

    @cached_property
    def layer(self) -> "Layer":
        """Everything wired together."""
        from flows.logs import set_up
        from flows.settings import SHIPPED_WORKSPACE
        from flows.timekeeping import ahead
        from flows.wiring import assemble

        self._refuse_missing()
        if self.settings.log_format == "json":
            set_up(self.settings.log_format)
        if self.settings.workspace == SHIPPED_WORKSPACE:
            self.out.note(f"no {PEOPLE} here: this is the sample workspace that ships")
        if self.settings.ledger is None:
            with writing_to(self.settings.home, asked="--home"):
                self.settings.home.mkdir(parents=True, exist_ok=True)
        found = assemble(self.settings, self.clock)
        if told := ahead(found.clock(), self.clock()):
            self.out.note(told)
        return found

    def _refuse_missing(self) -> None:
        from decisions.ledger.engines import is_missing

        if not self.options.ledger:
            return
        try:
            missing = is_missing(self.options.ledger)
        except LedgerError as error:
            raise NotUnderstood(f"--ledger: {error}") from None
        if self._only_reads and missing:
            raise NotUnderstood(
                f"there is no ledger {self.options.ledger}; look at --ledger, or begin one there "
                "with `followthrough run`"
            )

    def person(
        self, given: str | None = None, *, asked: str = "--as", question: str = "who answers?"
    ) -> str:
        """Return who asks.

        Args:
            given: Their key, if they have said it.
            asked: The option by which they would.
            question: What to ask where they have not.

        Raises:
            NotUnderstood: Nobody has said.
            UnknownPerson: The workspace has nobody of that key.
        """
        key = given or self.settings.person
        people = self.layer.workspace.people
        if key is None:
            known = ", ".join(sorted(people.people)[:8])
            more = ", …" if len(people.people) > 8 else ""
            raise NotUnderstood(
                f"{question} say it with {asked} PERSON, or set FOLLOWTHROUGH_PERSON; "
                f"people.yaml knows {known}{more}"
            )
        people.person(key)
        return key

    def zone(self) -> str:
        """Return the zone to show times in: that of FOLLOWTHROUGH_PERSON, else UTC."""
        key = self.settings.person
        return self.layer.workspace.people.person(key).zone if key else "UTC"

    def close(self) -> None:
        """Give back what was opened."""
        if "layer" in self.__dict__:
            self.layer.ledger.close()


CommandHere = Annotated[Here, Parameter(parse=False)]
"""The parameter through which a command is given what it works on."""

As = Annotated[str | None, Parameter(name="--as", metavar="PERSON", env_var="FOLLOWTHROUGH_PERSON")]
"""Who answers: a key of people.yaml."""

Flow = Annotated[bool | None, Parameter(name="--flow", negative="--no-flow", show_default=False)]
"""Whether to record the work as a flow run of Prefect."""


_NO_PLACE = {ENOENT, EACCES, EPERM, ENOTDIR, EEXIST, EROFS, EISDIR}
"""What a system says of a folder that was named wrongly; a full disk is not among it."""


@contextmanager
def writing_to(folder: Path, *, asked: str) -> Iterator[None]:
    """Say which option names a folder that nothing can be written to.

    Raises:
        NotUnderstood: Something in the block could not be written because of the folder.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_PLACE:
            raise
        why = "is a file" if folder.is_file() else (error.strerror or "").lower()
        raise NotUnderstood(
            f"{asked} is {folder}: {why}; name a folder that can be written to"
        ) from error


def _refuse_no_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(ENOTDIR, "is a file", str(folder))


def instant(text: str, *, asked: str, zone: str = "UTC", day_starts: time = time()) -> datetime:
    """Read an instant as people write it.

    Args:
        text: A date, or an instant in ISO 8601.
        asked: Where it was written, such as ``--as-of``.
        zone: IANA zone it is read in where it does not name an offset.
        day_starts: The wall time that a date alone means.

    Returns:
        The instant (timezone-aware, UTC).

    Raises:
        NotUnderstood: It is neither.
    """
    from zoneinfo import ZoneInfo

    read = _read(text, day_starts)
    if read is None:
        raise NotUnderstood(
            f"{asked} is {text!r}; write a date like 2026-11-20 or an instant like 2026-11-20T09:00"
        )
    return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _read(text: str, day_starts: time) -> datetime | None:
    try:
        if len(text) == len("2026-11-20"):
            read = datetime.combine(date.fromisoformat(text), day_starts)
        else:
            read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if EARLIEST <= read.year <= LATEST else None


def name_of(people: "People", key: str) -> str:
    """Return the name of a person or of a role's holder; a key that nobody has any more as is."""
    person = people.people.get(people.roles.get(key, key))
    return person.name if person else key


def _workspace_here() -> Path | None:
    return Path.cwd() if (Path.cwd() / PEOPLE).is_file() else None
