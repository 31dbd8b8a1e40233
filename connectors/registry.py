"""Which ``type`` in ``connections.yaml`` means what, and how its connector is built.

Those that ship are listed here; others are found by entry point.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, SecretStr

from connectors.apprise_channel import AppriseConfig
from connectors.mail.config import MailConfig
from connectors.slack.config import SlackConfig
from connectors.warehouse.adbc import AdbcConfig, AdbcWarehouse
from connectors.warehouse.alchemy import SqlalchemyConfig, SqlalchemyWarehouse
from connectors.warehouse.duckdb import DuckDBConfig, DuckDBWarehouse
from connectors.warehouse.spark import SparkConfig, SparkWarehouse
from connectors.webhook.config import ReceiptsConfig, WebhookConfig
from decisions.errors import DecisionLayerError
from decisions.ports import Channel, Clock, Prover, Warehouse
from decisions.workspace import ConnectionKind

ENTRY_POINTS = "followthrough.connectors"

Role = Literal["warehouse", "channel", "prover"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One ``type`` of connection.

    Attributes:
        role: What it can be named as in a definition.
        config: The keys it takes in ``connections.yaml``.
        build: Makes the connector from the connection's name, its config with every ``${NAME}``
            filled in, the workspace's folder and the clock. It opens no connection.
        optional_secrets: Keys that are None where the variable they name is not set. The
            connector then does without: Slack draws its messages instead of sending them.
    """

    role: Role
    config: type[BaseModel]
    build: Callable[[str, Any, Path, Clock], Warehouse | Channel | Prover]
    optional_secrets: frozenset[str] = frozenset()


def kinds() -> Mapping[str, Kind]:
    """Return every type of connection there is, those of installed packages included.

    An installed package adds one by an entry point in the group ``followthrough.connectors``,
    named like the type, whose object (a module will do) has the attributes of ``Kind``.

    Raises:
        DecisionLayerError: A package's entry point cannot be used.
    """
    return MappingProxyType(_SHIPPED | _installed())


def connection_kinds() -> Mapping[str, ConnectionKind]:
    """Return what loading a workspace must know of each type: its role and its keys."""
    return {
        name: ConnectionKind(role=kind.role, config=kind.config) for name, kind in kinds().items()
    }


def _duckdb(name: str, config: DuckDBConfig, folder: Path, _clock: Clock) -> Warehouse:
    return DuckDBWarehouse(name, config, folder)


def _adbc(name: str, config: AdbcConfig, _folder: Path, _clock: Clock) -> Warehouse:
    return AdbcWarehouse(name, config)


def _spark(name: str, config: SparkConfig, _folder: Path, _clock: Clock) -> Warehouse:
    return SparkWarehouse(name, config)


def _sqlalchemy(name: str, config: SqlalchemyConfig, _folder: Path, _clock: Clock) -> Warehouse:
    return SqlalchemyWarehouse(name, config)


def _slack(name: str, config: SlackConfig, _folder: Path, clock: Clock) -> Channel:
    token = _revealed(config.token)
    if token is None:
        from connectors.slack.preview import PreviewChannel

        return PreviewChannel(name, clock=clock)
    from connectors.slack.channel import SlackChannel

    return SlackChannel(
        name,
        token,
        config.base_url,
        signing_secret=_revealed(config.signing_secret),
        app_token=_revealed(config.app_token),
        clock=clock,
    )


def _mail(name: str, config: MailConfig, _folder: Path, clock: Clock) -> Channel:
    from connectors.mail.channel import MailChannel

    return MailChannel(name, config.url.get_secret_value(), config.sender, clock=clock)


def _webhook(name: str, config: WebhookConfig, _folder: Path, clock: Clock) -> Channel:
    from connectors.webhook.channel import WebhookChannel

    url, secret = config.url.get_secret_value(), config.secret.get_secret_value()
    return WebhookChannel(name, url, secret, clock=clock)


def _receipts(name: str, config: ReceiptsConfig, _folder: Path, clock: Clock) -> Prover:
    from connectors.webhook.receipts import ReceiptSource

    return ReceiptSource(name, config.secret.get_secret_value(), clock=clock)


def _apprise(name: str, config: AppriseConfig, _folder: Path, clock: Clock) -> Channel:
    from connectors.apprise_channel import AppriseChannel

    return AppriseChannel(name, config.url.get_secret_value(), clock=clock)


def _revealed(secret: SecretStr | None) -> str | None:
    return (secret.get_secret_value().strip() if secret else "") or None


_SHIPPED = {
    "duckdb": Kind("warehouse", DuckDBConfig, _duckdb),
    "adbc": Kind("warehouse", AdbcConfig, _adbc),
    "spark": Kind("warehouse", SparkConfig, _spark),
    "sqlalchemy": Kind("warehouse", SqlalchemyConfig, _sqlalchemy),
    "mail": Kind("channel", MailConfig, _mail),
    "webhook": Kind("channel", WebhookConfig, _webhook),
    "receipts": Kind("prover", ReceiptsConfig, _receipts),
    "apprise": Kind("channel", AppriseConfig, _apprise),
    "slack": Kind(
        "channel", SlackConfig, _slack, frozenset({"token", "signing_secret", "app_token"})
    ),
}


def _installed() -> dict[str, Kind]:
    return {entry.name: _loaded(entry) for entry in entry_points(group=ENTRY_POINTS)}


def _loaded(entry: EntryPoint) -> Kind:
    package = entry.dist.name if entry.dist else "an unnamed package"
    what = f"connection type {entry.name!r} of {package}"
    if entry.name in _SHIPPED:
        raise DecisionLayerError(f"{what} ships with Followthrough already; name it otherwise")
    try:
        found = entry.load()
        secrets = frozenset(getattr(found, "optional_secrets", ()))
        return Kind(found.role, found.config, found.build, secrets)
    except (ImportError, AttributeError) as error:
        raise DecisionLayerError(f"{what} cannot be used: {error}; mend or remove it") from error
