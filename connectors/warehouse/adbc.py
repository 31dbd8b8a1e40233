"""Warehouses spoken to by ADBC: PostgreSQL; Snowflake and BigQuery by drivers you install."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, SecretStr

from connectors.warehouse.sources import named_or_asked, plain, without_secrets, word
from decisions.errors import PermanentFailure, TemporaryFailure

_DIALECTS = {"postgresql": "postgres", "snowflake": "snowflake", "bigquery": "bigquery"}
_BEFOREHAND = {
    "postgresql": ("SET TIME ZONE 'UTC'", "SET default_transaction_read_only = on"),
    "snowflake": ("ALTER SESSION SET TIMEZONE = 'UTC'",),
    "bigquery": (),
}
_PASSING_STATES = ("08", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE: refused at the door; a server that is away, busy or in the way."""
_HOPELESS_WORDS = ("authentication failed", "does not exist", "no pg_hba.conf", "invalid")


class AdbcConfig(BaseModel):
    """What ``connections.yaml`` may say about it.

    Attributes:
        driver: Which warehouse it is.
        uri: Its address, in the driver's own form.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    driver: Literal["postgresql", "snowflake", "bigquery"]
    uri: SecretStr

    @property
    def doubt(self) -> str | None:
        """What a team should know before it relies on this."""
        return None if self.driver == "postgresql" else experimental(self.driver)


def experimental(what: str) -> str:
    """Return the warning for a warehouse that our tests have not met."""
    return f"{what} is experimental: its SQL is written, but no test of ours has run there"


class AdbcWarehouse:
    """Answers SELECTs, in UTC; what is asked runs there, what comes back is Arrow.

    Args:
        name: The connection's name.
        config: The connection, its secrets filled in.
    """

    def __init__(self, name: str, config: AdbcConfig) -> None:
        self.name, self.dialect = name, _DIALECTS[config.driver]
        self._driver, self._uri = config.driver, config.uri.get_secret_value()

    def relation(self, *, table: str | None, query: str | None, path: str | None) -> str:
        """Return SQL that can stand after FROM; see ``Warehouse.relation``."""
        asked = None if path is not None else query
        return named_or_asked(self.dialect, self.name, table=table, query=asked)

    def columns(self, relation: str) -> Mapping[str, str]:
        """Return column names and types; see ``Warehouse.columns``."""
        nothing = self._answer(f"SELECT * FROM {relation} AS r LIMIT 0")
        return {column.name: word(column.type) for column in nothing.schema}

    def select(self, query: str) -> pa.Table:
        """Run one SELECT; see ``Warehouse.select``."""
        return plain(self._answer(query))

    def _answer(self, query: str) -> pa.Table:
        with self._cursor() as cursor:
            cursor.execute(query)
            table: pa.Table = cursor.fetch_arrow_table()
            return table

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        dbapi = self._dbapi()
        try:
            with (
                dbapi.connect(**self._address(), autocommit=True) as connection,
                connection.cursor() as cursor,
            ):
                for statement in _BEFOREHAND[self._driver]:
                    cursor.execute(statement)
                yield cursor
        except dbapi.Error as error:
            # Not chained: the driver's own words may hold the address.
            raise self._failure(error) from None

    def _address(self) -> dict[str, Any]:
        uri = self._uri
        return {"db_kwargs": {"uri": uri}} if self._driver == "bigquery" else {"uri": uri}

    def _dbapi(self) -> Any:
        package = f"adbc_driver_{self._driver}"
        try:
            return import_module(f"{package}.dbapi")
        except ImportError:
            raise PermanentFailure(
                f"needs a driver that is not installed: pip install {package.replace('_', '-')}",
                connector=self.name,
            ) from None

    def _failure(self, error: Exception) -> PermanentFailure | TemporaryFailure:
        text = without_secrets(str(error), [self._uri])
        state = getattr(error, "sqlstate", None) or ""
        if state.startswith(_PASSING_STATES):
            return TemporaryFailure(text, connector=self.name)
        away = type(error).__name__ == "OperationalError" and not state
        hopeless = any(words in str(error) for words in _HOPELESS_WORDS)
        kind = TemporaryFailure if away and not hopeless else PermanentFailure
        return kind(text, connector=self.name)
