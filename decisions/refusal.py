"""Refusals leave a trace: who wanted to do what and was not allowed to."""

from collections.abc import Iterator
from contextlib import contextmanager

from decisions.errors import NotEntitled
from decisions.ledger import Ledger


@contextmanager
def refusals_entered(
    ledger: Ledger, act: str, about: str, *, person: str, via: str
) -> Iterator[None]:
    """Enter in the history that somebody was refused, before they hear of it.

    Args:
        ledger: Where it is entered.
        act: What they wanted to do, such as ``halt``.
        about: To what: a decision, a version, a case or a page.
        person: Key of the person.
        via: Where they asked.
    """
    try:
        yield
    except NotEntitled as refusal:
        with ledger.writing() as transaction:
            body = {"refused": str(refusal), "via": via}
            transaction.enter(f"{act} refused", about, body, actor=person)
        raise
