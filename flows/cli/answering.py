"""Answer a case: every answer goes to the desk, like those from Slack and the pages."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

from cyclopts import Parameter

from decisions.errors import LifecycleError, NotUnderstood
from flows.cli.here import As, CommandHere, Here, instant
from flows.cli.output import attributes

if TYPE_CHECKING:
    from decisions.desk import Author, Reply


def acknowledge(case: str, /, *, as_: As = None, here: CommandHere) -> None:
    """Say "I have it": asking ends, the time to complete begins.

    Args:
        case: Its key.
        as_: Who answers; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough acknowledge CSC-17 --as mia.chen
    """
    _answer(here, as_, lambda author: here.layer.desk.acknowledge(case.upper(), author))


def override(
    case: str,
    /,
    *,
    reason: str | None = None,
    note: Annotated[str, Parameter(metavar="SENTENCE")],
    as_: As = None,
    here: CommandHere,
) -> None:
    """Decide otherwise than recommended.

    Args:
        case: Its key.
        reason: One of the reasons the decision lists; left out, they are named.
        note: Why, in a sentence.
        as_: Who answers; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough override CSC-17 --reason "data is wrong" --note "They left in May."
    """
    key = case.upper()
    if reason is None:
        known = here.layer.ledger.cases.dossier(key)
        reasons = known.definition.actions[known.case.action].override_reasons
        listed = "\n".join(f"  --reason {each!r}" for each in reasons)
        raise NotUnderstood(f"say why {key} is overridden, with one of\n{listed}")
    _answer(
        here,
        as_,
        lambda author: here.layer.desk.override(key, author, reason=reason, note=note),
        said={"note": "--note", "reason": "--reason"},
    )


def snooze(
    case: str,
    /,
    *,
    until: Annotated[str | None, Parameter(metavar="INSTANT")] = None,
    for_: Annotated[str | None, Parameter(name="--for", metavar="SPAN")] = None,
    as_: As = None,
    here: CommandHere,
) -> None:
    """Put a case off, 30 days at most; its assignee is asked again.

    Args:
        case: Its key.
        until: A date (your working day's start) or an instant, in your zone.
        for_: Instead of --until: a span such as 4h or '2 working days'.
        as_: Who answers; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough snooze CSC-17 --until 2026-12-01 --as mia.chen
        followthrough snooze CSC-17 --for "2 working days"
    """
    person = here.person(as_)
    at = _wake_up(here, person, until, for_)
    _answer(here, person, lambda author: here.layer.desk.snooze(case.upper(), author, until=at))


def reassign(
    case: str,
    /,
    *,
    to: Annotated[str, Parameter(metavar="PERSON")],
    note: Annotated[str, Parameter(metavar="SENTENCE")],
    as_: As = None,
    here: CommandHere,
) -> None:
    """Hand a case to another person, who is asked anew.

    Args:
        case: Its key.
        to: Who is to have it; their stand-in gets it while they are away.
        note: Why, in a sentence.
        as_: Who answers; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough reassign CSC-17 --to ben.okafor --note "Ben knows them." --as mia.chen
    """
    _answer(
        here,
        as_,
        lambda author: here.layer.desk.reassign(case.upper(), author, to=to, note=note),
        said={"note": "--note", "to": "--to"},
    )


def done(
    case: str,
    /,
    *,
    what: Annotated[str, Parameter(metavar="SENTENCE")],
    at: Annotated[str | None, Parameter(metavar="INSTANT")] = None,
    as_: As = None,
    here: CommandHere,
) -> None:
    """Report that the work is done, and what was done.

    Args:
        case: Its key.
        what: What was done, in a sentence.
        at: When, in your zone; now if left out.
        as_: Who answers; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough done CSC-17 --what "Called; they renew in January." --as mia.chen
    """
    person = here.person(as_)
    zone = here.layer.workspace.people.person(person).zone
    acted_at = instant(at, asked="--at", zone=zone) if at else None
    _answer(
        here,
        person,
        lambda author: here.layer.desk.done(case.upper(), author, what=what, acted_at=acted_at),
        said={"note": "--what", "at": "--at"},
    )


def _answer(
    here: Here,
    given: str | None,
    say: "Callable[[Author], Reply]",
    *,
    said: Mapping[str, str] = {},
) -> None:
    """Answer; what is refused of what was said is called by the option that said it."""
    from decisions.desk import Author

    author = Author(here.person(given), via="command line", interaction=f"cli:{uuid4()}")
    try:
        reply = say(author)
    except LifecycleError as refusal:
        if refusal.about is None or refusal.about not in said:
            raise
        raise LifecycleError(f"{said[refusal.about]}: {refusal}", about=refusal.about) from refusal
    document: dict[str, Any] = attributes(reply, "case", "state", "text")
    here.out.answer(document | {"person": author.person}, reply.text)


def _wake_up(here: Here, person: str, until: str | None, span: str | None) -> datetime:
    from decisions.quantities import Span
    from decisions.worktime import deadline

    if (until is None) == (span is None):
        raise NotUnderstood("say for how long: either --until INSTANT or --for SPAN")
    hours = here.layer.workspace.people.hours(person)
    if until is not None:
        return instant(until, asked="--until", zone=hours.zone, day_starts=hours.start)
    try:
        return deadline(here.clock(), Span.parse(span), hours)
    except ValueError as error:
        raise NotUnderstood(f"--for is {span!r}; {error}") from None
