"""What is promised of intervals and verdicts, asked of worlds whose truth is known.

``benchmarks.simulations`` asks it of worlds in a real ledger. Here, what a ledger would have
counted at each look is drawn at once, so that very many can be had; all that follows, looks,
intervals and verdicts, is the code of the report. That a ledger counts the same is tested.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from benchmarks.worlds import BEGAN, LOOKS, PLANNED, SHARE, SUBJECTS, definition_of, month
from decisions.definition import Definition
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.declaration import Declaration
from decisions.effectiveness.evidence import Evidence, Measurement
from decisions.effectiveness.look import Look
from decisions.effectiveness.power import Base, Design, power
from decisions.effectiveness.report import EffectivenessReport, compose
from decisions.effectiveness.verdict import VerdictKind

RATE, EFFECT = 0.3, 0.10
_CLAIMS = (VerdictKind.WORKS, VerdictKind.HARMFUL)


@dataclass
class CountedWorld:
    """One measurement of which only the counts are known.

    Attributes:
        definition: What is measured.
        outcome: What became of each subject, 0 or 1.
        control: Who was held out.
        opened: The day each subject's case opened, 0 to 360.
        looks: What was published so far.
    """

    definition: Definition
    outcome: np.ndarray
    control: np.ndarray
    opened: np.ndarray
    looks: tuple[Look, ...] = field(default=())

    def look(self, number: int) -> EffectivenessReport:
        """Take a look after so many months, and keep what it publishes."""
        declared = Declaration.of(self.definition)
        evidence = Evidence(
            as_of=month(number),
            declaration=declared.sha256 if declared else "",
            declarations=1,
            measurement=Measurement(period="made-up", began_at=BEGAN),
            control=self._arm(self.control, number),
            treatment=self._arm(~self.control, number),
            look=f"2026-{number:02d}",
            looks=self.looks,
        )
        report = compose(self.definition, evidence)
        if report.look:
            self.looks += (report.look,)
        return report

    def _arm(self, arm: np.ndarray, number: int) -> ArmOutcomes:
        values = self.outcome[arm & (self.opened <= 30 * number)]
        seen, total = len(values), float(values.sum())
        return ArmOutcomes(
            allocated=int(arm.sum()),
            subjects=int((arm & (self.opened <= 30 * (number + 1))).sum()),
            mature=seen,
            observed=seen,
            total=total,
            squares=total * (1 - total / seen) if seen else 0.0,
            zero_or_one=seen,
            nonzero=int(total),
        )


class Looked(Protocol):
    """A world that can be looked at."""

    def look(self, number: int) -> EffectivenessReport:
        """Take a look after so many months."""


Make = Callable[[float, int], Looked]
"""Makes a world from the effect there is and the held-out subjects that are planned."""


def world(random: np.random.Generator, effect: float, planned: int = PLANNED) -> CountedWorld:
    """Draw a world in which action adds so much to the rate."""
    control = random.random(SUBJECTS) < SHARE
    return CountedWorld(
        definition=definition_of("counted", planned=planned),
        outcome=(random.random(SUBJECTS) < np.where(control, RATE, RATE + effect)).astype(float),
        control=control,
        opened=random.random(SUBJECTS) * 30 * LOOKS,
    )


def false_verdict(make: Make) -> Iterator[tuple[str, bool]]:
    """Yield whether any of twelve looks claims an effect where there is none."""
    drawn = make(0.0, PLANNED)
    reports = [drawn.look(number) for number in range(1, LOOKS + 1)]
    yield FALSE, any(report.verdict.kind in _CLAIMS for report in reports)


def twelve_looks(make: Make) -> Iterator[tuple[str, bool]]:
    """Yield whether twelve looks find an effect, and whether their intervals hold it."""
    drawn = make(EFFECT, PLANNED)
    reports = [drawn.look(number) for number in range(1, LOOKS + 1)]
    held = [_holds(report) for report in reports if report.effect]
    yield FOUND, any(report.verdict.kind == VerdictKind.WORKS for report in reports)
    yield ALL_HOLD, all(held)
    yield LAST_HOLDS, _holds(reports[-1])


def single_look(make: Make) -> Iterator[tuple[str, bool]]:
    """Yield whether the interval of a measurement read once holds the truth."""
    # Planned so small that it is complete: then 5% are spent at once, and 1.96 errors are reached.
    yield ONCE, _holds(make(EFFECT, 150).look(LOOKS))


ONCE = "the interval of a measurement read once holds the truth"
ALL_HOLD = "all intervals of twelve looks hold the truth"
LAST_HOLDS = "the interval of the last of twelve looks holds the truth"
FALSE = "any of twelve looks claims an effect that is not there"
FOUND = "twelve looks find the effect that is there"

ASKED: tuple[tuple[Callable[[Make], Iterator[tuple[str, bool]]], int], ...] = (
    (single_look, 4),
    (false_verdict, 1),
    (twelve_looks, 1),
)
"""What is asked, and of how many times as many worlds where a world takes a single look."""


def promised() -> dict[str, str]:
    """Return what should be found of each, in words."""
    design = Design(held_out=PLANNED, treated=PLANNED * (1 - SHARE) / SHARE, looks=LOOKS)
    found = power(Base(rate=RATE), EFFECT, design)
    return {
        ONCE: "95%",
        ALL_HOLD: "at least 95%",
        LAST_HOLDS: "at least 95%",
        FALSE: "at most 5%",
        FOUND: f"{found:.1%}, as planned",
    }


def measured(makes: Make, count: int) -> dict[str, list[bool]]:
    """Return what held in which world.

    Args:
        makes: What makes them.
        count: Worlds that are read twelve times; four times as many are read once.
    """
    found = dict[str, list[bool]]()
    for ask, times in ASKED:
        for _ in range(count * times):
            for name, held in ask(makes):
                found.setdefault(name, []).append(held)
    return found


def _holds(report: EffectivenessReport) -> bool:
    found = report.effect.difference if report.effect else None
    return found is not None and found.lower <= EFFECT <= found.upper
