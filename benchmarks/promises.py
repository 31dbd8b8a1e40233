"""Whether intervals and verdicts keep what they promise, in very many worlds whose truth is known.

What a ledger would have counted at each look is drawn at once; all that follows, looks, intervals
and verdicts, is the code of the report. That a ledger counts the same is tested beside it.
Usage: python -m benchmarks.promises [WORLDS] [SEED]
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from statsmodels.stats.proportion import proportion_confint

from benchmarks.worlds import BEGAN, LOOKS, PLANNED, SHARE, SUBJECTS, definition_of, month
from decisions.definition import Definition
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.declaration import Declaration
from decisions.effectiveness.evidence import Evidence, Measurement
from decisions.effectiveness.look import Look
from decisions.effectiveness.power import Base, Design, power
from decisions.effectiveness.report import EffectivenessReport, compose
from decisions.effectiveness.verdict import VerdictKind

WORLDS = 2_000
OFTEN = 4
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


def world(random: np.random.Generator, effect: float, *, planned: int = PLANNED) -> CountedWorld:
    """Draw a world in which action adds so much to the rate."""
    definition = definition_of("counted")
    outcome = definition.outcome.model_copy(update={"planned": planned})  # type: ignore[union-attr]
    control = random.random(SUBJECTS) < SHARE
    return CountedWorld(
        definition=definition.model_copy(update={"outcome": outcome}),
        outcome=(random.random(SUBJECTS) < np.where(control, RATE, RATE + effect)).astype(float),
        control=control,
        opened=random.random(SUBJECTS) * 30 * LOOKS,
    )


def false_verdict(random: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Yield whether any of twelve looks claims an effect where there is none."""
    drawn = world(random, 0.0)
    reports = [drawn.look(number) for number in range(1, LOOKS + 1)]
    yield "false verdict in 12 looks, no effect", any(r.verdict.kind in _CLAIMS for r in reports)


def twelve_looks(random: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Yield whether twelve looks find an effect, and whether their intervals hold it."""
    drawn = world(random, EFFECT)
    reports = [drawn.look(number) for number in range(1, LOOKS + 1)]
    held = [_holds(report) for report in reports if report.effect]
    yield "effect found in 12 looks", any(r.verdict.kind == VerdictKind.WORKS for r in reports)
    yield "all intervals of 12 looks hold the truth", all(held)
    yield "interval of the last of 12 looks holds it", _holds(reports[-1])


def single_look(random: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Yield whether the interval of a measurement read once holds the truth."""
    # Planned so small that it is complete: then 5% are spent at once, and 1.96 errors are reached.
    yield "interval read once holds the truth", _holds(world(random, EFFECT, planned=150).look(12))


DRAWS = ((single_look, 1), (false_verdict, OFTEN), (twelve_looks, OFTEN))
"""What is drawn, and in how many worlds fewer where a world takes twelve looks."""


def measured(count: int, seed: int) -> dict[str, list[bool]]:
    """Return what held in which world.

    Args:
        count: Worlds that are read once; a quarter as many that are read twelve times.
        seed: What they are drawn from; the first worlds of more are those of fewer.
    """
    found = dict[str, list[bool]]()
    drawn = [np.random.default_rng([seed, place]) for place in range(len(DRAWS))]
    for number in track(range(count), "Worlds", console=Console(stderr=True)):
        for random, (draw, often) in zip(drawn, DRAWS, strict=True):
            if number % often == 0:
                for name, held in draw(random):
                    found.setdefault(name, []).append(held)
    return found


def main(count: int, seed: int) -> None:
    """Print the table."""
    design = Design(held_out=PLANNED, treated=PLANNED * (1 - SHARE) / SHARE, looks=LOOKS)
    promised = {
        "false": "at most 5%",
        "effect": f"{power(Base(rate=RATE), EFFECT, design):.1%}, as planned",
        "interval": "95%",
        "all": "at least 95%",
    }
    table = Table(title=f"Seed {seed}; counts drawn, the report's own statistics")
    for heading in ("share of worlds", "worlds", "found", "interval (95%)", "should be"):
        table.add_column(heading, justify="right" if table.columns else "left")
    for name, held in measured(count, seed).items():
        low, high = proportion_confint(sum(held), len(held), method="wilson")
        share, should = float(np.mean(held)), promised[name.split()[0]]
        should = "at least 95%" if "last" in name else should
        table.add_row(name, f"{len(held):,}", f"{share:.1%}", f"{low:.1%} to {high:.1%}", should)
    Console().print(table)


def _holds(report: EffectivenessReport) -> bool:
    found = report.effect.difference if report.effect else None
    return found is not None and found.lower <= EFFECT <= found.upper


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*(given + [WORLDS, 1][len(given) :])[:2])
