"""Tokens for programs that use the API."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from decisions.errors import NotUnderstood
from flows.cli.endings import DONE
from flows.cli.here import As, CommandHere, Here, name_of
from flows.cli.output import table

if TYPE_CHECKING:
    from decisions.ledger.records import Token

Wanted = Literal["read", "answer", "decide", "record"]
"""The scopes; written out, so that the command line starts without the domain."""


def token(
    act: Literal["add", "list", "revoke"],
    which: str | None = None,
    /,
    *,
    as_: As = None,
    scope: Annotated[list[Wanted] | None, Parameter(negative=())] = None,
    days: Annotated[int, Parameter(validator=Number(gte=1, lte=3_650))] = 365,
    here: CommandHere,
) -> int:
    """Give a program leave to use the API in your name, list such tokens, or end one.

    A token may what its person may, and of that only what its scopes name: read, answer, decide,
    record. It is shown once; the ledger keeps its hash.

    Args:
        act: add, list or revoke.
        which: To add, what it is for; to revoke, its number.
        as_: In whose name it acts, or who revokes it; a key of people.yaml.
        scope: What it may; repeat it for several.
        days: For how many days it counts.
        here: What the command works on.

    Examples:
        followthrough token add crm-sync --as lee.park --scope decide --scope record
        followthrough token list
        followthrough token revoke 1 --as lee.park
    """
    if act == "list":
        _list(here)
    elif act == "add":
        _add(
            here, which, here.person(as_, question="in whose name does it act?"), scope or [], days
        )
    else:
        _revoke(here, which, here.person(as_, question="who revokes it?"))
    return DONE


def _list(here: Here) -> None:
    known = here.layer.ledger.tokens.all()
    people, now = here.layer.workspace.people, here.clock()
    rows = [
        (each.id, each.name, name_of(people, each.person), ", ".join(each.scopes),
         f"{each.expires_at:%Y-%m-%d}", _standing(each, now))
        for each in known
    ]  # fmt: skip
    shown = table("no", "for", "in the name of", "may", "until", "", rows=rows)
    none = "No program has a token; `followthrough token add NAME --scope read` gives one."
    here.out.answer([_document(each) for each in known], shown if rows else none)


def _add(here: Here, name: str | None, person: str, scopes: list[Wanted], days: int) -> None:
    if name is None:
        raise NotUnderstood("what is it for? name it: followthrough token add NAME")
    from decisions.permission import Scope

    given, text = here.layer.ledger.tokens.give(
        name, person, [Scope(each) for each in scopes], life=timedelta(days=days)
    )
    here.out.answer(
        _document(given) | {"token": text},
        text,
        f"\nToken {given.id} acts in the name of {here.layer.workspace.people.name(person)} until "
        f"{given.expires_at:%Y-%m-%d}; it may {', '.join(given.scopes)}. It is not shown again.",
    )


def _revoke(here: Here, which: str | None, person: str) -> None:
    if which is None or not which.isdecimal() or len(which) > 15:
        raise NotUnderstood(f"which? a token's number is expected, not {which!r}")
    ended = here.layer.ledger.tokens.revoke(int(which), by=person)
    here.out.answer(_document(ended), f"Token {ended.id} ({ended.name}) counts no more.")


def _standing(each: "Token", now: Any) -> str:
    if each.revoked_at is not None:
        return "revoked"
    return "expired" if each.expires_at <= now else ""


def _document(each: "Token") -> dict[str, Any]:
    return each.model_dump(mode="json", exclude={"sha256"})
