"""What goes wrong on the way to Slack and back, on request."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from random import Random
from typing import TypedDict, Unpack

from connectors.testing.wire import HttpAnswer, json_answer
from decisions.ports import Clock

POSTING = "chat.postMessage"


class Often(TypedDict, total=False):
    """How often a fault happens; once if nothing is said.

    Attributes:
        times: How many calls it meets; None for every one until ``clear_faults``.
        chance: How likely a call is met, 0 to 1; drawn from the seed.
        until: From when on no call is met any more (timezone-aware).
    """

    times: int | None
    chance: float
    until: datetime | None


@dataclass(slots=True)
class Fault:
    """What happens to calls of a method, in place of or after the method itself.

    Attributes:
        method: Its name; ``*`` stands for any letters.
        answer: What is answered; None cuts the connection.
        accepted: Whether what was asked is done.
        delay: Seconds of silence before the answer.
        late: How long after the call what was asked is done, once the connection is cut.
        rightly: Whether what was done is answered as always, after the delay.
    """

    method: str
    answer: HttpAnswer | None
    accepted: bool = False
    delay: float = 0.0
    late: timedelta | None = None
    rightly: bool = False
    times: int | None = 1
    chance: float = 1.0
    until: datetime | None = None


class Faults:
    """Faults in the order in which they were asked for; each call meets at most one.

    Args:
        clock: The present instant.
        seed: Of what is drawn by chance.
    """

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        self._now = clock
        self._random = Random(seed)  # noqa: S311  a test that can be repeated, no secret
        self._faults: list[Fault] = []

    def seed(self, seed: int) -> None:
        """Begin anew what is drawn by chance."""
        self._random.seed(seed)

    def clear_faults(self) -> None:
        """Let every call through again."""
        self._faults.clear()

    def refuse(
        self,
        code: str,
        *,
        method: str = POSTING,
        status: int = 200,
        retry_after: int | None = None,
        **often: Unpack[Often],
    ) -> None:
        """Answer the next call of the method with an error code, and do nothing."""
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        answer = json_answer({"ok": False, "error": code}, status, headers)
        self._faults.append(Fault(method, answer, **often))

    def refuse_after_accept(
        self, code: str, *, method: str = POSTING, status: int = 200, **often: Unpack[Often]
    ) -> None:
        """Do what the next call asks, and answer with an error code all the same."""
        answer = json_answer({"ok": False, "error": code}, status)
        self._faults.append(Fault(method, answer, accepted=True, **often))

    def cut_before_accept(self, method: str = POSTING, **often: Unpack[Often]) -> None:
        """Drop the connection of the next call, and do nothing."""
        self._faults.append(Fault(method, None, **often))

    def cut_after_accept(self, method: str = POSTING, **often: Unpack[Often]) -> None:
        """Do what the next call asks, and drop its connection without an answer."""
        self._faults.append(Fault(method, None, accepted=True, **often))

    def accept_late(self, seconds: float, *, method: str = POSTING, **often: Unpack[Often]) -> None:
        """Drop the connection of the next call, and do what it asks so much later."""
        self._faults.append(Fault(method, None, late=timedelta(seconds=seconds), **often))

    def answer_html(
        self,
        status: int = 502,
        *,
        method: str = POSTING,
        accepted: bool = False,
        **often: Unpack[Often],
    ) -> None:
        """Answer the next call with a page of HTML, as a proxy before Slack does."""
        body = b"<html><body>Bad gateway</body></html>"
        answer = HttpAnswer(status, body, {"content-type": "text/html"})
        self._faults.append(Fault(method, answer, accepted=accepted, **often))

    def answer_raw(
        self,
        body: bytes,
        *,
        method: str = POSTING,
        length: int | None = None,
        **often: Unpack[Often],
    ) -> None:
        """Do what the next call asks and answer 200 with this body, cut short if ``length``."""
        answer = HttpAnswer(200, body, {"content-type": "application/json"}, length)
        self._faults.append(Fault(method, answer, accepted=True, **often))

    def hang(self, seconds: float, method: str = POSTING, **often: Unpack[Often]) -> None:
        """Do what the next call asks, and then say nothing for so many seconds."""
        self._faults.append(Fault(method, None, accepted=True, delay=seconds, **often))

    def slow(self, seconds: float, *, method: str = "*", **often: Unpack[Often]) -> None:
        """Answer the next call rightly, but so many seconds later."""
        fault = Fault(method, None, accepted=True, delay=seconds, rightly=True, **often)
        self._faults.append(fault)

    def _met(self, method: str) -> Fault | None:
        """Return what this call meets, and count it."""
        now = self._now()
        self._faults = [each for each in self._faults if each.until is None or now < each.until]
        for fault in self._faults:
            if not fnmatchcase(method, fault.method):
                continue
            if fault.chance < 1 and self._random.random() >= fault.chance:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
            return fault
        return None
