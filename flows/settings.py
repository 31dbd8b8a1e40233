"""Where things are: environment variables that start with FOLLOWTHROUGH_, and their defaults."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from decisions.links import SHORTEST_KEY

SHIPPED_WORKSPACE = Path(__file__).resolve().parent.parent / "decisions" / "definitions"


def _address(text: str) -> str:
    if not text.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ValueError("write the provider's address, like https://accounts.google.com")
    return text.rstrip("/")


class Settings(BaseSettings):
    """What a deployment may set; every value has a default that works on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="FOLLOWTHROUGH_",
        extra="ignore",
        use_attribute_docstrings=True,
        frozen=True,
        hide_input_in_errors=True,  # an input may be a secret, or all of them together
    )

    workspace: Path = SHIPPED_WORKSPACE
    """The folder with people.yaml, connections.yaml and the definitions."""
    home: Path = Path(".followthrough")
    """Where the ledger and the reports are kept unless said otherwise."""
    ledger: SecretStr | None = None
    """A database URL; by default an SQLite file below home."""
    reports: Path | None = None
    """Where reports are written; by default a folder below home."""
    archive: Path | None = None
    """Where each run's file of verdicts is kept; by default a folder below home."""
    host: str = "127.0.0.1"
    """Address the inbox listens on."""
    port: int = Field(default=8484, ge=1, le=65_535)
    """Port the inbox listens on."""
    url: str | None = None
    """The inbox's address as people reach it; by default made of host and port."""
    secret: SecretStr | None = Field(default=None, min_length=SHORTEST_KEY)
    """What sessions and personal links are signed with, 32 characters or more; else drawn once."""
    oidc_issuer: Annotated[str, AfterValidator(_address)] | None = None
    """The OpenID Connect provider people sign in with; in its absence the inbox is local."""
    oidc_client_id: str | None = None
    """What the provider calls this inbox."""
    oidc_client_secret: SecretStr | None = None
    """What this inbox proves itself to the provider with."""
    oidc_email_claim: str = "email"
    """The claim that holds a person's address as people.yaml has it."""
    oidc_unverified: bool = False
    """Whether an address counts that the provider does not say it has verified."""
    late_after: timedelta = timedelta(minutes=15)
    """For how long something may be due before the inbox's /healthz says that nobody works."""
    unconfirmed: Literal["resend", "hold"] = "resend"
    """What becomes of a message that may have been taken and cannot be looked up."""
    heartbeat: SecretStr | None = None
    """An address that is asked after every sweep, so that its owner hears when sweeps stop."""
    log_format: Literal["text", "json"] = "text"
    """How lines are logged: text for people, or one JSON object each."""
    person: str | None = None
    """Who you are on the command line; a key of people.yaml."""

    @model_validator(mode="after")
    def _sign_in_is_whole(self) -> Self:
        parts = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        if any(parts) and not all(parts):
            raise ValueError(
                "signing in takes all three of FOLLOWTHROUGH_OIDC_ISSUER, "
                "FOLLOWTHROUGH_OIDC_CLIENT_ID and FOLLOWTHROUGH_OIDC_CLIENT_SECRET"
            )
        return self

    @property
    def signs_in(self) -> bool:
        """Whether people sign in to the inbox; else it is in local mode."""
        return self.oidc_issuer is not None

    @property
    def ledger_url(self) -> str:
        """The ledger's database URL, password included."""
        if self.ledger is not None:
            return self.ledger.get_secret_value()
        return f"sqlite:///{(self.home / 'ledger.db').absolute()}"

    @property
    def reports_folder(self) -> Path:
        """Where reports are written."""
        return self.reports or self.home / "reports"

    @property
    def archive_folder(self) -> Path:
        """Where each run's file of verdicts is kept."""
        return self.archive or self.home / "archive"

    @property
    def inbox_url(self) -> str:
        """The inbox's address as people reach it, without a slash at the end."""
        return (self.url or f"http://{self.host}:{self.port}").rstrip("/")
