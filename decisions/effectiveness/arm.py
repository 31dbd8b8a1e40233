"""What became of the subjects of one arm."""

from decisions.ports import Frozen


class ArmOutcomes(Frozen):
    """What became of the subjects of one arm, as allocated.

    Attributes:
        allocated: Subjects drawn into the arm.
        subjects: Subjects with a case; each counts once, by its first.
        mature: Of these, whose outcome window and lag have passed.
        observed: Mature subjects whose outcome is known.
        missing: Mature subjects whose outcome was looked for and not found.
        censored: Mature subjects whose outcome can never be known, for a reason somebody gave.
        total: Sum of the observed values, in the measure's unit.
        squares: Sum of squared deviations of the observed values from their mean.
        zero_or_one: Observed values that are 0 or 1.
        nonzero: Observed values other than 0.
        proven: Mature subjects with an intervention proven by another system.
        valued: Mature subjects for whom it is known what a success is worth.
        worth: Sum of that, in the value field's unit.
    """

    allocated: int = 0
    subjects: int = 0
    mature: int = 0
    observed: int = 0
    missing: int = 0
    censored: int = 0
    total: float = 0.0
    squares: float = 0.0
    zero_or_one: int = 0
    nonzero: int = 0
    proven: int = 0
    valued: int = 0
    worth: float = 0.0

    @property
    def mean(self) -> float:
        """Mean of the observed values; the share of successes where all are 0 or 1.

        Raises:
            ZeroDivisionError: No outcome is known.
        """
        return self.total / self.observed

    @property
    def variance(self) -> float:
        """Variance of the observed values, divisor one less than their count.

        Raises:
            ZeroDivisionError: Fewer than two outcomes are known.
        """
        return self.squares / (self.observed - 1)
