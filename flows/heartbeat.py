"""A sign of life after every sweep, for whoever watches from outside that sweeps go on."""

import logging

from flows.settings import Settings

_logger = logging.getLogger(__name__)

TIMEOUT = 5.0
"""Seconds; nobody's message waits for a monitor."""


def beat(settings: Settings) -> bool:
    """Ask the heartbeat's address once; return whether it answered.

    A monitor that is away stops nothing, and its address is a secret: neither is ever told.
    """
    if settings.heartbeat is None:
        return False
    import httpx

    try:
        answer = httpx.get(settings.heartbeat.get_secret_value(), timeout=TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        _logger.warning("the heartbeat's address did not answer (%s)", type(failure).__name__)
        return False
    if answer.is_error:
        _logger.warning("the heartbeat's address answered HTTP %s", answer.status_code)
    return not answer.is_error
