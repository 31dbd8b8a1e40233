"""The ledger's tables.

Rows are written by this package alone and in bulk through SQLAlchemy Core; the classes are the
schema and the shape in which single rows are read. Instants are stored in UTC.
"""

from decisions.ledger.records.answer import Answer, Intervention, Outcome
from decisions.ledger.records.case import UNFINISHED, Assignment, Case, CaseState, LaterSignal
from decisions.ledger.records.entry import Entry, Seal
from decisions.ledger.records.imported import Import, ImportedSubject
from decisions.ledger.records.measurement import Allocation, Arm, Look, Period
from decisions.ledger.records.notification import Notification, NotificationState, Turn
from decisions.ledger.records.receipt import ProofReceipt
from decisions.ledger.records.record import Record
from decisions.ledger.records.run import DriftReference, FieldDrift, ModelAccuracy, Run
from decisions.ledger.records.token import Token
from decisions.ledger.records.version import Signature, Standing, Version

__all__ = [
    "UNFINISHED",
    "Allocation",
    "Answer",
    "Arm",
    "Assignment",
    "Case",
    "CaseState",
    "DriftReference",
    "Entry",
    "FieldDrift",
    "Import",
    "ImportedSubject",
    "Intervention",
    "LaterSignal",
    "Look",
    "ModelAccuracy",
    "Notification",
    "NotificationState",
    "Outcome",
    "Period",
    "ProofReceipt",
    "Record",
    "Run",
    "Seal",
    "Signature",
    "Standing",
    "Token",
    "Turn",
    "Version",
]
