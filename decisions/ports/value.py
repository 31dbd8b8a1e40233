"""What is handed over a port: values, never changed."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value: strict about its keys, equal by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
