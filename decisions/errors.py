"""What can go wrong, said once.

DecisionLayerError
├── DefinitionError          a workspace cannot be used as written; fix the file
│   └── UnusableFile         a file of rows cannot be taken as it is; fix the file
├── ExpressionError          an expression is not one of the rule language; fix the text
├── UnknownPerson            people.yaml has nobody to answer for this name; fix the file
├── NotUnderstood            what was asked cannot be read; ask it otherwise
├── InsufficientData         a number cannot be stated honestly yet; wait
├── LifecycleError           the case or the version is not in a state that allows this
│   ├── NotEntitled          the person may not answer this case, or act on this decision
│   ├── NotInForce           no version of the decision may decide yet; release and sign one
│   └── Halted               an owner has halted the decision; nothing is done until it is resumed
├── LedgerError              the ledger cannot be read or written as it stands
└── ConnectorError           the outside world did not do as asked
    ├── TemporaryFailure     the same call may succeed later; retry it      (.retry_after)
    │   └── OutOfOrder       nothing passes until somebody repairs the installation
    ├── PermanentFailure     the same call will fail again; tell a person
    │   └── Unreadable       what was read is not of its form; whoever writes it mends it
    └── UnknownOutcome       it may or may not have happened; look before trying again
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

Place = tuple[str | int, ...]
"""Where something stands in a file: the keys and positions that lead to it."""


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


class UnusableFile(DefinitionError):
    """A file of rows cannot be taken as it is."""


class ExpressionError(DecisionLayerError):
    """An expression is not one of the rule language.

    Attributes:
        reason: What was found, in one line.
        start: Offset of the first character at fault, from 0.
        end: Offset behind the last character at fault.
        advice: What to write instead, if there is something to suggest.
    """

    def __init__(
        self, reason: str, *, text: str, start: int, end: int, advice: str | None = None
    ) -> None:
        self.reason, self.start, self.end, self.advice = reason, start, end, advice
        lines = [reason, *self._pointing(text), advice]
        super().__init__("\n  ".join(line for line in lines if line))

    def _pointing(self, text: str) -> tuple[str, str]:
        """Return the line at fault, at most about 100 characters of it, and carets under it."""
        line_start = text.rfind("\n", 0, self.start) + 1
        line_end = text.find("\n", line_start)
        line_end = len(text) if line_end < 0 else line_end
        left = max(line_start, self.start - 60)
        right = min(line_end, left + 100)
        carets = max(1, min(self.end, right) - self.start)
        shown = text[left:right].replace("\t", " ")
        return shown, " " * (self.start - left) + "^" * carets


class UnknownPerson(DecisionLayerError):
    """The file people.yaml has nobody to answer for this name."""


class NotUnderstood(DecisionLayerError):
    """What was asked cannot be read."""


class InsufficientData(DecisionLayerError):
    """A number cannot be stated honestly yet."""


class LifecycleError(DecisionLayerError):
    """The case or the version is not in a state that allows this.

    Attributes:
        about: The part of what was said that stands against it, such as ``note`` or ``until``;
            None where it is not what was said.
    """

    def __init__(self, text: str, *, about: str | None = None) -> None:
        self.about = about
        super().__init__(text)


class NotEntitled(LifecycleError):
    """The person may not answer this case, or act on this decision."""


class NotInForce(LifecycleError):
    """No version of the decision may decide yet."""


class Halted(LifecycleError):
    """An owner has halted the decision."""


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


class OutOfOrder(TemporaryFailure):
    """Nothing passes until somebody repairs the installation; whatever waits is kept."""


class PermanentFailure(ConnectorError):
    """The same call will fail again; tell a person."""


class Unreadable(PermanentFailure):
    """What was read is not of its form; whoever writes it can mend that."""


class UnknownOutcome(ConnectorError):
    """It may or may not have happened; look before trying again."""
