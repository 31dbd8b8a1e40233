"""All decisions together: their worth in sum, and the verdicts that chance alone would give."""

from collections import Counter
from collections.abc import Mapping, Sequence

from scipy import stats
from statsmodels.stats.multitest import multipletests

from decisions.effectiveness.effect import Effect, Interval
from decisions.effectiveness.report import EffectivenessReport
from decisions.effectiveness.verdict import VerdictKind
from decisions.ports import Frozen

_DECISIVE = (VerdictKind.HARMFUL, VerdictKind.WORKS)


class Standing(Frozen):
    """One decision among the others.

    Attributes:
        decision: Its name.
        period: Its measurement period; None without a holdout.
        kind: Its verdict.
        effect: Its estimate; None where none may be relied on.
        critical_needed: Standard errors at which its interval would just touch zero; None as above.
        p: Chance, without an effect, that its looks would reach as far as they did, with the
            present look's share of alpha made whole; None as above.
        stands: Whether its verdict stands with all decisions taken together, 5% of those that
            stand being wrong at most; None where it claims no effect.
    """

    decision: str
    period: str | None
    kind: VerdictKind
    effect: Effect | None
    critical_needed: float | None
    p: float | None
    stands: bool | None


class Total(Frozen):
    """What all decisions together are worth in one unit, the losers included.

    Attributes:
        unit: The unit; None where none is declared.
        decisions: Decisions whose worth is known.
        amount: Sum of the estimates; its interval takes the decisions as independent.
        cost: Sum of what acting cost, where declared.
    """

    unit: str | None
    decisions: int
    amount: Interval
    cost: float


class Portfolio(Frozen):
    """All decisions side by side.

    Attributes:
        standings: One a decision, in the order of the reports.
        counts: Decisions by verdict.
        compared: Decisions whose effect was read.
        expected_false: About how many of these would claim an effect by chance alone.
        totals: What they are worth, by unit; over all decisions, never over the winners.
        said: The warning that goes with many verdicts, as a sentence.
    """

    standings: tuple[Standing, ...]
    counts: Mapping[str, int]
    compared: int
    expected_false: float
    totals: tuple[Total, ...]
    said: str


def portfolio(reports: Sequence[EffectivenessReport], *, alpha: float = 0.05) -> Portfolio:
    """Return all decisions side by side.

    Args:
        reports: One a decision.
        alpha: Share of the verdicts that stand which may be wrong, 0 to 1.
    """
    standings = [_standing(report) for report in reports]
    read = [each for each in standings if each.p is not None]
    stand = _standing_together([each.p for each in read if each.p is not None], alpha)
    kept = {id(each): passed for each, passed in zip(read, stand, strict=True)}
    standings = [
        each.model_copy(update={"stands": kept.get(id(each)) if each.kind in _DECISIVE else None})
        for each in standings
    ]
    expected = alpha * len(read)
    return Portfolio(
        standings=tuple(standings),
        counts=Counter(each.kind.value for each in standings),
        compared=len(read),
        expected_false=expected,
        totals=tuple(_totals(reports)),
        said=f"With {len(read)} decision{'s' if len(read) != 1 else ''} compared at "
        f"{alpha * 100:g}%, expect about {expected:.2g} verdicts about an effect by chance alone.",
    )


def _standing_together(chances: Sequence[float], alpha: float) -> list[bool]:
    """Return which findings stand after Benjamini and Hochberg.

    Sources:
        Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    if not chances:
        return []
    return [bool(each) for each in multipletests(chances, alpha=alpha, method="fdr_bh")[0]]


def _standing(report: EffectivenessReport) -> Standing:
    reliable = report.verdict.kind != VerdictKind.CANNOT_BE_JUDGED
    effect = report.effect if reliable else None
    reach = _reach(effect) if effect and report.reading else None
    chance = None
    if reach is not None and report.reading:
        # At this look only alpha t² of alpha was to be had: its share is made whole again.
        nominal = 2 * float(stats.norm.sf(reach))
        used = 2 * float(stats.norm.sf(report.reading.critical))
        chance = min(1.0, nominal * report.reading.alpha / used)
    return Standing(
        decision=report.about.decision,
        period=report.about.period,
        kind=report.verdict.kind,
        effect=effect,
        critical_needed=reach,
        p=chance,
        stands=None,
    )


def _reach(effect: Effect) -> float:
    """Return at how many standard errors the difference's interval would just touch zero."""
    difference = effect.difference
    side = difference.lower if difference.estimate > 0 else difference.upper
    spread = abs(difference.estimate - side) / effect.critical
    return abs(difference.estimate) / spread if spread else 0.0


def _totals(reports: Sequence[EffectivenessReport]) -> list[Total]:
    found: dict[str | None, list[EffectivenessReport]] = {}
    for report in reports:
        if report.benefit and report.benefit.money:
            found.setdefault(report.benefit.money.unit, []).append(report)
    totals = []
    for unit, mine in found.items():
        monies = [each.benefit.money for each in mine if each.benefit and each.benefit.money]
        estimate = sum(money.amount.estimate for money in monies)
        below = sum((m.amount.estimate - m.amount.lower) ** 2 for m in monies) ** 0.5
        above = sum((m.amount.upper - m.amount.estimate) ** 2 for m in monies) ** 0.5
        totals.append(
            Total(
                unit=unit,
                decisions=len(monies),
                amount=Interval(estimate=estimate, lower=estimate - below, upper=estimate + above),
                cost=sum(money.cost or 0.0 for money in monies),
            )
        )
    return totals
