"""One question to Slack, and what it means when it is not answered as hoped."""

import logging
from collections.abc import Callable
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from connectors.slack.responses import SDK_FAILURES, failure
from decisions.errors import ConnectorError

# What the SDK would log the channel raises, and the SDK's debug lines hold whole messages.
SDK_LOG = logging.getLogger("connectors.slack.sdk")
SDK_LOG.setLevel(logging.CRITICAL)


class Asking:
    """Asks Slack once, never again by itself.

    Attributes:
        client: Whose methods may be asked.

    Args:
        name: The connection's name.
        token: The bot token.
        base_url: Where Slack's API is.
        timeout: Seconds that Slack may take to answer.
    """

    def __init__(self, name: str, token: str, base_url: str, *, timeout: int) -> None:
        self.client = WebClient(token, base_url, timeout=timeout, retry_handlers=[], logger=SDK_LOG)
        # The SDK would take HTTP_PROXY for every host; without it urllib heeds NO_PROXY too.
        self.client.proxy = None
        self._name = name

    def ask(
        self,
        call: Callable[..., SlackResponse],
        whom: str,
        *,
        posting: bool = False,
        **arguments: Any,
    ) -> SlackResponse:
        """Return Slack's answer.

        Args:
            call: A method of ``client``.
            whom: The person it is about.
            posting: Whether it could tell somebody something.
            arguments: What the method takes.

        Raises:
            ConnectorError: As ``responses.failure`` says.
        """
        try:
            return call(**arguments)
        except SDK_FAILURES as error:
            raise self.failure(error, call.__name__, whom, posting=posting) from error

    def failure(self, error: Exception, asked: str, whom: str, *, posting: bool) -> ConnectorError:
        """Return what to raise for one of ``SDK_FAILURES``."""
        asked = asked.replace("_", ".", 1)
        return failure(error, connector=self._name, asked=asked, whom=whom, posting=posting)
