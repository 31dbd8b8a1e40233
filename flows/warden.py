"""Stops programs whose supervisor was killed and could not do it: ``python -m flows.warden``.

It reads from a pipe whose other end the supervisor alone holds. When that ends without a goodbye,
nobody is left to stop the programs named on it, and it does.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

GRACE = 20.0
"""Seconds a program may take to stop by itself."""
_GOODBYE = "goodbye"


class Warden:
    """Watches over a supervisor, from a process of its own, for as long as the block lasts."""

    def __enter__(self) -> Self:
        # A session of its own: what ends the supervisor's terminal must not end it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flows.warden"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell(_GOODBYE)
        pipe = self._process.stdin
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
        self._process.wait()

    def watch(self, pid: int) -> None:
        """See that a program, and what it starts, does not outlive its supervisor.

        Args:
            pid: Its process, which leads a group of its own.
        """
        self._tell(str(pid))

    def _tell(self, line: str) -> None:
        pipe = self._process.stdin
        if pipe is not None:
            with suppress(BrokenPipeError):  # without a warden the supervisor does its own work
                pipe.write(f"{line}\n")
                pipe.flush()


def stand_by(lines: IO[str], *, grace: float = GRACE) -> None:
    """Wait for a goodbye; stop the programs that were named if there is none.

    Args:
        lines: What the supervisor says: the process of each program, and goodbye.
        grace: Seconds a program may take to stop by itself.
    """
    named: list[int] = []
    for line in lines:
        if line.strip() == _GOODBYE:
            return
        named.append(int(line))
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in reversed(named):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)
        end = time.monotonic() + grace
        while any(map(_lives, named)) and time.monotonic() < end:
            time.sleep(0.1)


def _lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    stand_by(sys.stdin)
