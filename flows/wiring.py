"""What is wired to what: the one place where settings, workspace, ledger and connectors meet."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from functools import cached_property, partial
from typing import Any, TypeVar

from connectors import registry
from decisions.admission import Admission
from decisions.board import Board
from decisions.brake import Brake
from decisions.deciding.archive import VerdictArchive
from decisions.deciding.rehearsal import failed_examples, perishing_examples
from decisions.definition import Definition
from decisions.desk import Desk
from decisions.errors import DefinitionError, Fault, NotUnderstood
from decisions.ledger import Ledger
from decisions.links import Links
from decisions.ports import Channel, Clock, InstalledChannel, Prover, Warehouse, wall_clock
from decisions.pursuit import Pursuit
from decisions.suggestions import choices
from decisions.workspace import Workspace, load_workspace, resolved
from flows import logs
from flows.settings import Settings
from flows.signing import signing_key

T = TypeVar("T")


@dataclass(frozen=True)
class Layer:
    """Everything a flow, a command or a page needs, assembled.

    Attributes:
        settings: Where things are.
        workspace: Who, where and what.
        ledger: The system of record.
        archive: Every run's file of verdicts.
        desk: Takes answers.
        board: Takes the acts of owners: release, sign, stage, roll back.
        brake: Says what may run; takes halts.
        pursuit: Takes the steps that have fallen due.
        warehouses: By connection name.
        channels: By connection name.
        clock: The present instant.
        provers: Systems that send receipts, by connection name.
    """

    settings: Settings
    workspace: Workspace
    ledger: Ledger
    archive: VerdictArchive
    desk: Desk
    board: Board
    brake: Brake
    pursuit: Pursuit
    warehouses: Mapping[str, Warehouse]
    channels: Mapping[str, Channel]
    clock: Clock
    provers: Mapping[str, Prover] = field(default_factory=dict)

    @cached_property
    def admission(self) -> Admission:
        """Says who may see and do what."""
        return Admission(self.ledger, self.workspace.people)

    @cached_property
    def links(self) -> Links:
        """Signs the personal links of messages, and reads them back.

        Raises:
            LedgerError: There is no key, and none can be kept.
        """
        return Links(signing_key(self.settings))

    def definition(self, decision: str) -> Definition:
        """Return the decision as the workspace says it now.

        Raises:
            NotUnderstood: The workspace has no such decision.
        """
        return named_decision(self.workspace, decision)

    def acting(self, decision: str) -> Definition:
        """Return the content that acts now: the signed version in force, else what the file says.

        Raises:
            NotUnderstood: The workspace has no such decision.
        """
        written = self.definition(decision)
        found = self.ledger.releases.mandates(written)
        return next((each.definition for each in found if each.acts), written)


def assemble(settings: Settings, clock: Clock = wall_clock) -> Layer:
    """Load the workspace, open the ledger, build the connectors.

    Raises:
        DefinitionError: The workspace has faults, or a variable it names is not set.
        LedgerError: The ledger cannot be used.
    """
    logs.keep_secret(settings)
    workspace = read_workspace(settings, clock)
    warehouses, channels, provers = _connectors(workspace, clock)
    ledger = Ledger(settings.ledger_url, clock)
    channels.prepare = partial(_mark, ledger)
    return Layer(
        settings=settings,
        workspace=workspace,
        ledger=ledger,
        archive=VerdictArchive(settings.archive_folder),
        desk=Desk(ledger, workspace.people),
        board=Board(ledger, workspace.people),
        brake=Brake(ledger, workspace.people),
        pursuit=Pursuit(ledger, workspace.people),
        warehouses=warehouses,
        channels=channels,
        clock=ledger.clock,
        provers=provers,
    )


def read_workspace(settings: Settings, clock: Clock = wall_clock) -> Workspace:
    """Load the workspace, and nothing else.

    Raises:
        DefinitionError: It has faults; all of them at once.
    """
    today = clock().astimezone(UTC).date()
    return load_workspace(settings.workspace, registry.connection_kinds(), today=today)


def named_decision(workspace: Workspace, decision: str) -> Definition:
    """Return a decision of a workspace.

    Raises:
        NotUnderstood: The workspace has no such decision.
    """
    try:
        return workspace.decisions[decision]
    except KeyError:
        hint = choices(decision, workspace.decisions)
        found = f"there is no decision {decision!r}; {hint} (in {workspace.folder})"
        raise NotUnderstood(found) from None


def rehearse(workspace: Workspace, definition: Definition, clock: Clock = wall_clock) -> None:
    """Run a definition's examples, as ``check`` does, before anything is decided by it.

    Raises:
        DefinitionError: An example leads elsewhere than it says; all of them at once.
    """
    faults = example_faults(workspace, definition, clock)
    if faults:
        raise DefinitionError(faults)


def example_faults(
    workspace: Workspace, definition: Definition, clock: Clock = wall_clock
) -> list[Fault]:
    """Return the examples of a definition that do not lead where they say."""
    is_the_file = workspace.decisions.get(definition.decision) == definition
    failed = failed_examples(definition, today=clock().astimezone(UTC).date())
    if is_the_file:
        return [workspace.fault(definition.decision, each.place, each.text) for each in failed]
    # A version of the ledger is not what the file says, so that no line of it is meant.
    return [Fault(f"{definition.decision}.yaml", 0, each.text) for each in failed]


def example_doubts(workspace: Workspace, clock: Clock = wall_clock) -> list[Fault]:
    """Return the examples that hold today and, since they name no day, will fail on a later one."""
    today = clock().astimezone(UTC).date()
    return [
        workspace.fault(name, place, text)
        for name, definition in workspace.decisions.items()
        for place, text in perishing_examples(definition, today=today)
    ]


def unset_variables(workspace: Workspace) -> list[Fault]:
    """Return the variables a connection cannot do without that are not set here."""
    kinds = registry.kinds()
    faults: list[Fault] = []
    for spec in workspace.connections.values():
        try:
            resolved(spec, os.environ, optional=kinds[spec.type].optional_secrets)
        except DefinitionError as error:
            faults += error.faults
    return faults


def _connectors(
    workspace: Workspace, clock: Clock
) -> tuple["OnFirstUse[Warehouse]", "OnFirstUse[Channel]", "OnFirstUse[Prover]"]:
    by_role: dict[str, dict[str, Callable[[], Any]]] = defaultdict(dict)
    kinds = registry.kinds()
    faults: list[Fault] = []
    for name, spec in workspace.connections.items():
        kind = kinds[spec.type]
        try:
            config = resolved(spec, os.environ, optional=kind.optional_secrets)
        except DefinitionError as error:
            faults += error.faults
            continue
        logs.keep_secret(config)
        build = partial(kind.build, name, config, workspace.folder, clock)
        by_role[kind.role][name] = build
    if faults:
        raise DefinitionError(faults)
    return (
        OnFirstUse(by_role["warehouse"]),
        OnFirstUse(by_role["channel"]),
        OnFirstUse(by_role["prover"]),
    )


def _mark(ledger: Ledger, channel: Channel) -> None:
    """Have a channel say for which ledger it speaks."""
    if isinstance(channel, InstalledChannel):
        channel.origin = ledger.installations.origin


class OnFirstUse(Mapping[str, T]):
    """Connectors by name, each built when it is first asked for.

    What a command does not talk to is not even imported.

    Attributes:
        prepare: Done to each once it is built.
    """

    def __init__(self, builders: Mapping[str, Callable[[], Any]]) -> None:
        self.prepare: Callable[[T], None] = lambda _built: None
        self._builders = builders
        self._built: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        """Return the connector, built now if it has not been before."""
        if name not in self._built:
            built: T = self._builders[name]()
            self.prepare(built)
            self._built[name] = built
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._builders)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._builders)


_current: list[Layer] = []


def current() -> Layer:
    """Return the layer in use; assembled from the environment when nobody has chosen one."""
    if not _current:
        settings = Settings()
        if settings.log_format == "json":
            logs.set_up(settings.log_format)
        _current.append(assemble(settings))
    return _current[-1]


@contextmanager
def using(layer: Layer) -> Iterator[Layer]:
    """Make a layer the one that flows use, for as long as the block lasts."""
    _current.append(layer)
    try:
        yield layer
    finally:
        _current.remove(layer)
