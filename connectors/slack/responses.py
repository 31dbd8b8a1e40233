"""What Slack's refusals mean: the one table, and the failure each becomes.

A code that is not listed counts as an unknown outcome: to look before trying again is never wrong.

Sources:
    The ``errors`` sections of https://docs.slack.dev/reference/methods and slackapi/slack-api-ref.
"""

import errno
import re
import socket
import ssl
from datetime import timedelta
from enum import Enum
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from decisions.errors import (
    ConnectorError,
    OutOfOrder,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
)

SDK_FAILURES = (SlackClientError, OSError, HTTPException, ValueError, AttributeError)
"""Everything the SDK is known to raise: the last two when an answer is no JSON object."""

REPAIR_WAIT = timedelta(minutes=5)
_NOT_CONNECTED = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})


class Meaning(Enum):
    """What a refusal says about the message and the next try."""

    UNKNOWN = "it may have been taken"
    WAIT = "not taken; later it will be"
    UNREACHABLE = "not taken; not for this person"
    REPAIR = "not taken; not before the installation is repaired"
    OUR_FAULT = "not taken; not in this form"


class RefusedForm(PermanentFailure):
    """Slack refuses the message in this form; a plainer one may pass.

    Attributes:
        code: Slack's code, such as ``invalid_blocks``.
    """

    def __init__(self, text: str, *, connector: str, code: str) -> None:
        self.code = code
        super().__init__(text, connector=connector)


_CODES = {
    Meaning.WAIT: "ratelimited rate_limited",
    Meaning.UNREACHABLE: """
        channel_not_found is_archived not_in_channel restricted_action user_not_found
        users_not_found user_disabled cannot_dm_bot messages_tab_disabled user_not_in_channel
        ekm_access_denied no_permission message_not_found cant_update_message edit_window_closed
        is_inactive
    """,
    Meaning.REPAIR: """
        token_revoked token_expired account_inactive invalid_auth not_authed missing_scope
        not_allowed_token_type two_factor_setup_required accesslimited message_limit_exceeded
    """,
    Meaning.OUR_FAULT: """
        invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long no_text
        metadata_too_large attachment_payload_limit_exceeded invalid_arguments
    """,
    Meaning.UNKNOWN: """
        fatal_error internal_error service_unavailable request_timeout team_added_to_org
        org_login_required
    """,
}
MEANINGS = {code: meaning for meaning, codes in _CODES.items() for code in codes.split()}
"""Every listed code; families such as ``duplicate_*`` are in ``meaning``."""

_FAMILIES = {
    "restricted_action": Meaning.UNREACHABLE,
    "invalid_metadata_": Meaning.OUR_FAULT,
    "duplicate_": Meaning.UNKNOWN,
}


def meaning(error: SlackApiError) -> Meaning:
    """Return what an answer of Slack's other than ``ok`` says."""
    status = error.response.status_code
    if status == 429:
        return Meaning.WAIT
    if status >= 500:
        return Meaning.UNKNOWN
    code = refusal_code(error)
    for family, its_meaning in _FAMILIES.items():
        if code.startswith(family):
            return its_meaning
    return MEANINGS.get(code, Meaning.UNKNOWN)


def refusal_code(error: SlackApiError) -> str:
    """Return Slack's code such as ``channel_not_found``, or what was answered in its place."""
    code = _data(error).get("error")
    if isinstance(code, str) and re.fullmatch(r"[a-z0-9_.-]{1,80}", code):
        return code
    return f"HTTP {error.response.status_code} without a code of Slack's"


def failure(
    error: Exception, *, connector: str, asked: str, whom: str, posting: bool
) -> ConnectorError:
    """Return what to raise for one of ``SDK_FAILURES``.

    Args:
        error: What the SDK raised.
        connector: The connection's name.
        asked: The method that was called, such as ``chat.postMessage``.
        whom: The person it was about.
        posting: Whether it could have told somebody something. A question that got no answer
            changed nothing, so it is safe to ask again.
    """
    if isinstance(error, SlackApiError):
        return _refusal(error, connector=connector, asked=asked, whom=whom, posting=posting)
    found = f"{asked} got no answer ({_named(error)})"
    if _never_sent(error):
        text = f"{asked} could not be sent ({_named(error)}); it is tried again"
        return TemporaryFailure(text, connector=connector)
    return _unclear(found, connector, posting=posting)


def _refusal(
    error: SlackApiError, *, connector: str, asked: str, whom: str, posting: bool
) -> ConnectorError:
    code = refusal_code(error)
    found = f"{asked} for {whom} was answered with {code!r}"
    match meaning(error):
        case Meaning.WAIT:
            wait = _asked_wait(error)
            return TemporaryFailure(
                f"{found}; Slack asks to wait", connector=connector, retry_after=wait
            )
        case Meaning.REPAIR:
            text = f"the installation needs repair: {found}{_needed(error)}; nothing is lost"
            return OutOfOrder(text, connector=connector, retry_after=REPAIR_WAIT)
        case Meaning.UNREACHABLE:
            text = f"{found}; check the Slack id and e-mail of {whom} in people.yaml"
            return PermanentFailure(text, connector=connector)
        case Meaning.OUR_FAULT:
            text = f"{found}, in its plainer form too; please report it as a fault of ours"
            return RefusedForm(text, connector=connector, code=code)
    return _unclear(found, connector, posting=posting)


def _unclear(found: str, connector: str, *, posting: bool) -> ConnectorError:
    if posting:
        text = f"{found}; it may have been taken, so look before trying again"
        return UnknownOutcome(text, connector=connector)
    return TemporaryFailure(f"{found}; nothing was sent, it is tried again", connector=connector)


def _never_sent(error: Exception) -> bool:
    """Say whether it failed before the first byte of the request left."""
    reason = error.reason if isinstance(error, URLError) else None
    if isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError):
        return True
    return isinstance(reason, OSError) and reason.errno in _NOT_CONNECTED


def _named(error: Exception) -> str:
    # Only the kind of failure: the texts of some quote headers, and with them the token.
    reason = error.reason if isinstance(error, URLError) else error
    return type(reason).__name__


def _asked_wait(error: SlackApiError) -> timedelta | None:
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    seconds = str(headers.get("retry-after", "")).strip()
    return timedelta(seconds=int(seconds)) if re.fullmatch(r"\d{1,6}", seconds) else None


def _needed(error: SlackApiError) -> str:
    needed = _data(error).get("needed")
    return f" (it needs the scope {needed!r})" if isinstance(needed, str) else ""


def _data(error: SlackApiError) -> dict[str, Any]:
    data = error.response.data
    return data if isinstance(data, dict) else {}
