"""What is declared about a measurement before its first action, and what is held to afterwards."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Self

from decisions.canonical import canonical_json, sha256
from decisions.definition import Definition
from decisions.ports import Frozen


class Declaration(Frozen):
    """Everything that was said beforehand about how an effect is to be measured.

    Attributes:
        content: The subject's key, the holdout and the outcome, keys as in the definition and
            defaults written out.
    """

    content: Mapping[str, Any]

    @classmethod
    def of(cls, definition: Definition) -> Self | None:
        """Return what a definition declares; None where nobody is held out."""
        holdout, outcome = definition.holdout, definition.outcome
        if holdout is None:
            return None
        return cls(
            content={
                "subject": definition.signal.subject,
                "holdout": holdout.model_dump(mode="json", by_alias=True),
                "outcome": outcome and outcome.model_dump(mode="json", by_alias=True),
            }
        )

    @cached_property
    def sha256(self) -> str:
        """Its hash, kept with every arm that is drawn under it."""
        return sha256(canonical_json(dict(self.content)))

    def changes(self, later: Self) -> tuple[str, ...]:
        """Return what a later declaration says otherwise, such as ``outcome.window``."""
        before, after = dict(_flat(self.content)), dict(_flat(later.content))
        keys = sorted(before.keys() | after.keys())
        return tuple(key for key in keys if before.get(key) != after.get(key))


def _flat(content: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value
