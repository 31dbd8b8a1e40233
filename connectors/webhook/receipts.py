"""Receipts that another system sends: checked to be its own, and read."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from connectors.webhook.signing import TOLERANCE, Secrets
from decisions.errors import NotUnderstood, PermanentFailure
from decisions.ports import Clock, Deed


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    decision: str = Field(min_length=1, max_length=200)
    case: str | None = Field(default=None, min_length=1, max_length=200)
    subject: str | None = Field(default=None, min_length=1, max_length=1_000)
    acted_at: AwareDatetime
    what: str | None = Field(default=None, min_length=1, max_length=2_000)

    @model_validator(mode="after")
    def _names_one(self) -> "_Said":
        if (self.case is None) == (self.subject is None):
            raise ValueError("give either case or subject")
        return self


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: _Said


class ReceiptSource:
    """A system whose receipts are proof; see ``decisions.ports.Prover``.

    Attributes:
        name: The connection's name in ``connections.yaml``.
    """

    def __init__(self, name: str, secret: str, *, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        try:
            self._secrets = Secrets(secret)
        except ValueError as fault:
            raise PermanentFailure(str(fault), connector=name) from None

    def __repr__(self) -> str:
        return f"ReceiptSource({self.name!r})"

    def signed(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Return the receipt's id, if this system signed it just now; see ``Prover.signed``."""
        return self._secrets.signed(body, headers, now=self._clock())

    def read(self, body: bytes, id_: str) -> Deed:
        """Return what a receipt says; see ``Prover.read``."""
        try:
            said = _Envelope.model_validate_json(body).data
        except ValidationError as error:
            # Not quoted: a receipt is about a person.
            found = "; ".join(
                f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}"
                for each in error.errors(include_input=False, include_url=False)[:10]
            )
            raise NotUnderstood(f"the receipt cannot be read: {found}") from None
        now = self._clock()
        if said.acted_at > now + TOLERANCE:
            raise NotUnderstood(f"data.acted_at is still to come; it is {_written(now)}")
        return Deed(
            source=self.name,
            id=id_,
            decision=said.decision,
            case=said.case.upper() if said.case else None,
            subject=said.subject,
            acted_at=said.acted_at.astimezone(UTC),
            what=said.what,
        )


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
