"""Answers from Slack over a socket: the same as over HTTP, for those whom Slack cannot reach."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from connectors.slack.channel import SlackChannel
from connectors.slack.interactions import event_in, interaction_in
from connectors.slack.socket import Heard
from decisions.errors import ConnectorError
from flows.wiring import Layer
from inbox.slack_answers import Messenger

_LOG = logging.getLogger(__name__)

INTERACTIVE = "interactive"


@contextmanager
def slack_sockets(layer: Layer) -> Iterator[list[str]]:
    """Listen to every Slack app that has an app token, for as long as the block lasts.

    Yields:
        The connections that are listened to.
    """
    with ExitStack() as stack:
        listening = []
        for name in layer.channels:
            try:
                channel = layer.channels[name]
                if not isinstance(channel, SlackChannel) or channel.socket is None:
                    continue
                channel.socket.open(partial(_heard, Messenger(layer, channel)))
            except ConnectorError as failure:
                _LOG.error("%s: nobody listens to its buttons: %s", name, failure)
                continue
            stack.callback(channel.socket.close)
            listening.append(name)
        yield listening


def _heard(messenger: Messenger, kind: str, content: Mapping[str, Any]) -> Heard:
    if kind == INTERACTIVE:
        said = messenger.answer(interaction_in(content))
    else:
        said = messenger.notice(event_in(content))
    return Heard(said.answer, said.then)
