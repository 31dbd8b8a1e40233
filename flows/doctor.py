"""Whether everything that the decisions of a workspace need would work, looked at piece by piece.

Nobody is told anything and nothing is recorded.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from decisions.deciding.evaluation import relation_sql
from decisions.deciding.gate import newest_score
from decisions.definition import Definition, Outcome, Proof, Relation
from decisions.errors import (
    ConnectorError,
    DefinitionError,
    LedgerError,
    PermanentFailure,
    UnknownPerson,
)
from decisions.ledger.pulse import Backlog
from decisions.ownership import People
from decisions.ports import (
    Addressee,
    Clock,
    Condition,
    Examinable,
    Finding,
    InstalledChannel,
    wall_clock,
)
from flows import mooring, wiring
from flows.fitness import batch_seen, probe_seen
from flows.settings import Settings
from flows.timekeeping import ahead, spelt
from flows.wiring import Layer

_WORK = {"amendments": "updates of sent messages"}


def examined(settings: Settings, clock: Clock = wall_clock) -> Iterator[Finding]:
    """Yield what was looked at: workspace, ledger, work that is due, sources, channels, people.

    Args:
        settings: Where everything is.
        clock: The present instant.
    """
    try:
        workspace = wiring.read_workspace(settings, clock)
    except DefinitionError as error:
        yield Finding(
            about="workspace",
            condition=Condition.FAULTY,
            found=f"{len(error.faults)} faults in {settings.workspace}",
            advice="followthrough check names them",
        )
        return
    named = ", ".join(workspace.decisions) or "no decision yet"
    yield Finding(about="workspace", found=f"without a fault: {named}")
    try:
        layer = wiring.assemble(settings, clock)
    except DefinitionError as error:
        for fault in error.faults:
            yield Finding(
                about=f"{fault.file}:{fault.line}" if fault.line else fault.file,
                condition=Condition.FAULTY,
                found="cannot be used as written",
                advice=fault.text,
            )
        return
    except LedgerError as error:
        yield Finding(about="ledger", condition=Condition.AWAY, found=str(error))
        return
    try:
        yield from _Look(layer, clock).findings()
    finally:
        layer.ledger.close()


class _Look:
    def __init__(self, layer: Layer, clock: Clock) -> None:
        self._layer = layer
        self._clock = clock
        self._people = layer.workspace.people

    def findings(self) -> Iterator[Finding]:
        yield from self._ledger()
        for definition in self._layer.workspace.decisions.values():
            yield self._standing(definition)
            yield from self._sources(definition)
            yield from batch_seen(self._layer, definition)
            yield from self._age(definition)
            yield from self._owners(definition)
        to = [_addressee(self._people, key) for key in sorted(self._present())]
        for name in self._layer.channels:
            yield from self._channel(name, to)

    def _ledger(self) -> Iterator[Finding]:
        ledger = self._layer.ledger
        yield Finding(about="ledger", found=ledger.name)
        if told := ahead(self._layer.clock(), self._clock()):
            yield Finding(
                about="ledger: time",
                condition=Condition.DOUBTFUL,
                found=told,
                advice="wait, or begin another ledger with --home",
            )
        backlog = ledger.pulse.backlog(self._layer.clock())
        for work, found in backlog.items():
            yield due(work, found, self._layer.settings.late_after)
        if count := ledger.receipts.unfit_count():
            yield Finding(
                about="receipts",
                condition=Condition.DOUBTFUL,
                found=f"{count} {'fits' if count == 1 else 'fit'} no case",
                advice="the table receipts says why; mend the sender, or intervention.receipts",
            )

    def _standing(self, definition: Definition) -> Finding:
        """Say whether anything decides: a version that is signed and in a stage, not halted."""
        about, releases = f"{definition.decision}: version", self._layer.ledger.releases
        halts = [halt for halt in releases.halts() if halt.decision == definition.decision]
        if halts:
            text = f"halted by {self._people.name(halts[0].by)}: {halts[0].because}"
            advice = f"followthrough resume {definition.decision}, once it is mended"
            return Finding(about=about, condition=Condition.DOUBTFUL, found=text, advice=advice)
        mandates = releases.mandates(definition)
        if not mandates:
            return Finding(
                about=about,
                condition=Condition.FAULTY,
                found="none is signed and in a stage, so nothing is decided",
                advice=f"followthrough release {definition.decision}; its owners sign it then",
            )
        stages = ", ".join(str(mandate.placing) for mandate in mandates)
        if definition not in [mandate.definition for mandate in mandates]:
            return Finding(
                about=about,
                condition=Condition.DOUBTFUL,
                found=f"{stages}, but not what the file says now",
                advice=f"followthrough diff {definition.decision} shows what is not signed",
            )
        return Finding(about=about, found=f"as the file says it, {stages}")

    def _age(self, definition: Definition) -> Iterator[Finding]:
        """Say how old the newest score is, where the gate asks."""
        signal, most = definition.signal, definition.signal.gate.max_age
        if most is None:
            return
        about = f"{definition.decision}: newest score"
        try:
            newest = newest_score(signal, self._layer.warehouses[signal.connection])
        except ConnectorError:
            return  # told already, as one of its sources
        if newest is None:
            yield Finding(about=about, condition=Condition.DOUBTFUL, found="there are no scores")
            return
        age = self._layer.clock() - newest
        if age <= most.elapsed:
            yield Finding(about=about, found=f"{spelt(age)} old; the gate takes {most}")
            return
        yield Finding(
            about=about,
            condition=Condition.FAULTY,
            found=f"{spelt(age)} old; the gate takes {most}, so the next run withholds all",
            advice="see why nothing was scored since",
        )

    def _sources(self, definition: Definition) -> Iterator[Finding]:
        proof = definition.intervention and definition.intervention.proof
        probes = [proof, definition.outcome]
        named = [definition.signal, *definition.context, *(one for one in probes if one)]
        for relation in named:
            yield self._source(definition, relation)

    def _source(self, definition: Definition, relation: Relation) -> Finding:
        what = relation.table or relation.path or "its query"
        about = f"{definition.decision}: {what}"
        try:
            if isinstance(relation, Outcome | Proof):
                return probe_seen(self._layer, definition.decision, relation, about)
            warehouse = self._layer.warehouses[relation.connection]
            columns = warehouse.columns(relation_sql(relation, warehouse))
        except ConnectorError as failure:
            mendable = isinstance(failure, PermanentFailure)
            condition = Condition.FAULTY if mendable else Condition.AWAY
            return Finding(about=about, condition=condition, found=str(failure))
        return Finding(about=about, found=f"{len(columns)} columns in {relation.connection}")

    def _owners(self, definition: Definition) -> Iterator[Finding]:
        owners = definition.owners.model_dump(exclude_none=True)
        for role, named in owners.items():
            key = self._people.roles.get(named, named)
            about = f"{definition.decision}: {role} owner"
            try:
                found = self._people.standin(key, self._layer.clock())
            except UnknownPerson as gap:
                yield Finding(
                    about=about,
                    condition=Condition.FAULTY,
                    found=str(gap),
                    advice="name who owns it now, or their cover in people.yaml",
                )
                continue
            away = f", for whom {self._people.name(found.person)} stands in"
            there = self._people.name(key) + (away if found.person != key else "")
            yield Finding(about=about, found=there)

    def _present(self) -> Iterator[str]:
        now = self._layer.clock()
        yield from (key for key in self._people.people if not self._people.has_left(key, now))

    def _channel(self, name: str, to: list[Addressee]) -> Iterator[Finding]:
        try:
            channel = self._layer.channels[name]
        except ConnectorError as failure:
            yield Finding(about=name, condition=Condition.FAULTY, found=str(failure))
            return
        installed = channel if isinstance(channel, InstalledChannel) else None
        if isinstance(channel, Examinable):
            yield from channel.examined(to)
            if installed is not None:
                yield from self._app(installed)
            return
        yield Finding(about=name, condition=Condition.DOUBTFUL, found="cannot be examined")

    def _app(self, channel: InstalledChannel) -> Iterator[Finding]:
        with suppress(ConnectorError):  # what keeps Slack from answering was said already
            yield mooring.examined(self._layer, channel)


def due(work: str, found: Backlog, bound: timedelta) -> Finding:
    """Return whether anybody takes up the work that is due.

    Args:
        work: Its kind, as the ledger calls it.
        found: How much of it is due, and since when.
        bound: For how long it may be due before it counts as left lying.
    """
    about = f"due {_WORK.get(work, work)}"
    if found.oldest <= bound:
        return Finding(about=about, found=f"{found.count} now")
    late = spelt(found.oldest)
    return Finding(
        about=about,
        condition=Condition.FAULTY,
        found=f"{found.count}, the first for {late}: nobody takes them up",
        advice="run followthrough dispatch every minute, by serve, a worker or cron",
    )


def _addressee(people: People, key: str) -> Addressee:
    person = people.person(key)
    return Addressee(
        person=key, name=person.name, email=person.email, slack=person.slack, zone=person.zone
    )
