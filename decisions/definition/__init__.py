"""The models of a decision: what one definition file may say, key by key.

The same models are the Python API. What a single value cannot show (does the person exist, is the
column declared) is checked where the whole workspace is known, in ``decisions.workspace``.
"""

from decisions.definition.accountability import (
    OWNER_ROLES,
    Owners,
    Purpose,
    Reporting,
    SignOff,
    Slice,
)
from decisions.definition.action import Action, Step
from decisions.definition.decision import Definition, Schedule
from decisions.definition.limit import Cost, Limits
from decisions.definition.measurement import Holdout, Intervention, Outcome, Proof
from decisions.definition.relation import Context, FieldSpec, Relation
from decisions.definition.rule import NOTHING, WITHHELD, Example, Rule, Withhold
from decisions.definition.scoring import Drift, Gate, Model, RowRange, Signal

__all__ = [
    "NOTHING",
    "OWNER_ROLES",
    "WITHHELD",
    "Action",
    "Context",
    "Cost",
    "Definition",
    "Drift",
    "Example",
    "FieldSpec",
    "Gate",
    "Holdout",
    "Intervention",
    "Limits",
    "Model",
    "Outcome",
    "Owners",
    "Proof",
    "Purpose",
    "Relation",
    "Reporting",
    "RowRange",
    "Rule",
    "Schedule",
    "SignOff",
    "Signal",
    "Slice",
    "Step",
    "Withhold",
]
