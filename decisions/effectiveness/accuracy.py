"""Were the predictions right? Judged on outcomes nobody acted on.

Judged on everybody, a successful action makes a perfect model look decayed; judged on the holdout
alone, it is judged on the scores high enough to be acted on. So subjects never acted on count once,
and a held-out one for itself and for those of its kind who were acted on.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import optimize, special
from statsmodels.stats.proportion import proportion_confint

from decisions import columnar
from decisions.effectiveness.effect import Interval
from decisions.effectiveness.judgement import Accuracy, Bin
from decisions.errors import InsufficientData

_FEWEST = 10
"""Outcomes of either kind without which nothing is said about a model."""


_BY_SCORE = """
SELECT score, count(*) AS subjects, count(*) FILTER (selected) AS selected,
    sum(event)::BIGINT AS events, sum(event) FILTER (selected)::BIGINT AS hits,
    sum(weight) AS weight, sum(weight * weight) AS squares, sum(weight * event) AS hit_weight
FROM known GROUP BY score ORDER BY score
"""


def accuracy(known: pa.Table, *, is_rate: bool) -> Accuracy:
    """Return how well scores foretold outcomes.

    Args:
        known: One row a subject that nobody acted on: ``score``, ``event`` (0 or 1; 1 is what a
            high score foretells), ``weight``, ``selected`` (whether a rule selected it).
        is_rate: Whether scores claim to be chances, 0 to 1.

    Raises:
        InsufficientData: Fewer than 10 outcomes of either kind.
    """
    with columnar.session() as engine:
        engine.register("known", known)
        rows = engine.sql(_BY_SCORE).to_arrow_table()
    column = {name: rows.column(name).to_numpy(zero_copy_only=False) for name in rows.column_names}
    subjects, events = int(column["subjects"].sum()), int(column["events"].sum())
    if min(events, subjects - events) < _FEWEST:
        raise InsufficientData(
            f"{events} of {subjects} known outcomes without action are as foretold; a model is "
            f"judged from {_FEWEST} of either kind on"
        )
    score, weight = column["score"].astype(float), column["weight"].astype(float)
    hits = column["hit_weight"].astype(float)
    slope = _slope(score, weight, hits) if is_rate else None
    selected = int(column["selected"].sum())
    return Accuracy(
        subjects=subjects,
        weight=float(weight.sum()),
        events=events,
        auc=_auc(weight - hits, hits),
        brier=_brier(score, weight, hits) if is_rate else None,
        slope=slope[1] if slope else None,
        intercept=slope[0] if slope else None,
        bins=tuple(_bins(column)),
        precision=_precision(int(np.nan_to_num(column["hits"].astype(float)).sum()), selected),
        selected=selected,
    )


def _auc(misses: NDArray[np.float64], hits: NDArray[np.float64]) -> float:
    below = np.concatenate([[0.0], np.cumsum(misses)[:-1]])
    return float((hits * (below + misses / 2)).sum() / (hits.sum() * misses.sum()))


def _brier(
    score: NDArray[np.float64], weight: NDArray[np.float64], hits: NDArray[np.float64]
) -> float:
    return float((hits * (1 - score) ** 2 + (weight - hits) * score**2).sum() / weight.sum())


def _slope(
    score: NDArray[np.float64], weight: NDArray[np.float64], hits: NDArray[np.float64]
) -> tuple[float, float] | None:
    """Return intercept and slope of a logistic regression on the score's log odds.

    Sources:
        Cox (1958), Biometrika 45, 562-565.
    """
    odds = special.logit(np.clip(score, 1e-6, 1 - 1e-6))
    if np.ptp(odds) == 0:
        return None

    def loss(at: NDArray[np.float64]) -> float:
        said = at[0] + at[1] * odds
        return float((weight * np.logaddexp(0, said) - hits * said).sum() / weight.sum())

    def gradient(at: NDArray[np.float64]) -> NDArray[np.float64]:
        off = weight * special.expit(at[0] + at[1] * odds) - hits
        whole = weight.sum()
        return np.array([off.sum() / whole, (off * odds).sum() / whole])

    found = optimize.minimize(loss, np.array([0.0, 1.0]), jac=gradient, method="BFGS")
    return float(found.x[0]), float(found.x[1])


def _precision(hits: int, selected: int) -> Interval | None:
    if not selected:
        return None
    lower, upper = proportion_confint(hits, selected, method="wilson")
    return Interval(estimate=hits / selected, lower=float(lower), upper=float(upper))


def _bins(column: dict[str, NDArray[np.float64]]) -> Sequence[Bin]:
    """Cut the scores into tenths by weight; equal scores are never parted.

    Intervals are Wilson's on as many subjects as the weighted ones are worth, so that each covers
    its own rate.

    Sources:
        Kish (1965), Survey Sampling, section 11.7, for that number.
    """
    weight = column["weight"].astype(float)
    middle = np.cumsum(weight) - weight / 2
    tenth = np.minimum((10 * middle / weight.sum()).astype(int), 9)
    found = []
    for number in range(10):
        mine = tenth == number
        subjects = int(column["subjects"][mine].sum())
        if not subjects:
            continue
        share, hits = weight[mine], column["hit_weight"][mine].astype(float)
        rate = float(hits.sum() / share.sum())
        worth = float(share.sum()) ** 2 / float(column["squares"][mine].astype(float).sum())
        lower, upper = proportion_confint(rate * worth, worth, method="wilson")
        found.append(
            Bin(
                subjects=subjects,
                score=float((column["score"][mine].astype(float) * share).sum() / share.sum()),
                rate=rate,
                lower=float(lower),
                upper=float(upper),
            )
        )
    return found
