"""What the domain needs from outside: a clock, warehouses, channels.

A connector is written against this module and ``decisions.errors`` alone.
"""

from decisions.ports.channel import (
    AmendingChannel,
    Channel,
    ConfirmingChannel,
    InstalledChannel,
    Pace,
    PacedChannel,
    Receipt,
    RecountingChannel,
)
from decisions.ports.clock import Clock, MachineClock, StandingClock, Waiting, let_pass, wall_clock
from decisions.ports.examination import Condition, Examinable, Finding
from decisions.ports.message import Addressee, Fact, Kind, Message
from decisions.ports.proof import Deed, Prover
from decisions.ports.value import Frozen
from decisions.ports.warehouse import Embedded, Stamped, Warehouse

__all__ = [
    "Addressee",
    "AmendingChannel",
    "Channel",
    "Clock",
    "Condition",
    "ConfirmingChannel",
    "Deed",
    "Embedded",
    "Examinable",
    "Fact",
    "Finding",
    "Frozen",
    "InstalledChannel",
    "Kind",
    "MachineClock",
    "Message",
    "Pace",
    "PacedChannel",
    "Prover",
    "Receipt",
    "RecountingChannel",
    "Stamped",
    "StandingClock",
    "Waiting",
    "Warehouse",
    "let_pass",
    "wall_clock",
]
