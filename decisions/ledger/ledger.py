"""The ledger as the rest of the house sees it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from decisions.entitlement import entitled
from decisions.ledger import audit, chain
from decisions.ledger.accuracies import Accuracies
from decisions.ledger.amendments import Amendments
from decisions.ledger.arrivals import Arrivals
from decisions.ledger.audit import Promise
from decisions.ledger.cases import Cases
from decisions.ledger.drifts import Drifts
from decisions.ledger.imports import Imports
from decisions.ledger.installations import Installations
from decisions.ledger.looks import Looks
from decisions.ledger.losses import Losses
from decisions.ledger.outbox import Outbox
from decisions.ledger.overview import Overview
from decisions.ledger.pulse import Pulse
from decisions.ledger.receipts import Receipts
from decisions.ledger.records import Entry, Run, Version
from decisions.ledger.releases import Releases
from decisions.ledger.results import Results
from decisions.ledger.runs import Runs
from decisions.ledger.store import Store
from decisions.ledger.tokens import Tokens
from decisions.ledger.transaction import Transaction
from decisions.ledger.versions import pinned
from decisions.ownership import People
from decisions.ports import Clock, wall_clock


class Ledger:
    """The system of record; opening it creates or migrates its tables.

    Attributes:
        runs: What was decided.
        cases: Questions about cases.
        outbox: Messages to people.
        amendments: Messages that were sent and say less than is known by now.
        arrivals: Messages that people answer on.
        installations: The apps that it speaks through.
        losses: Messages that were sent to people who have gone since.
        results: Interventions and outcomes.
        pulse: What is due, and since when.
        drifts: How far batches have moved from what was usual.
        imports: Measurement periods brought in from files.
        looks: What was published about whether a decision works.
        receipts: What other systems say was done.
        releases: Versions, and how decisions stand.
        accuracies: How right models were.
        tokens: Leave that programs have.
        overview: How decisions stand, counted; entries.
        clock: The present instant as the database sees it.

    Args:
        url: ``sqlite:///path`` or ``postgresql://…``.
        clock: Where recorded instants come from.
        read_only: Open what is there and refuse every write, the schema's included.

    Raises:
        LedgerError: It cannot be reached, or its schema is newer than this program.
    """

    def __init__(self, url: str, clock: Clock = wall_clock, *, read_only: bool = False) -> None:
        self._store = Store(url, clock, read_only=read_only)
        self.clock = self._store.clock
        self.runs = Runs(self._store)
        self.cases = Cases(self._store)
        self.outbox = Outbox(self._store)
        self.amendments = Amendments(self._store)
        self.arrivals = Arrivals(self._store)
        self.losses = Losses(self._store)
        self.installations = Installations(self._store)
        self.results = Results(self._store)
        self.pulse = Pulse(self._store)
        self.drifts = Drifts(self._store)
        self.imports = Imports(self._store)
        self.looks = Looks(self._store)
        self.receipts = Receipts(self._store)
        self.releases = Releases(self._store)
        self.accuracies = Accuracies(self._store)
        self.tokens = Tokens(self._store)
        self.overview = Overview(self._store)

    @property
    def name(self) -> str:
        """Its address, without a password."""
        return self._store.name

    def writing(self) -> AbstractContextManager[Transaction]:
        """Return a transaction: all of it is stored and sealed, or none of it."""
        return self._store.writing()

    def patience(self, most: timedelta) -> AbstractContextManager[None]:
        """Wait at most so long for the database, within the block."""
        return self._store.patience(most)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one consistent state, for aggregate questions."""
        with self._store.reading() as connection:
            yield connection

    @contextmanager
    def counting(self) -> Iterator[Connection]:
        """Yield one for reports: as ``reading``'s, with room for temporary tables."""
        with self._store.counting() as connection:
            yield connection

    def verified(self) -> chain.Verification:
        """Recompute the whole chain of entries."""
        with self._store.reading() as connection:
            return chain.verification(connection)

    def audited(
        self, people: People, *, progress: Callable[[str], None] = lambda _name: None
    ) -> Iterator[Promise]:
        """Yield every promise with whether it was kept, as the whole ledger shows.

        Args:
            people: Who there is, for the owners behind roles.
            progress: Is told of each promise before it is looked at.
        """
        with self._store.reading() as connection:

            def may_answer(version_id: int, holder: str, at: datetime) -> set[str]:
                table = Version.__table__
                row = connection.execute(select(table).where(table.c.id == version_id)).mappings()
                owners = pinned(Version(**row.one())).owners
                return entitled(people, owners, assignee=holder, told=(), at=at)

            yield from audit.audited(
                connection, now=self.clock(), may_answer=may_answer, progress=progress
            )

    def entries_of(self, name: str, *, most: int = 200) -> list[Entry]:
        """Return the history of one case, run or version, oldest first."""
        table = Entry.__table__
        query = select(table).where(table.c.object == name).order_by(table.c.id).limit(most)
        with self._store.reading() as connection:
            return [Entry(**row) for row in connection.execute(query).mappings()]

    def latest_version(self, decision: str) -> Version | None:
        """Return the newest version of a decision that was ever recorded."""
        table = Version.__table__
        query = (
            select(table)
            .where(table.c.decision == decision)
            .order_by(table.c.number.desc())
            .limit(1)
        )
        with self._store.reading() as connection:
            row = connection.execute(query).mappings().first()
        return Version(**row) if row else None

    def version_of(self, run: Run) -> Version:
        """Return the version that a run evaluated."""
        query = select(Version.__table__).where(Version.__table__.c.id == run.version_id)
        with self._store.reading() as connection:
            return Version(**connection.execute(query).mappings().one())

    def version(self, decision: str, number: int) -> Version | None:
        """Return one version of a decision by its number."""
        table = Version.__table__
        query = select(table).where(table.c.decision == decision, table.c.number == number)
        with self._store.reading() as connection:
            row = connection.execute(query).mappings().first()
        return Version(**row) if row else None

    def close(self) -> None:
        """Give back every connection."""
        self._store.close()
