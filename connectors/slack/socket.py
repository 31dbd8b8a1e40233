"""Socket Mode: what people do comes over a connection that we open, so that no address is needed.

Sources:
    https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from connectors.slack.asking import SDK_LOG
from connectors.slack.responses import SDK_FAILURES, failure

_logger = logging.getLogger(__name__)

_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What comes of something that was heard.

    Attributes:
        answer: What Slack is answered; None for a bare acknowledgement.
        then: What follows once Slack has been answered.
    """

    answer: _Json | None
    then: Callable[[], None]


class SlackSocket:
    """One connection of an app; it is opened anew whenever it breaks.

    Args:
        name: The connection's name in ``connections.yaml``.
        token: The app-level token, ``xapp-…``.
        base_url: Where Slack's API is.
        timeout: Seconds that Slack may take to answer.
    """

    def __init__(self, name: str, token: str, base_url: str, *, timeout: int) -> None:
        self._name = name
        self._token = token
        self._web = WebClient(base_url=base_url, timeout=timeout, retry_handlers=[], logger=SDK_LOG)
        self._web.proxy = None
        self._host = urlsplit(base_url).hostname or ""
        self._client: SocketModeClient | None = None

    @property
    def app(self) -> str | None:
        """The id of the app the token is of, as its text says; None where it does not."""
        parts = self._token.split("-")
        return parts[2] if len(parts) > 3 and parts[2].startswith("A") else None

    def try_out(self) -> None:
        """Ask Slack for an address and open nothing.

        Raises:
            SlackApiError: Slack refuses the token.
        """
        self._web.apps_connections_open(app_token=self._token)

    def open(self, hear: Callable[[str, _Json], Heard]) -> None:
        """Connect, and listen until ``close``.

        Args:
            hear: Takes an envelope's kind (``interactive`` or ``events_api``) and its content.
                Whatever it raises leaves the envelope unacknowledged, so that the person sees an
                error.

        Raises:
            ConnectorError: Slack did not let us in.
        """
        client = SocketModeClient(self._token, web_client=self._web, logger=SDK_LOG)
        if proxy_bypass(self._host):
            client.proxy = None
        client.socket_mode_request_listeners.append(_Listener(self._name, hear))
        try:
            client.connect()
        except (*SDK_FAILURES, KeyError) as error:
            client.close()
            raise failure(
                error if not isinstance(error, KeyError) else ValueError("no address"),
                connector=self._name,
                asked="apps.connections.open",
                whom="the app",
                posting=False,
            ) from error
        self._client = client

    def close(self) -> None:
        """Stop listening, once what was being answered has been answered."""
        if self._client is not None:
            self._client.close()
            self._client = None


@dataclass(frozen=True, slots=True)
class _Listener:
    name: str
    hear: Callable[[str, _Json], Heard]

    def __call__(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        try:
            heard = self.hear(request.type, request.payload)
        except Exception:
            # Unacknowledged: Slack shows the person an error, which is the truth.
            _logger.exception("%s: something said in Slack was not recorded", self.name)
            return
        answer = dict(heard.answer) if heard.answer is not None else None
        client.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer))
        try:
            heard.then()
        except Exception:
            _logger.exception("%s: recorded and acknowledged, but not followed up", self.name)
