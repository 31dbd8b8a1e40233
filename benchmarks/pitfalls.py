"""Each way to fool oneself about an effect, done naively and by the real ledger and report code.

Worlds whose truth is known are written into a ledger and read back as a report is: counted in the
database, looked at month after month, judged. Usage: python -m benchmarks.pitfalls [WORLDS] [SEED]
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from statsmodels.stats.proportion import proportion_confint

from benchmarks.worlds import LOOKS, Worlds
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.effect import estimate_effect
from decisions.effectiveness.report import EffectivenessReport
from decisions.effectiveness.verdict import VerdictKind

WORLDS = 400
_CLAIMS = (VerdictKind.WORKS, VerdictKind.HARMFUL)
_EFFECT = 0.10


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        name: The pitfall.
        measured: What the figures are shares or means of.
        naive: What comes out without the defence.
        ours: What comes out here.
        promised: What should come out, in words.
        is_mean: Whether the figures are means over worlds rather than shares of them.
    """

    name: str
    measured: str
    naive: float
    ours: float
    promised: str
    is_mean: bool = False


def claims(arms: tuple[ArmOutcomes, ArmOutcomes]) -> bool:
    """Return whether a single reading would exclude zero."""
    gain = estimate_effect(*arms, better="higher").gain
    return gain.lower > 0 or gain.upper < 0


def claimed(report: EffectivenessReport) -> bool:
    """Return whether the verdict claims an effect."""
    return report.verdict.kind in _CLAIMS


def arms(control: np.ndarray, treatment: np.ndarray) -> tuple[ArmOutcomes, ArmOutcomes]:
    """Return arms of outcomes as a spreadsheet would count them."""
    found = [
        ArmOutcomes(
            observed=len(each),
            total=float(each.sum()),
            squares=float(((each - each.mean()) ** 2).sum()),
            zero_or_one=int(np.isin(each, (0, 1)).sum()),
            nonzero=int((each != 0).sum()),
        )
        for each in (control, treatment)
    ]
    return found[0], found[1]


def peeking(worlds: Worlds, count: int) -> Line:
    """No effect; read every month for a year."""
    naive, ours = [], []
    for world in worlds.some(count, rate=0.3):
        reports = [world.look(number) for number in range(1, LOOKS + 1)]
        naive.append(any(claims(world.known(number)) for number in range(1, LOOKS + 1)))
        ours.append(any(map(claimed, reports)))
    return Line("peeking", "false verdicts in 12 looks", _share(naive), _share(ours), "at most 5%")


def repeated_cases(worlds: Worlds, count: int) -> Line:
    """No effect; every subject has six cases, alike in outcome."""
    naive, ours = [], []
    for world in worlds.some(count, rate=0.3, cases=6):
        again = np.repeat(world.outcome, 6), np.repeat(world.control, 6)
        naive.append(claims(arms(again[0][again[1]], again[0][~again[1]])))
        ours.append(claimed(world.look(LOOKS)))
    return Line("repeated cases", "false verdicts", _share(naive), _share(ours), "at most 5%")


def overrides(worlds: Worlds, count: int) -> Line:
    """No effect; owners override the hopeless, who are then left out."""
    naive, ours = [], []
    for world in worlds.some(count, rate=0.3):
        hopeless = (world.outcome == 0) & (world.draw() < 0.3)
        kept = ~world.control & ~hopeless
        naive.append(claims(arms(world.outcome[world.control], world.outcome[kept])))
        world.override(hopeless & ~world.control)
        ours.append(claimed(world.look(LOOKS)))
    return Line("override selection", "false verdicts", _share(naive), _share(ours), "at most 5%")


def survivors(worlds: Worlds, count: int) -> Line:
    """No effect; only those who could be reached are counted."""
    naive, ours = [], []
    for world in worlds.some(count, rate=0.3):
        reached = world.draw() < np.where(world.outcome == 1, 0.8, 0.6)
        acted = world.outcome[~world.control & reached]
        naive.append(claims(arms(world.outcome[world.control], acted)))
        world.prove(reached & ~world.control)
        ours.append(claimed(world.look(LOOKS)))
    return Line("survivors", "false verdicts", _share(naive), _share(ours), "at most 5%")


def immature(worlds: Worlds, count: int) -> Line:
    """An effect that takes its window to show, read at a third of it."""
    naive, ours = [], []
    for world in worlds.some(count, rate=0.3, effect=_EFFECT):
        shown = world.outcome * (world.draw() < 1 / 3)
        early = arms(shown[world.control], shown[~world.control])
        naive.append(early[1].mean - early[0].mean)
        effect = world.look(LOOKS).effect
        ours.append(effect.difference.estimate if effect else np.nan)
    return Line(
        "immature windows",
        "effect found, of 10 points",
        float(np.mean(naive)) / _EFFECT,
        float(np.nanmean(ours)) / _EFFECT,
        "100%",
        is_mean=True,
    )


def contamination(worlds: Worlds, count: int) -> Line:
    """An effect, but two in five held-out subjects are helped all the same."""
    naive, ours = [], []
    for world in worlds.some(count, rate=0.3, effect=_EFFECT, leak=0.4):
        both = arms(world.outcome[world.control], world.outcome[~world.control])
        naive.append(not claims(both))
        ours.append(world.look(LOOKS).verdict.kind != VerdictKind.CANNOT_BE_JUDGED)
    return Line(
        "contamination",
        "effects passed over without a word",
        _share(naive),
        _share(ours),
        "0%",
    )


def skewed_money(worlds: Worlds, count: int) -> Line:
    """No effect on a spend that few have and fewer have much of."""
    naive, ours = [], []
    for world in worlds.some(count, rate=0.3, spend=True):
        both = arms(world.outcome[world.control], world.outcome[~world.control])
        naive.append(claims(both))
        ours.append(claimed(world.look(LOOKS)))
    return Line("skewed money", "false verdicts", _share(naive), _share(ours), "at most 5%")


PITFALLS: tuple[Callable[[Worlds, int], Line], ...] = (
    peeking,
    repeated_cases,
    overrides,
    survivors,
    immature,
    contamination,
    skewed_money,
)


def lines(count: int, seed: int) -> Iterator[Line]:
    """Yield the lines of the table, each of so many worlds that are drawn from the seed."""
    for place, measured in enumerate(PITFALLS):
        with tempfile.TemporaryDirectory() as folder:
            yield measured(Worlds(Path(folder), np.random.default_rng([seed, place])), count)


def main(count: int, seed: int) -> None:
    """Print the table."""
    table = Table(title=f"{count} worlds for each line, seed {seed}; through ledger and report")
    for heading in ("", "of", "naive", "ours", "95% interval", "should be"):
        table.add_column(heading, justify="left" if heading in {"", "of"} else "right")
    shown = Console(stderr=True)
    for line in track(lines(count, seed), "Worlds", total=len(PITFALLS), console=shown):
        figures = (f"{line.naive:.1%}", f"{line.ours:.1%}", _interval(line, count), line.promised)
        table.add_row(line.name, line.measured, *figures)
    Console().print(table)


def _interval(line: Line, count: int) -> str:
    """Return Wilson's interval of a share of worlds; nothing for a mean over them."""
    if line.is_mean:
        return ""
    low, high = proportion_confint(round(line.ours * count), count, method="wilson")
    return f"{low:.1%} to {high:.1%}"


def _share(found: list[bool]) -> float:
    return float(np.mean(found))


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*(given + [WORLDS, 1][len(given) :])[:2])
