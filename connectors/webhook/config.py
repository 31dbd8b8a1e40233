"""What a webhook connection is told in ``connections.yaml``."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class WebhookConfig(BaseModel):
    """Another system that takes our messages.

    Attributes:
        url: Where they are posted to. Written by whoever runs us, never taken from data.
        secret: What they are signed with.
    """

    # A secret must not be quoted back when another key of the same connection is wrong.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr = Field(description="Where messages are posted to, as ${PAGER_URL}.")
    secret: SecretStr = Field(description="What they are signed with, as ${PAGER_SECRET}.")


class ReceiptsConfig(BaseModel):
    """Another system that tells us what was done.

    Attributes:
        secret: What its receipts are signed with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secret: SecretStr = Field(description="What receipts are signed with, as ${CRM_SECRET}.")


def checked(url: str) -> str:
    """Return an address that may be posted to.

    Raises:
        ValueError: It is not HTTPS and not on this machine, or holds a password; the text repeats
            none of it.
    """
    try:
        parts = urlsplit(url.strip())
        is_local, _ = parts.hostname in _THIS_MACHINE, parts.port
    except ValueError:
        raise ValueError("its url cannot be read; write https://host/path") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise ValueError("its url is not https://…; http is for this machine alone")
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise ValueError("its url names no host, or a user or a fragment; write https://host/path")
    return parts.geturl()
