"""What can go wrong, said once.

DecisionLayerError
├── DefinitionError          a workspace cannot be used as written; fix the file
├── InsufficientData         a number cannot be stated honestly yet; wait
├── LifecycleError           the case is not in a state that allows this
│   └── NotEntitled          the person may not answer this case
├── LedgerError              the ledger cannot be read or written as it stands
└── ConnectorError           the outside world did not do as asked
    ├── TemporaryFailure     the same call may succeed later; retry it      (.retry_after)
    ├── PermanentFailure     the same call will fail again; tell a person
    └── UnknownOutcome       it may or may not have happened; look before trying again
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class DecisionLayerError(Exception):
    """Something Followthrough raises on purpose; its text is meant for a person."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong with a file, where it stands and what would be right.

    Attributes:
        file: The file, as the person named it or relative to the workspace.
        line: Line in the file, counted from 1; 0 where the whole file is meant.
        text: What was found and what is allowed, in one sentence without a full stop.
    """

    file: str
    line: int
    text: str


class DefinitionError(DecisionLayerError):
    """A workspace cannot be used as written.

    Attributes:
        faults: Every fault found, in file and line order.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__(self._listing())

    def _listing(self) -> str:
        lines: list[str] = []
        file = None
        for fault in self.faults:
            if fault.file != file:
                file = fault.file
                lines.append(file)
            place = f"  {fault.line}: " if fault.line else "  "
            lines.append(place + fault.text.replace("\n", "\n" + " " * len(place)))
        count = len(self.faults)
        lines.append(f"{count} fault{'s' if count != 1 else ''}; nothing was loaded")
        return "\n".join(lines)


class InsufficientData(DecisionLayerError):
    """A number cannot be stated honestly yet."""


class LifecycleError(DecisionLayerError):
    """The case is not in a state that allows this."""


class NotEntitled(LifecycleError):
    """The person may not answer this case."""


class LedgerError(DecisionLayerError):
    """The ledger cannot be read or written as it stands."""


class ConnectorError(DecisionLayerError):
    """The outside world did not do as asked.

    Attributes:
        connector: The connection's name in ``connections.yaml``.
    """

    def __init__(self, text: str, *, connector: str) -> None:
        self.connector = connector
        super().__init__(f"{connector}: {text}")


class TemporaryFailure(ConnectorError):
    """The same call may succeed later; retry it.

    Attributes:
        retry_after: How long the other side asked us to wait, if it said so.
    """

    def __init__(self, text: str, *, connector: str, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(text, connector=connector)


class PermanentFailure(ConnectorError):
    """The same call will fail again; tell a person."""


class UnknownOutcome(ConnectorError):
    """It may or may not have happened; look before trying again."""
