"""Whether a ledger's time has run ahead of the machine's, as a later ``--as-of`` makes it."""

from datetime import datetime, timedelta

TOLERATED = timedelta(minutes=5)
"""By how much clocks may differ before anybody has to hear of it."""
_HOURS_AT_MOST = 48
"""Beyond this a length of time is told in days."""


def ahead(ledger: datetime, machine: datetime) -> str | None:
    """Return a sentence where the ledger is ahead of the machine, else None.

    Args:
        ledger: The ledger's present instant (timezone-aware).
        machine: The instant that the command goes by (timezone-aware).
    """
    if ledger - machine <= TOLERATED:
        return None
    return (
        f"this ledger is at {ledger:%d %b %Y %H:%M} UTC, {spelt(ledger - machine)} ahead of this "
        "machine's clock, by an earlier --as-of; its time stands still until then"
    )


def spelt(length: timedelta) -> str:
    """Return a length of time in hours, a long one in days."""
    hours = length / timedelta(hours=1)
    return f"{hours:,.1f} h" if hours < _HOURS_AT_MOST else f"{hours / 24:,.1f} days"
