"""Versions: put one before its owners, sign it, move it on, halt it, go back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import RenderableType

from decisions.errors import NotUnderstood
from flows.cli.differing import drawn
from flows.cli.here import As, CommandHere, Here
from flows.cli.output import attributes, briefly, table

if TYPE_CHECKING:
    from decisions.definition import Definition
    from decisions.desk import Author
    from decisions.difference import Change
    from decisions.ledger.releases import Account
    from decisions.release import Ruling

By = Annotated[str | None, Parameter(name="--by", metavar="PERSON", env_var="FOLLOWTHROUGH_PERSON")]
"""Who releases: a key of people.yaml."""
Because = Annotated[str | None, Parameter(metavar="SENTENCE")]
"""Why, in a sentence."""


def release(
    decision: str,
    /,
    *,
    by: By = None,
    because: Because = None,
    start: Annotated[str | None, Parameter(metavar="STAGE")] = None,
    here: CommandHere,
) -> None:
    """Put a definition's exact content before its owners, as a new version.

    Refused while an example fails or nothing has changed. Whoever releases is the author, and
    never the only one who signs.

    Args:
        decision: Its name.
        by: Who releases; a key of people.yaml.
        because: What is new, in a sentence.
        start: What its last signature starts: live, shadow or a ramp like 'ramp 25%'.
        here: What the command works on.

    Examples:
        followthrough release churn-save-call --by lee.park --because "Lower threshold."
        followthrough release churn-save-call --by lee.park --start shadow
    """
    from decisions.release import Placing

    definition = here.layer.definition(decision)
    starts = Placing.parse(start) if start else None
    author = _author(here, by, asked="--by")
    changes = _changes(here, definition)
    ruling = here.layer.board.release(definition, author, because=because, starts=starts)
    _rule(here, ruling, changes)


def sign(version: str, /, *, as_: As = None, here: CommandHere) -> None:
    """Agree to the exact content of a version; the last signature needed starts it.

    Args:
        version: A decision, for the version released last; or one version like churn-save-call/v3.
        as_: Who signs; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough sign churn-save-call --as dana.reyes
        followthrough sign churn-save-call/v3 --as dana.reyes
    """
    from decisions.ledger.versions import pinned

    decision, number = _known(here, version)
    written = here.layer.workspace.decisions.get(decision)
    author = _author(here, as_)
    accounts = here.layer.ledger.releases.accounts(decision)
    signed = next(
        (each.version for each in accounts if number in {None, each.version.number}), None
    )
    changes = _changes(here, pinned(signed)) if signed else None
    ruling = here.layer.board.sign(decision, author, number=number, written=written)
    _rule(here, ruling, changes)


def stage(version: str, /, *stage: str, as_: As = None, here: CommandHere) -> None:
    """Move a signed version: shadow tells nobody, ramp acts on a share, live on all.

    Args:
        version: A decision, for the version signed last; or one version like churn-save-call/v3.
        stage: shadow, ramp 25% or live.
        as_: Who moves it, one of those who sign; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough stage churn-save-call ramp 25% --as dana.reyes
        followthrough stage churn-save-call/v4 live --as dana.reyes
    """
    from decisions.release import Placing

    placing = Placing.parse(" ".join(stage))
    decision, number = _known(here, version)
    author = _author(here, as_)
    _rule(here, here.layer.board.stage(decision, placing, author, number=number))


def halt(
    decision: str,
    /,
    *,
    because: Annotated[str, Parameter(metavar="SENTENCE")],
    as_: As = None,
    here: CommandHere,
) -> None:
    """Stop a decision at once; any owner may.

    Nothing is decided, told or escalated until it is resumed. People may go on answering. The
    other owners hear who halted it and why.

    Args:
        decision: Its name.
        because: Why, in a sentence.
        as_: Who halts it; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough halt churn-save-call --as dana.reyes --because "The scores are wrong."
    """
    definition = here.layer.definition(decision)
    author = _author(here, as_)
    _rule(here, here.layer.brake.halt(definition, author, because=because))


def resume(decision: str, /, *, because: Because = None, as_: As = None, here: CommandHere) -> None:
    """End a halt; every clock that ran out meanwhile gives its full wait again.

    Args:
        decision: Its name.
        because: Why, in a sentence.
        as_: Who ends it, one of those who sign; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough resume churn-save-call --as dana.reyes --because "The scores are mended."
    """
    definition = here.layer.definition(decision)
    author = _author(here, as_)
    _rule(here, here.layer.brake.resume(definition, author, because=because))


def rollback(
    decision: str,
    version: str,
    /,
    *,
    because: Because = None,
    as_: As = None,
    here: CommandHere,
) -> None:
    """Go back to a version that was signed before; that ends a halt, too.

    Cases that are open keep the version they were opened under.

    Args:
        decision: Its name.
        version: Which version, like v3.
        because: Why, in a sentence.
        as_: Who goes back, one of those who sign; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough rollback churn-save-call v3 --as dana.reyes
    """
    name, number = _known(here, f"{decision}/{version}")
    if number is None:
        raise NotUnderstood(f"which version? write `followthrough rollback {decision} v3`")
    author = _author(here, as_)
    _rule(here, here.layer.board.rollback(name, number, author, because=because))


def versions(decision: str, /, *, here: CommandHere) -> None:
    """List the versions of a decision: where each stands, who signed it, how often it ran.

    Args:
        decision: Its name.
        here: What the command works on.

    Examples:
        followthrough versions churn-save-call
    """
    if here.layer.ledger.latest_version(decision) is None:
        here.layer.definition(decision)
    found = here.layer.ledger.releases.accounts(decision)
    written = here.layer.workspace.decisions.get(decision)
    document = {"decision": decision, "versions": [_document(each) for each in found]}
    if not found:
        here.out.answer(document, f"{decision} was never released, and never ran")
        return
    here.out.answer(document, *_drawn(here, found, written))


def _known(here: Here, text: str) -> tuple[str, int | None]:
    """Return the decision and the number a person named.

    Raises:
        NotUnderstood: Neither workspace nor ledger has such a decision.
    """
    from decisions.release import version_named

    decision, number = version_named(text)
    if here.layer.ledger.latest_version(decision) is None:
        here.layer.definition(decision)
    return decision, number


def _author(here: Here, given: str | None, asked: str = "--as") -> "Author":
    from uuid import uuid4

    from decisions.desk import Author

    return Author(here.person(given, asked=asked), "command line", f"cli:{uuid4()}")


def _rule(here: Here, ruling: "Ruling", changes: "Sequence[Change] | None" = None) -> None:
    names = ("decision", "version", "stage", "text", "missing", "repeated")
    document = attributes(ruling, *names)
    if changes is None:
        here.out.answer(document, ruling.text)
        return
    document["changes"] = [attributes(each, "topic", "text", "path") for each in changes]
    here.out.answer(document, ruling.text, "", *drawn(changes, "against what acts until then"))


def _changes(here: Here, after: "Definition") -> "Sequence[Change] | None":
    """Return what a content changes against the signed one that acts; None where none does."""
    from decisions.difference import differences

    mandates = here.layer.ledger.releases.mandates(after)
    acting = next((each.definition for each in mandates if each.acts), None)
    if acting is None or acting == after:
        return None
    return differences(acting, after, here.layer.workspace.people)


def _document(account: "Account") -> dict[str, Any]:
    version = account.version
    names = ("number", "sha256", "recorded_at", "released_at", "released_by", "because")
    signatures = [attributes(each, "person", "roles", "at") for each in account.signatures]
    return attributes(version, *names, "signed_at") | {
        "stage": account.stage,
        "since": account.since,
        "signatures": signatures,
        "runs": account.runs,
    }


def _drawn(
    here: Here, found: "Sequence[Account]", written: "Definition | None"
) -> list[RenderableType]:
    from decisions.ledger.versions import pinned

    people, now = here.layer.workspace.people, here.clock()
    rows = [
        (
            f"v{each.version.number}",
            each.stage,
            briefly(each.since, now),
            people.name(str(each.version.released_by)) if each.version.released_by else None,
            ", ".join(people.name(signed.person) for signed in each.signatures) or None,
            each.runs,
        )
        for each in found
    ]
    headings = ("version", "stage", "since (UTC)", "released by", "signed by", "runs")
    shown: list[RenderableType] = [table(*headings, rows=rows, whole=[0, 1, 2])]
    if written is not None and written != pinned(found[0].version):
        shown.append(f"\nthe file says something else than v{found[0].version.number} by now")
    return shown
