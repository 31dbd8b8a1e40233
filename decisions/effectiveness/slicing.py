"""The effect within declared parts of the subjects: ideas to look into, never verdicts.

Whoever looks at many parts will find one in which it seems to work. So parts are declared before,
five fields at most, and each interval is widened for all parts that are read beside it.
"""

from collections.abc import Mapping, Sequence

from scipy import stats

from decisions.effectiveness.about import Measure
from decisions.effectiveness.effect import Effect, estimate_effect
from decisions.effectiveness.parts import PartCounts, Sliced
from decisions.errors import InsufficientData
from decisions.ports import Frozen

FEWEST = 30
"""Subjects of either arm whose outcome must be known before a part is read."""


class PartEffect(PartCounts):
    """What may be said of one part.

    Attributes:
        effect: The estimate; None where too little is known.
    """

    effect: Effect | None = None


class SliceEffects(Frozen):
    """What may be said of the parts of one field.

    Attributes:
        by: The field.
        parts: Its parts.
        critical: Standard errors to either side that each part's interval reaches: those of the
            whole, widened for all the parts that are read, of every field.
    """

    by: str
    parts: tuple[PartEffect, ...]
    critical: float


def slice_effects(
    found: Sequence[Sliced], measure: Measure, *, critical: float, names: Mapping[str, str] = {}
) -> tuple[SliceEffects, ...]:
    """Return the effect within each part, with intervals for as many as are read together.

    Args:
        found: What was counted.
        measure: The outcome.
        critical: Standard errors that the interval of the whole reaches.
        names: Full names by key of ``people.yaml``, for parts that are people.

    Sources:
        Bonferroni's inequality: so many intervals all hold their truth at least as often as one
        that is that many times as sure.
    """
    read = sum(_is_enough(part) for each in found for part in each.parts)
    wide = float(stats.norm.isf(stats.norm.sf(critical) / max(read, 1)))
    return tuple(
        SliceEffects(
            by=each.by,
            parts=tuple(_part(part, measure, wide, names) for part in each.parts),
            critical=wide,
        )
        for each in found
    )


def _is_enough(part: PartCounts) -> bool:
    return min(part.control.observed, part.treatment.observed) >= FEWEST


def _part(
    part: PartCounts, measure: Measure, critical: float, names: Mapping[str, str]
) -> PartEffect:
    effect = None
    if _is_enough(part):
        try:
            effect = estimate_effect(
                part.control,
                part.treatment,
                better=measure.better,
                confidence=1 - measure.alpha,
                critical=critical,
            )
        except InsufficientData:
            effect = None  # every outcome alike: a part to be shown with its numbers alone
    return PartEffect(
        label=names.get(part.label, part.label),
        control=part.control,
        treatment=part.treatment,
        effect=effect,
    )
