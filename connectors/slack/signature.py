"""Whether a request was signed by Slack, for this app, just now.

Sources:
    https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from collections.abc import Mapping

from slack_sdk.signature import Clock as VerifierClock
from slack_sdk.signature import SignatureVerifier

from decisions.ports import Clock


class Signature:
    """Checks signatures with an app's signing secret.

    Attributes:
        can_verify: Whether there is a secret; without one nothing is genuine.

    Args:
        secret: The app's signing secret, if one is set.
        clock: The present instant.
    """

    def __init__(self, secret: str | None, clock: Clock) -> None:
        class Instant(VerifierClock):
            def now(self) -> float:
                return clock().timestamp()

        given = secret if secret and secret.strip() else None
        self.can_verify = given is not None
        self._verifier = SignatureVerifier(given, Instant()) if given else None

    def is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Say whether a request was signed by Slack for this app within five minutes of now."""
        if self._verifier is None:
            return False
        try:
            return self._verifier.is_valid_request(body, dict(headers))
        except (ValueError, TypeError, OverflowError):  # what the verifier makes of garbage
            return False
