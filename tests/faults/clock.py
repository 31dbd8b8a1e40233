"""A clock that all processes of one world share; it stands still until somebody lets time pass."""

import mmap
import struct
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkstemp

from tests.samples import MONDAY


class SharedClock:
    """An instant in a file that processes have in common.

    A process that is killed holds no lock of it: an instant is written as a whole.

    Args:
        path: The file; a new one if left out.
    """

    def __init__(self, path: str | None = None) -> None:
        self._path = path or mkstemp(prefix="clock")[1]
        if path is None:
            Path(self._path).write_bytes(bytes(8))
        with Path(self._path).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return SharedClock, (self._path,)

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
