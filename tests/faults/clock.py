"""A clock that all processes of one world share; it stands still until somebody lets time pass."""

import mmap
import struct
from datetime import datetime, timedelta

from tests.samples import MONDAY


class SharedClock:
    """An instant in memory that forked processes have in common.

    A process that is killed holds no lock of it: an instant is written as a whole.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8)

    def __call__(self) -> datetime:
        (passed,) = struct.unpack("q", self._memory[:8])
        return MONDAY + timedelta(microseconds=passed)

    def wait(self, span: timedelta) -> None:
        self.stop_at(max(self(), self() + span))

    def forward(self, seconds: float) -> None:
        self.wait(timedelta(seconds=seconds))

    def stop_at(self, at: datetime) -> None:
        passed = (at - MONDAY) // timedelta(microseconds=1)
        self._memory[:8] = struct.pack("q", passed)
