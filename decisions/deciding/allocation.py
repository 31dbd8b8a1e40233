"""Which arm a subject belongs to: a stable hash, the same number in Python and in any SQL."""

from decisions.canonical import sha256

_BUCKETS = 2**32


def draw(*, period: str, decision: str, subject: str) -> float:
    """Return the subject's place in 0 (inclusive) to 1 (exclusive), uniform over subjects.

    The first 8 hexadecimal digits of SHA-256 over ``period|decision|subject``. The decision is part
    of the key so that two decisions that happen to share a salt draw independently; the period,
    which begins with the salt, so that nobody is left alone for ever.
    """
    return int(sha256(f"{period}|{decision}|{subject}")[:8], 16) / _BUCKETS


def draw_sql(*, period: str, decision: str, subject: str) -> str:
    """Return DuckDB SQL for the same number.

    Args:
        period: As in ``draw``.
        decision: As in ``draw``.
        subject: SQL of a VARCHAR column.
    """
    prefix = f"{period}|{decision}|".replace("'", "''")
    digits = f"substr(sha256('{prefix}' || {subject}), 1, 8)"
    return f"(('0x' || {digits})::UBIGINT / {_BUCKETS}.0)"
