"""Whether values are still distributed as they were: the population stability index and its bound.

Pure: counts in, numbers out. How the counts are made is the matter of ``distribution``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

LEAST_BOUND = 0.1
"""The index from which a shift is spoken of, by custom; in small batches chance alone passes it."""
_CHANCE = 0.001
"""How often an unchanged distribution may pass the bound."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many rows fell into each bin.

    A number's bins end at the ``edges``, inclusive, and one lies above the last. A text's bins are
    the ``values``, then all others. The last bin always is that of NULL.

    Attributes:
        edges: Ascending upper ends of a number's bins; empty for a text.
        values: A text's bins; empty for a number.
        counts: Rows in each bin, those of NULL last.
    """

    edges: tuple[float, ...]
    values: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def rows(self) -> int:
        """All rows counted."""
        return sum(self.counts)

    def is_binned_like(self, other: "Distribution") -> bool:
        """Whether the counts of both can be compared bin by bin."""
        return (self.edges, self.values) == (other.edges, other.values)


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a batch has moved from its reference.

    Attributes:
        psi: Population stability index; 0 for equal shares, unbounded above.
        bound: What it may be at most before it is told.
        rows: Rows of the batch.
        reference_rows: Rows of the reference.
    """

    psi: float
    bound: float
    rows: int
    reference_rows: int

    @property
    def is_flagged(self) -> bool:
        """Whether the shift is larger than both chance and what the definition puts up with."""
        return self.psi > self.bound


def shift(reference: Distribution, found: Distribution, *, declared: float | None = None) -> Shift:
    """Compare a batch with its reference.

    Args:
        reference: What was usual; at least one row.
        found: The batch, in the same bins; at least one row.
        declared: The index from which the definition wants to hear of it; at least 0.1 counts.
    """
    bins = [
        (before, now)
        for before, now in zip(reference.counts, found.counts, strict=True)
        if before or now
    ]
    return Shift(
        psi=stability_index([before for before, _ in bins], [now for _, now in bins]),
        bound=max(
            declared or 0, LEAST_BOUND, by_chance(reference.rows, found.rows, bins=len(bins))
        ),
        rows=found.rows,
        reference_rows=reference.rows,
    )


def stability_index(expected: Sequence[int], found: Sequence[int]) -> float:
    """Return the population stability index of two counts over the same bins.

    That is the sum over bins of (q - p) ln(q / p), p and q being the shares. A bin that is empty
    on one side counts as half a row there: its logarithm would be infinite.

    Args:
        expected: Rows by bin; not all zero, and no bin empty on both sides.
        found: Rows by bin; not all zero.

    Sources:
        Kullback & Leibler (1951), Annals of Mathematical Statistics 22, 79-86: the divergence J.
    """
    total = 0.0
    for before, now in zip(expected, found, strict=True):
        p, q = max(before, 0.5) / sum(expected), max(now, 0.5) / sum(found)
        total += (q - p) * log(q / p)
    return total


def by_chance(reference_rows: int, rows: int, *, bins: int) -> float:
    """Return what the index of an unchanged distribution passes once in a thousand batches.

    Args:
        reference_rows: Rows of the reference; at least 1.
        rows: Rows of the batch; at least 1.
        bins: Bins that hold anything on either side.

    Sources:
        Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14(4), 89-100: the index is
        about (1/n + 1/m) times a chi-squared variable with one degree of freedom less than bins.
    """
    if bins < 2:
        return 0.0
    from scipy.special import chdtri

    return (1 / reference_rows + 1 / rows) * float(chdtri(bins - 1, _CHANCE))
