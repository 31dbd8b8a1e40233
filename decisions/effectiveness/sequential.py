"""How wide an interval must be to be read month after month: alpha spending after Lan and DeMets.

An estimate, scaled to its information, wanders like a Brownian motion while data come in. Each look
may spend part of alpha; its critical value is the one that a walk without drift, which no earlier
look has stopped, exceeds with just that chance. It depends on past looks only, so a look may come
late, be skipped or be added.

Sources:
    Lan & DeMets (1983), Biometrika 70, 659-663; the recursion after Armitage, McPherson & Rowe
    (1969), Journal of the Royal Statistical Society A 132, 235-244.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

_FEWEST_NODES = 96
_MOST_NODES = 1_200
_WIDEST = 12.0
"""Critical values are looked for up to here: a chance of 4e-33."""

LEAST_SPENDING = 1e-12
"""What a look must be able to spend; less is no new information."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A look already taken.

    Attributes:
        information: Share of the planned information that was known, above 0, to 1.
        critical: Standard errors to either side that its interval reached.
    """

    information: float
    critical: float


def spending(information: float, alpha: float) -> float:
    """Return the alpha that all looks up to an information share, 0 to 1, may spend."""
    return float(alpha * min(information, 1.0) ** 2)


def critical_value(past: Sequence[Bound], information: float, *, alpha: float) -> float | None:
    """Return how many standard errors an interval read now must reach to either side.

    Args:
        past: The looks taken before, first one first.
        information: Share of the planned information known now, 0 to 1.
        alpha: Chance that any of all looks excludes zero where there is no effect, two-sided.

    Returns:
        The critical value; None where nothing new is known since the last look.
    """
    before = past[-1].information if past else 0.0
    share = spending(information, alpha) - spending(before, alpha)
    if information <= before or share < LEAST_SPENDING:
        return None
    walk = _Walk.through(past, upto=information)

    def excess(critical: float) -> float:
        return walk.leaving(information, critical) - share

    return float(optimize.brentq(excess, 0.0, _WIDEST, xtol=1e-9))


@lru_cache(maxsize=64)
def planned_bounds(looks: int, alpha: float) -> tuple[Bound, ...]:
    """Return the bounds of equally spaced looks that end with the plan."""
    bounds: list[Bound] = []
    for number in range(1, looks + 1):
        critical = critical_value(bounds, number / looks, alpha=alpha)
        bounds.append(Bound(number / looks, _WIDEST if critical is None else critical))
    return tuple(bounds)


def crossing(bounds: Sequence[Bound], drift: float) -> float:
    """Return the chance that any look excludes zero.

    Args:
        bounds: The looks.
        drift: Expected standardised difference at full information: its power in one reading is
            the chance that a normal variable exceeds the critical value less this.
    """
    walk, found = _Walk.through((), upto=bounds[-1].information, drift=drift), 0.0
    for place, bound in enumerate(bounds):
        found += walk.leaving(bound.information, bound.critical)
        following = bounds[place + 1].information if place + 1 < len(bounds) else None
        if following is not None:
            walk = walk.staying(bound, following)
    return found


@lru_cache(maxsize=64)
def needed_drift(looks: int, alpha: float, power: float) -> float:
    """Return the drift at which equally spaced looks find an effect with the given power."""
    bounds = planned_bounds(looks, alpha)
    return float(optimize.brentq(lambda drift: crossing(bounds, drift) - power, 0.0, 20.0))


@dataclass(frozen=True, slots=True)
class _Walk:
    """A Brownian motion that no look has stopped yet, as masses at points.

    Attributes:
        at: Information it has reached.
        points: Where it may stand.
        masses: Chance of standing there and of not having been stopped.
        drift: Its drift.
    """

    at: float
    points: NDArray[np.float64]
    masses: NDArray[np.float64]
    drift: float = 0.0

    @classmethod
    def through(cls, past: Sequence[Bound], *, upto: float, drift: float = 0.0) -> "_Walk":
        walk = cls(0.0, np.zeros(1), np.ones(1), drift)
        following = [*(bound.information for bound in past[1:]), upto]
        for bound, after in zip(past, following, strict=False):
            walk = walk.staying(bound, after)
        return walk

    def leaving(self, information: float, critical: float) -> float:
        """Return the chance of being beyond the critical value at an information."""
        step = information - self.at
        edge, width = critical * sqrt(information), sqrt(step)
        moved = self.points + self.drift * step
        outside = special.ndtr((moved - edge) / width) + special.ndtr((-edge - moved) / width)
        return float(self.masses @ outside)

    def staying(self, bound: Bound, following: float) -> "_Walk":
        """Return the walk that is within the bound, ready for the step to the following look."""
        step = bound.information - self.at
        edge = bound.critical * sqrt(bound.information)
        nodes, weights = _nodes(edge, min(step, following - bound.information))
        apart = nodes[:, None] - (self.points + self.drift * step)[None, :]
        density = stats.norm.pdf(apart, scale=sqrt(step)) @ self.masses
        return _Walk(bound.information, nodes, density * weights, self.drift)


def _nodes(edge: float, step: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Gauss-Legendre nodes and weights within the edges, fine enough for the next step."""
    wanted = ceil(8 * edge / sqrt(step)) if step > 0 else _MOST_NODES
    nodes, weights = _legendre(max(_FEWEST_NODES, min(_MOST_NODES, wanted)))
    return nodes * edge, weights * edge


@lru_cache(maxsize=32)
def _legendre(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights
