"""Tokens of programs: given, shown once, looked up by hash, revoked."""

import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update

from decisions.canonical import sha256
from decisions.errors import LifecycleError, NotUnderstood
from decisions.ledger.records import Token
from decisions.ledger.store import Store
from decisions.permission import Scope

LONGEST_LIFE = timedelta(days=730)
_FORM = re.compile(r"ft_([1-9][0-9]{0,17})_([A-Za-z0-9_-]{43})")


class Tokens:
    """The tokens in the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def give(
        self, name: str, person: str, scopes: Sequence[Scope], *, life: timedelta
    ) -> tuple[Token, str]:
        """Make a token.

        Args:
            name: What it is for, in words.
            person: In whose name it acts; a key of ``people.yaml``.
            scopes: What it may, at most.
            life: For how long; at most two years.

        Returns:
            The token, and the text that a program shows; it is kept nowhere.

        Raises:
            NotUnderstood: It has no name or scope, or lives for too long.
        """
        if not (1 <= len(name) <= 100 and name.isprintable()):
            raise NotUnderstood(f"a token is named in 1 to 100 characters, not {name!r}")
        if not scopes:
            raise NotUnderstood(f"what may it do? name one of {', '.join(Scope)}")
        if not timedelta() < life <= LONGEST_LIFE:
            raise NotUnderstood(f"a token lives for 1 to {LONGEST_LIFE.days} days")
        secret, wanted = secrets.token_urlsafe(32), sorted(set(scopes))
        with self._store.writing() as transaction:
            table = Token.__table__
            number = transaction.connection.execute(
                select(func.coalesce(func.max(table.c.id), 0) + 1)
            ).scalar_one()
            token = Token(
                id=number,
                name=name,
                person=person,
                scopes=[str(each) for each in wanted],
                sha256=sha256(secret),
                created_at=transaction.at,
                expires_at=transaction.at + life,
            )
            transaction.connection.execute(insert(table).values(**dict(token)))
            body = {"name": name, "scopes": token.scopes, "until": token.expires_at.isoformat()}
            transaction.enter("token given", f"token {number}", body, actor=person)
        return token, f"ft_{number}_{secret}"

    def all(self) -> list[Token]:
        """Return every token there ever was, newest first."""
        query = select(Token.__table__).order_by(Token.__table__.c.id.desc())
        with self._store.reading() as connection:
            return [Token(**row) for row in connection.execute(query).mappings()]

    def shown(self, text: str, now: datetime) -> Token | None:
        """Return the token of which a program shows the text; None if it does not count.

        Args:
            text: What the program shows.
            now: The present instant (timezone-aware).
        """
        found = _FORM.fullmatch(text)
        if found is None:
            return None
        query = select(Token.__table__).where(Token.__table__.c.id == int(found[1]))
        with self._store.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None or not hmac.compare_digest(row["sha256"], sha256(found[2])):
            return None
        token = Token(**row)
        return token if token.revoked_at is None and now < token.expires_at else None

    def revoke(self, number: int, *, by: str) -> Token:
        """End a token at once.

        Args:
            number: Its number.
            by: Who ends it.

        Raises:
            LifecycleError: There is none, or it was revoked before.
        """
        table = Token.__table__
        with self._store.writing() as transaction:
            connection = transaction.connection
            row = connection.execute(select(table).where(table.c.id == number)).mappings().first()
            if row is None:
                raise LifecycleError(f"there is no token {number}; `followthrough token list`")
            token = Token(**row)
            if token.revoked_at is not None:
                raise LifecycleError(f"token {number} was revoked {token.revoked_at:%Y-%m-%d}")
            at = {"revoked_at": transaction.at}
            connection.execute(update(table).where(table.c.id == number).values(**at))
            transaction.enter("token revoked", f"token {number}", {"name": token.name}, actor=by)
        return token.model_copy(update=at)
