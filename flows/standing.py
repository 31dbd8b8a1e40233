"""Whether what a definition's file says is what decides."""

from collections.abc import Mapping
from contextlib import closing

from decisions.definition import Definition
from decisions.errors import LedgerError
from decisions.ledger import Ledger
from decisions.ports import Clock
from flows.settings import Settings

UNASKED = "the file; no ledger was found that would say whether it is in force"


def other_in_force(ledger: Ledger, definition: Definition) -> str | None:
    """Return the version that decides in place of the file, such as ``v1``; None if none does.

    Args:
        ledger: The ledger.
        definition: The decision as its file says it now.
    """
    for mandate in ledger.releases.mandates(definition):
        if mandate.acts and mandate.definition.sha256 != definition.sha256:
            return _named(ledger, mandate.definition)[0]
    return None


def difference_told(decision: str, version: str) -> str:
    """Return in a sentence that a file differs from the version that decides."""
    return (
        f"{decision}.yaml says something else than {version}, which decides; "
        f"followthrough diff {decision}"
    )


def standing(ledger: Ledger, definition: Definition) -> str:
    """Return in a few words what the file is: the version in force, or something else.

    Args:
        ledger: The ledger.
        definition: The decision as its file says it now.
    """
    acting = [each for each in ledger.releases.mandates(definition) if each.acts]
    if not acting:
        return "the file; nobody has signed it, so that it decides nothing"
    if acting[0].definition.sha256 != definition.sha256:
        version, stage = _named(ledger, acting[0].definition)
        return f"the file, which differs from the version in force ({version}, {stage})"
    version, stage = _named(ledger, definition)
    if definition.sign_off is None:
        return "the file, which nobody has to sign: it is live at its next run"
    return f"the version in force ({version}, {stage})"


def standings(
    settings: Settings, clock: Clock, decisions: Mapping[str, Definition]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return of each decision what its file is, and of some the version that decides instead.

    The ledger is opened for reading alone; where there is none, that is said.
    """
    try:
        ledger = Ledger(settings.ledger_url, clock, read_only=True)
    except LedgerError:
        return dict.fromkeys(decisions, UNASKED), {}
    with closing(ledger):
        told = {name: standing(ledger, each) for name, each in decisions.items()}
        others = {name: other_in_force(ledger, each) for name, each in decisions.items()}
    return told, {name: version for name, version in others.items() if version}


def _named(ledger: Ledger, definition: Definition) -> tuple[str, str]:
    for account in ledger.releases.accounts(definition.decision):
        if account.version.sha256 == definition.sha256:
            return f"v{account.version.number}", account.stage
    return "", ""
