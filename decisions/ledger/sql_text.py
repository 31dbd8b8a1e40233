"""A query as text that a reader can run: its values in it, laid out in lines."""

import re
from functools import lru_cache
from itertools import count
from typing import Any

import sqlglot
from sqlalchemy import Connection, Select

_MARK = "literal \N{SECTION SIGN}"
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_MARKED = re.compile(rf"""'(?:\$\.")?{_MARK}(\d+)"?'""")
"""A mark where a literal stood; where that was a path into JSON, it was written as one, too."""


def sql_text(query: Select[Any], connection: Connection) -> str:
    """Return a query as the connection's database takes it."""
    backend = connection.dialect.name
    text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    if backend == "postgresql":
        backend, text = "postgres", text.replace("%%", "%")  # the driver's escape for a percent
    literals, numbers = _LITERAL.findall(text), count()
    shape = _LITERAL.sub(lambda _: f"'{_MARK}{next(numbers)}'", text)
    return _MARKED.sub(lambda found: literals[int(found[1])], _in_lines(shape, backend))


@lru_cache(maxsize=256)
def _in_lines(shape: str, backend: str) -> str:
    # Reports differ in the texts and instants they ask for; parsing took longer than all else.
    return sqlglot.transpile(shape, read=backend, write=backend, pretty=True)[0]
