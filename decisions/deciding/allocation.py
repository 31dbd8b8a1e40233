"""Which arm a subject belongs to: a stable hash, the same number in Python and in any SQL."""

from decisions.canonical import canonical_json, sha256
from decisions.definition import Definition

_BUCKETS = 2**32


def draw(*, salt: str, decision: str, subject: str) -> float:
    """Return the subject's place in 0 (inclusive) to 1 (exclusive), uniform over subjects.

    The first 8 hexadecimal digits of SHA-256 over ``salt|decision|subject``. The decision is part
    of the key so that two decisions that happen to share a salt draw independently.
    """
    return int(sha256(f"{salt}|{decision}|{subject}")[:8], 16) / _BUCKETS


def draw_sql(*, salt: str, decision: str, subject: str) -> str:
    """Return DuckDB SQL for the same number.

    Args:
        salt: As in ``draw``.
        decision: As in ``draw``.
        subject: SQL of a VARCHAR column.
    """
    prefix = f"{salt}|{decision}|".replace("'", "''")
    digits = f"substr(sha256('{prefix}' || {subject}), 1, 8)"
    return f"(('0x' || {digits})::UBIGINT / {_BUCKETS}.0)"


def period(definition: Definition) -> str:
    """Return the name of the measurement period: the holdout's salt, or empty without a holdout."""
    return definition.holdout.salt if definition.holdout else ""


def declaration(definition: Definition) -> str:
    """Return the hash of what is declared about measuring, kept with every arm that is drawn.

    It covers the holdout, the outcome and the subject's key: whoever changes one of them after
    arms were drawn has changed what the arms can show.
    """
    said = {
        "subject": definition.signal.subject,
        "holdout": definition.holdout and definition.holdout.model_dump(mode="json"),
        "outcome": definition.outcome and definition.outcome.model_dump(mode="json"),
    }
    return sha256(canonical_json(said))
