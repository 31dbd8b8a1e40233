"""Definitions as the ledger keeps them: exact contents, numbered per decision."""

from functools import lru_cache

from decisions.canonical import canonical_json
from decisions.definition import Definition
from decisions.ledger.records import Version


def pinned(version: Version) -> Definition:
    """Return the definition that the version holds."""
    return _parsed(canonical_json(version.definition))


@lru_cache(maxsize=256)
def _parsed(content: str) -> Definition:
    return Definition.model_validate_json(content)
