"""Say what one version of a decision does otherwise than another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import RenderableType

from decisions.errors import NotUnderstood
from flows.cli.here import CommandHere, Here
from flows.cli.output import attributes, plural

if TYPE_CHECKING:
    from decisions.definition import Definition
    from decisions.difference import Change

FILE, ACTING = "file", "live"


def diff(
    decision: str,
    before: Annotated[str, Parameter(metavar="VERSION")] = ACTING,
    after: Annotated[str, Parameter(metavar="VERSION")] = FILE,
    /,
    *,
    here: CommandHere,
) -> None:
    """Say what one version of a decision would do otherwise than another.

    Not line by line: who is selected, what is asked and by when, how much, how it is measured.

    Args:
        decision: Its name.
        before: A version like v3, or `live` for the one that acts, or `file`.
        after: The same; the file as it is now if left out.
        here: What the command works on.

    Examples:
        followthrough diff churn-save-call
        followthrough diff churn-save-call v3 v4
    """
    from decisions.difference import differences

    old, new = _named(here, decision, before), _named(here, decision, after)
    found = differences(old, new, here.layer.workspace.people)
    document = {
        "decision": decision,
        "before": before,
        "after": after,
        "changes": [attributes(each, "topic", "text", "path", "before", "after") for each in found],
    }
    here.out.answer(document, *drawn(found, f"{decision}, from {before} to {after}"))


def drawn(found: "Sequence[Change]", heading: str) -> list[RenderableType]:
    """Return changes under their topics, as lines.

    Args:
        found: What has changed.
        heading: Between what.
    """
    if not found:
        return [f"{heading}: nothing changes"]
    lines: list[RenderableType] = [f"{heading}: {plural(len(found), 'change')}"]
    topic = None
    for change in found:
        if change.topic != topic:
            lines.append(f"\n{change.topic}")
        lines.append(f"  {change.text}")
        topic = change.topic
    return lines


def _named(here: Here, decision: str, version: str) -> "Definition":
    from decisions.ledger.versions import pinned
    from decisions.release import version_named

    if version == FILE:
        return here.layer.definition(decision)
    accounts = here.layer.ledger.releases.accounts(decision)
    if version == ACTING:
        if not accounts:
            here.layer.definition(decision)
            raise NotUnderstood(
                f"{decision} was never released, and never ran: there is nothing to compare with"
            )
        acting = here.layer.acting(decision)
        # What nobody has to sign acts as it is written; what acted before is what ran last.
        return acting if acting.sign_off else pinned(accounts[0].version)
    _, number = version_named(f"{decision}/{version}")
    for account in accounts:
        if account.version.number == number:
            return pinned(account.version)
    known = ", ".join(f"v{each.version.number}" for each in reversed(accounts)) or "none yet"
    raise NotUnderstood(f"{decision} has no version {version!r}; there are {known}, live and file")
