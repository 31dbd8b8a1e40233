"""Secrets that tests plant in connections and requests, so that a log which tells one shows."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

PLANTED = {
    "xoxb-larkfield-1",  # FakeSlack's token
    "8f2c1d7a5b3e4960",  # and its signing secret
    "s3cret",
    "wr0ng",
}


def planted(secret: str) -> str:
    """Return the secret, which no log line may hold from now on."""
    PLANTED.add(secret.removeprefix("whsec_"))
    return secret


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def lines_logged() -> Iterator[list[str]]:
    """Yield every line that reaches the root of all loggers meanwhile, tracebacks included."""
    listener = _Listener()
    listener.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(listener)
    try:
        yield listener.lines
    finally:
        root.removeHandler(listener)


def told_secrets(lines: list[str]) -> list[str]:
    """Return the lines that hold a planted secret."""
    return [line for line in lines if any(secret in line for secret in PLANTED)]
