"""The key that sessions and personal links are signed with."""

import os
import secrets
from pathlib import Path

from decisions.errors import LedgerError
from decisions.links import SHORTEST_KEY
from flows.settings import Settings

FILE = "signing.key"


def signing_key(settings: Settings) -> str:
    """Return the key that is set, else the one kept below home, drawn when it is first needed.

    Raises:
        LedgerError: It is neither set nor can it be kept.
    """
    if settings.secret is not None:
        return settings.secret.get_secret_value()
    file = settings.home / FILE
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        _draw(file)
        key = file.read_text().strip()
    except OSError as fault:
        raise LedgerError(
            f"the key that links are signed with cannot be kept in {file} ({fault.strerror}); "
            "set FOLLOWTHROUGH_SECRET"
        ) from fault
    if len(key) < SHORTEST_KEY:
        raise LedgerError(f"{file} is no signing key any more; remove it, and one is drawn anew")
    return key


def _draw(file: Path) -> None:
    """Write a new key unless there is one; of two that begin at once, one wins whole."""
    if file.exists():
        return
    drawn = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(secrets.token_urlsafe(48) + "\n")
    try:
        os.link(drawn, file)
    except FileExistsError:
        pass
    finally:
        drawn.unlink()
