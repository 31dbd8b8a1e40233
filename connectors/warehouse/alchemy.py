"""Any warehouse that SQLAlchemy has a driver for: the slow way, for rows pass through Python."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, SecretStr
from sqlglot import exp

from connectors.warehouse.adbc import experimental
from connectors.warehouse.sources import named_or_asked, plain, without_secrets
from decisions.errors import PermanentFailure, TemporaryFailure

_DIALECTS = {
    "postgresql": "postgres",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "trino": "trino",
}
_BEFOREHAND = {
    "postgresql": ("SET TIME ZONE 'UTC'", "SET default_transaction_read_only = on"),
    "snowflake": ("ALTER SESSION SET TIMEZONE = 'UTC'",),
    "trino": ("SET TIME ZONE 'UTC'",),
}
_ARROW: tuple[tuple[tuple[exp.DType, ...], pa.DataType], ...] = (
    ((exp.DType.BOOLEAN,), pa.bool_()),
    (tuple(exp.DataType.INTEGER_TYPES), pa.int64()),
    (tuple(exp.DataType.REAL_TYPES), pa.float64()),
    ((exp.DType.DATE,), pa.date32()),
    (tuple(exp.DataType.TEMPORAL_TYPES), pa.timestamp("us", tz="UTC")),
)


class SqlalchemyConfig(BaseModel):
    """What ``connections.yaml`` may say about it.

    Attributes:
        dialect: Which warehouse it is.
        url: SQLAlchemy's URL of it; its driver has to be installed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dialect: Literal["postgresql", "snowflake", "bigquery", "trino"]
    url: SecretStr

    @property
    def doubt(self) -> str | None:
        """What a team should know before it relies on this."""
        return None if self.dialect == "postgresql" else experimental(self.dialect)


class SqlalchemyWarehouse:
    """Answers SELECTs, in UTC.

    Args:
        name: The connection's name.
        config: The connection, its secrets filled in.
    """

    def __init__(self, name: str, config: SqlalchemyConfig) -> None:
        self.name, self.dialect = name, _DIALECTS[config.dialect]
        self._kind, self._url = config.dialect, config.url.get_secret_value()

    def relation(self, *, table: str | None, query: str | None, path: str | None) -> str:
        """Return SQL that can stand after FROM; see ``Warehouse.relation``."""
        asked = None if path is not None else query
        return named_or_asked(self.dialect, self.name, table=table, query=asked)

    def columns(self, relation: str) -> Mapping[str, str]:
        """Return column names and types; see ``Warehouse.columns``."""
        described, _ = self._answer(f"SELECT * FROM {relation} AS r LIMIT 0")
        return described

    def select(self, query: str) -> pa.Table:
        """Run one SELECT; see ``Warehouse.select``."""
        described, rows = self._answer(query)
        columns = list(zip(*rows, strict=True)) or [()] * len(described)
        arrays = [
            _array(column, kind, self.dialect)
            for column, kind in zip(columns, described.values(), strict=True)
        ]
        return plain(pa.table(arrays, names=list(described)))

    def _answer(self, query: str) -> tuple[dict[str, str], list[Any]]:
        from sqlalchemy.exc import DBAPIError, SQLAlchemyError

        try:
            with self._engine.connect() as connection:
                for statement in _BEFOREHAND.get(self._kind, ()):
                    connection.exec_driver_sql(statement)
                # A bare % would be read as the place of a parameter by some drivers, not by all.
                result = connection.execution_options(no_parameters=True).exec_driver_sql(query)
                described = {column[0]: self._word(column) for column in result.cursor.description}
                return described, list(result.fetchall())
        except DBAPIError as error:
            kind = TemporaryFailure if _may_pass(error) else PermanentFailure
            # Not chained: the driver's own words may hold the address.
            raise kind(without_secrets(str(error.orig), [self._url]), connector=self.name) from None
        except (SQLAlchemyError, ImportError) as error:
            text = without_secrets(str(error), [self._url])
            raise PermanentFailure(text, connector=self.name) from None

    @cached_property
    def _engine(self) -> Any:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        return create_engine(self._url, poolclass=NullPool)

    def _word(self, column: Any) -> str:
        """Return a column's type; drivers that only number theirs cannot be asked."""
        found = getattr(column, "type_display", None) or column[1]
        if isinstance(found, str):
            return found
        raise PermanentFailure(
            f"its driver does not say of what type {column[0]!r} is; connect it by ADBC",
            connector=self.name,
        )


def _may_pass(error: Any) -> bool:
    return error.connection_invalidated or type(error).__name__ == "OperationalError"


def _array(values: tuple[Any, ...], kind: str, dialect: str) -> pa.Array:
    found = exp.DataType.build(kind, dialect=dialect)
    wanted = next((arrow for types, arrow in _ARROW if found.is_type(*types)), pa.string())
    if wanted == pa.float64():
        values = tuple(None if value is None else float(value) for value in values)
    if wanted == pa.string():
        values = tuple(None if value is None else str(value) for value in values)
    return pa.array(values, wanted)
