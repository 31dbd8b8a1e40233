"""Spark: the session that is running, one of its own, or a server by Spark Connect."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.warehouse.sources import named_or_asked, without_secrets
from decisions.errors import PermanentFailure, TemporaryFailure

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkConfig(BaseModel):
    """What ``connections.yaml`` may say about it.

    Attributes:
        remote: Address of a Spark Connect server; left out, Spark runs in this process.
        master: Where a session of its own runs; left out, as Spark is configured.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    remote: SecretStr | None = None
    master: str | None = Field(default=None, min_length=1)


class SparkWarehouse:
    """Answers SELECTs over Spark's catalog, in UTC and by ANSI rules.

    Args:
        name: The connection's name.
        config: The connection, its secrets filled in.
    """

    dialect = "spark"

    def __init__(self, name: str, config: SparkConfig) -> None:
        self.name, self._master = name, config.master
        self._remote = config.remote.get_secret_value() if config.remote else None
        self._session: SparkSession | None = None

    def relation(self, *, table: str | None, query: str | None, path: str | None) -> str:
        """Return SQL that can stand after FROM; see ``Warehouse.relation``."""
        asked = None if path is not None else query
        return named_or_asked(self.dialect, self.name, table=table, query=asked)

    def columns(self, relation: str) -> Mapping[str, str]:
        """Return column names and types; see ``Warehouse.columns``."""
        with self._told() as session:
            schema = session.sql(f"SELECT * FROM {relation} AS r").schema
        return {field.name: field.dataType.simpleString() for field in schema.fields}

    def select(self, query: str) -> pa.Table:
        """Run one SELECT; see ``Warehouse.select``."""
        with self._told() as session:
            return session.sql(query).toArrow()

    @contextmanager
    def _told(self) -> "Iterator[SparkSession]":
        try:
            from pyspark.errors import AnalysisException, ParseException, PySparkException
        except ImportError:
            raise PermanentFailure(
                "needs Spark's client: pip install 'followthrough[spark]'", connector=self.name
            ) from None
        try:
            yield self._connected()
        except (AnalysisException, ParseException) as error:
            raise PermanentFailure(self._words(error), connector=self.name) from None
        except PySparkException as error:
            raise TemporaryFailure(self._words(error), connector=self.name) from None

    def _connected(self) -> "SparkSession":
        if self._session is None:
            self._session = self._started()
            self._session.conf.set("spark.sql.session.timeZone", "UTC")
            self._session.conf.set("spark.sql.ansi.enabled", "true")
        return self._session

    def _started(self) -> "SparkSession":
        from pyspark.sql import SparkSession

        builder: Any = SparkSession.builder
        if self._remote:
            started: SparkSession = builder.remote(self._remote).getOrCreate()
            return started
        if self._master:
            builder = builder.master(self._master)
        # A session beside the running one: same catalog and cluster, settings of its own.
        beside: SparkSession = builder.getOrCreate().newSession()
        return beside

    def _words(self, error: Exception) -> str:
        return without_secrets(str(error), [self._remote] if self._remote else [])
