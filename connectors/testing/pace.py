"""How fast messages were posted, held against what Slack allows.

Slack may lose messages of a burst without an error, so a burst is a breach even where it passes.

Sources:
    https://docs.slack.dev/apis/web-api/rate-limits
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

SPACING = timedelta(seconds=1)
"""One message a second and channel."""
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Breach:
    """A post that came too soon.

    Attributes:
        channel: Where it was posted; ``workspace`` where it is all channels together.
        at: When (timezone-aware).
        gap: How long after the one before; of the workspace, the span of a minute's allowance.
    """

    channel: str
    at: datetime
    gap: timedelta


class Pace:
    """Records when posts came, and which of them came too soon.

    Attributes:
        breaches: Those, in order.
        strict: Whether what comes too soon is to be refused.

    Args:
        spacing: What has to lie between two posts into one channel.
        per_minute: How many the whole workspace may have in any minute; None for any number.
        strict: Whether what comes too soon is to be refused.
    """

    def __init__(
        self,
        *,
        spacing: timedelta = SPACING,
        per_minute: int | None = None,
        strict: bool = False,
    ) -> None:
        self.breaches: list[Breach] = []
        self.strict = strict
        self._spacing = spacing
        self._per_minute = per_minute
        self._last: dict[str, datetime] = {}
        self._recent: deque[datetime] = deque()

    def wait(self, channel: str, at: datetime) -> timedelta:
        """Return how much too soon a post would be; nothing where it is in time."""
        last = self._last.get(channel)
        return max(timedelta(), last + self._spacing - at) if last else timedelta()

    def note(self, channel: str, at: datetime) -> None:
        """Record a post."""
        if self.wait(channel, at):
            self.breaches.append(Breach(channel, at, at - self._last[channel]))
        self._last[channel] = at
        if self._per_minute is None:
            return
        self._recent.append(at)
        if len(self._recent) > self._per_minute:
            first = self._recent.popleft()
            if at - first < MINUTE:
                self.breaches.append(Breach("workspace", at, at - first))
