"""What the effect comes to: so many more successes, worth so much."""

from decisions.effectiveness.about import Measure
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.effect import Effect, Interval
from decisions.ports import Frozen


class Money(Frozen):
    """An estimate of what the effect was worth; only the effect is taken as uncertain.

    Attributes:
        unit: Unit of the amounts, as declared for the value field; None where none is.
        each: Mean worth of one more success among the subjects put forward.
        valued: Mature subjects put forward for whom that worth is known.
        amount: Gain times subjects times ``each``.
        cost: What acting cost: subjects put forward times the declared cost; None without one.
        net: The amount less that; None without one.
    """

    unit: str | None
    each: float
    valued: int
    amount: Interval
    cost: float | None = None
    net: Interval | None = None

    @property
    def pays(self) -> bool:
        """Whether even the lower end is above what acting cost."""
        return self.net is not None and self.net.lower > 0


class Benefit(Frozen):
    """The effect, multiplied out over the subjects it was had on.

    Attributes:
        subjects: Mature subjects put forward for action.
        successes: How many of them did better than they would have if left alone.
        money: What that was worth; None where no value is declared or known.
    """

    subjects: int
    successes: Interval
    money: Money | None


def benefit(
    effect: Effect | None, treatment: ArmOutcomes, measure: Measure | None
) -> Benefit | None:
    """Return what an effect on a rate comes to; None for one on a mean, or for none at all.

    Args:
        effect: The estimate, as allocated.
        treatment: The subjects put forward for action.
        measure: Says what one more success is worth.
    """
    if effect is None or effect.scale != "rate" or measure is None:
        return None
    successes = effect.gain.scaled(treatment.mature)
    money = None
    if measure.value and treatment.valued:
        each = treatment.worth / treatment.valued
        amount = successes.scaled(each)
        cost = None if measure.cost is None else measure.cost * treatment.mature
        money = Money(
            unit=measure.unit,
            each=each,
            valued=treatment.valued,
            amount=amount,
            cost=cost,
            net=None if cost is None else amount.shifted(-cost),
        )
    return Benefit(subjects=treatment.mature, successes=successes, money=money)
