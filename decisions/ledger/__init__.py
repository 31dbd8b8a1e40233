"""The system of record: what is asked of it and what is written to it."""

from decisions.ledger.cases import Dossier, Filter
from decisions.ledger.claims import Claim, Delivery
from decisions.ledger.ledger import Ledger
from decisions.ledger.transaction import SYSTEM, Transaction

__all__ = ["SYSTEM", "Claim", "Delivery", "Dossier", "Filter", "Ledger", "Transaction"]
