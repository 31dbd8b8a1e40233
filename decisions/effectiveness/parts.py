"""The subjects of a measurement, parted by a declared field: what the ledger counts."""

from decisions.effectiveness.arm import ArmOutcomes
from decisions.ports import Frozen

MOST_PARTS = 8
"""Parts of a field that are shown: those with most subjects."""


class PartCounts(Frozen):
    """What became of the subjects of one part, each by its first case.

    Attributes:
        label: What the part is called.
        control: Its subjects that were left alone.
        treatment: Its subjects that were put forward.
    """

    label: str
    control: ArmOutcomes = ArmOutcomes()
    treatment: ArmOutcomes = ArmOutcomes()


class Sliced(Frozen):
    """The subjects parted by one field.

    Attributes:
        by: The field.
        parts: Its parts; of a text the most frequent ones, of a number from low to high.
    """

    by: str
    parts: tuple[PartCounts, ...]
