"""The hash chain: what an entry's hash covers, how a transaction is sealed, how both are checked.

The entries of one transaction share a Merkle root; roots are chained. Whoever rewrites an entry
must rewrite every seal after it. What this cannot show: entries cut off at the very end, and a
chain recomputed from the start by somebody who owns the whole database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from sqlalchemy import Connection, RowMapping, func, select

from decisions.canonical import canonical_json, sha256
from decisions.ledger.records import Entry, Record, Seal

GENESIS = "0" * 64
"""Stands before the first seal."""

PAGE = 5_000
"""Rows read at once while verifying."""

COVERED = ("actor", "in_place_of", "act", "object", "body")
"""The text columns of an entry that its hash covers, after ``at``, in this order."""


def written(at: datetime) -> str:
    """Return the instant as it is hashed: UTC with microseconds and a Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def leaf(at: datetime, texts: Sequence[str | None]) -> str:
    """Return an entry's hash.

    Each part is hashed before they are joined, so that no text can pose as two, and so that SQL
    can do the same without a serialiser; a missing text hashes like an empty one.

    Args:
        at: The entry's instant (timezone-aware).
        texts: The columns named in ``COVERED``, in that order.
    """
    return sha256("".join(sha256(text or "") for text in (written(at), *texts)))


LEAF_SQL = (
    "sha256(sha256($written_at) || sha256($actor) || sha256('') || sha256(act) || "
    "sha256(object) || sha256(body))"
)
"""DuckDB SQL of ``leaf`` for what nobody's place was taken in, over many rows at once."""


def merkle_root(leaves: Sequence[str]) -> str:
    """Return the root over the leaves in their order; a leaf without a partner moves up as is.

    Args:
        leaves: Hexadecimal SHA-256 hashes; at least one.
    """
    level = list(leaves)
    while len(level) > 1:
        paired = [sha256(a + b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def seal_hash(position: int, at: datetime, count: int, root: str, previous: str) -> str:
    """Return the hash that the next seal will point at."""
    return sha256(canonical_json([position, written(at), count, root, previous]))


def head(connection: Connection) -> int:
    """Return the position of the last seal, 0 for an empty ledger.

    As long as it stays the same, so does every case, arm and run: what changes one is sealed.
    """
    return int(connection.execute(select(func.coalesce(func.max(Seal.id), 0))).scalar_one())


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk over the whole chain found.

    Attributes:
        entries: Entries whose hash was recomputed.
        seals: Seals whose root and link were recomputed.
        head: Hash of the last seal that holds; ``GENESIS`` for an empty ledger.
        breach: The first thing that does not hold, in words; None if everything does.
    """

    entries: int
    seals: int
    head: str
    breach: str | None


def verification(connection: Connection) -> Verification:
    """Recompute every hash, root and link, and stop at the first that does not hold."""
    entries = seals = 0
    head = GENESIS
    sealed = _by_seal(connection)
    waiting = next(sealed, None)
    for seal in _all(connection, Seal):
        if seal["id"] != seals + 1:
            return Verification(entries, seals, head, f"seal {seals + 1} is missing")
        covered: list[RowMapping] = []
        if waiting is not None and waiting[0] == seal["id"]:
            covered, waiting = waiting[1], next(sealed, None)
        breach = _entry_breach(covered) or _seal_breach(seal, covered, head)
        if breach:
            return Verification(entries, seals, head, breach)
        entries, seals, head = entries + len(covered), seals + 1, seal["sha256"]
    if waiting is not None:
        return Verification(
            entries, seals, head, f"entry {waiting[1][0]['id']} is covered by no seal"
        )
    return Verification(entries, seals, head, None)


def _all(connection: Connection, record: type[Record]) -> Iterator[RowMapping]:
    # Page by page: a cursor kept open would outlive a walk that stops at the first breach.
    table, last = record.__table__, 0
    page = select(table).order_by(table.c.id).limit(PAGE)
    while rows := connection.execute(page.where(table.c.id > last)).mappings().all():
        yield from rows
        last = rows[-1]["id"]


def _by_seal(connection: Connection) -> Iterator[tuple[int, list[RowMapping]]]:
    for seal, covered in groupby(_all(connection, Entry), key=lambda row: row["seal"]):
        yield seal, list(covered)


def _entry_breach(covered: Sequence[RowMapping]) -> str | None:
    for row in covered:
        if leaf(row["at"], [row[column] for column in COVERED]) != row["sha256"]:
            return (
                f"entry {row['id']} ({row['act']} {row['object']}, {written(row['at'])}) "
                "does not match its hash: it was changed after it was written"
            )
    return None


def _seal_breach(seal: RowMapping, covered: Sequence[RowMapping], previous: str) -> str | None:
    name = f"seal {seal['id']} ({written(seal['at'])})"
    if seal["previous"] != previous:
        return f"{name} does not point at the seal before it"
    if len(covered) != seal["count"]:
        return f"{name} covers {seal['count']} entries; {len(covered)} were found"
    if merkle_root([row["sha256"] for row in covered]) != seal["root"]:
        return f"{name} does not match the entries it covers"
    expected = seal_hash(seal["id"], seal["at"], seal["count"], seal["root"], previous)
    return None if expected == seal["sha256"] else f"{name} does not match its own hash"
