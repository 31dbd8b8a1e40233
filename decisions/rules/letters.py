"""Upper and lower case, one character for one, as DuckDB has them; no language's own rules."""

from functools import lru_cache

import duckdb

_PAIRS = """
SELECT code, lower(chr(code)) AS low, upper(chr(code)) AS high
FROM (SELECT CAST(unnest(range(65, 125_300)) AS INTEGER) AS code)
WHERE code NOT BETWEEN 55_296 AND 57_343 AND (low <> chr(code) OR high <> chr(code))
"""
"""The codes between are surrogates; behind the last one no script has cases."""


@lru_cache(maxsize=1)
def tables() -> tuple[dict[int, str], dict[int, str]]:
    """Return what ``str.translate`` takes to lower and to raise letters."""
    with duckdb.connect(":memory:", config={"threads": "1"}) as engine:
        pairs = engine.execute(_PAIRS).fetchall()
    return (
        {code: low for code, low, _ in pairs if low != chr(code)},
        {code: high for code, _, high in pairs if high != chr(code)},
    )


def lowered(text: str) -> str:
    """Return the text with every letter in lower case: as many characters as before."""
    if text.isascii():
        return text.lower()
    return text.translate(tables()[0])


def raised(text: str) -> str:
    """Return the text with every letter in upper case: as many characters as before."""
    if text.isascii():
        return text.upper()
    return text.translate(tables()[1])
