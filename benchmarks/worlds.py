"""Worlds whose truth is known, written into a real ledger and read as a report is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from decisions.definition import Definition
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.declaration import Declaration
from decisions.effectiveness.power import subjects_for
from decisions.effectiveness.reading import looks_of_period
from decisions.effectiveness.report import EffectivenessReport, compose
from decisions.ledger import Ledger
from decisions.ledger.evidence import gather
from decisions.ledger.periods import current_period
from decisions.ledger.records import (
    Allocation,
    Answer,
    Case,
    Intervention,
    Outcome,
    Run,
    Version,
)

LOOKS = 12
PLANNED = 240
"""Held-out subjects, about 20 a month: the first looks are too early, as in earnest."""
SHARE = 0.2
SUBJECTS = subjects_for(PLANNED, SHARE)
"""So many come in a year that nine worlds in ten have the planned number in the end."""
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_WINDOW = timedelta(days=30)

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def month(number: int) -> datetime:
    """Return when so many months' worth of subjects are mature (timezone-aware)."""
    return BEGAN + number * timedelta(days=30) + _WINDOW


def definition_of(name: str, *, planned: int = PLANNED) -> Definition:
    """Return a decision with a holdout, a proof and an outcome, measured over a year."""
    source = {"from": "warehouse", "table": "made_up", "on": "subject"}
    return Definition.model_validate(
        {
            "decision": name,
            "purpose": {"question": "Call?", "metric": "renewals"},
            "owners": {"business": "dana.reyes", "technical": "lee.park"},
            "review_by": "2030-01-01",
            "signal": {
                "from": "warehouse",
                "table": "scores",
                "subject": "subject",
                "score": "risk",
                "scored_at": "scored_at",
                "model": {"name": "made-up", "version": "'1'"},
                "fields": {"risk": "float"},
            },
            "match": "first",
            "rules": [{"name": "all", "when": "risk >= 0", "do": "call", "because": "so"}],
            "otherwise": "nothing",
            "actions": {
                "call": {
                    "autonomy": "notify",
                    "through": ["slack"],
                    "title": "Call",
                    "respond_within": "4h",
                    "override_reasons": ["hopeless"],
                }
            },
            "holdout": {"share": f"{SHARE:.0%}", "salt": "made-up"},
            "intervention": {"proof": source | {"at": "called_at"}},
            "outcome": source
            | {
                "measure": "renewed",
                "window": "30d",
                "better": "higher",
                "planned": planned,
                "looks": LOOKS,
            },
        }
    )


@dataclass
class World:
    """One measurement whose truth is known.

    Attributes:
        outcome: What became of each subject.
        control: Who was held out.
        opened: The day each subject's first case opened, 0 to 360.
    """

    ledger: Ledger
    definition: Definition
    random: np.random.Generator
    outcome: Numbers
    control: Flags
    opened: Numbers
    first_case: int

    def draw(self) -> Numbers:
        """Return a number between 0 and 1 for each subject."""
        return self.random.random(len(self.outcome))

    def known(self, number: int) -> tuple[ArmOutcomes, ArmOutcomes]:
        """Return the arms as a spreadsheet would count what is mature after so many months."""
        mature = self.opened < 30 * number
        found = []
        for arm in (self.control, ~self.control):
            values = self.outcome[mature & arm]
            mean = values.mean() if len(values) else 0.0
            found.append(
                ArmOutcomes(
                    observed=len(values),
                    total=float(values.sum()),
                    squares=float(((values - mean) ** 2).sum()),
                    zero_or_one=len(values),
                )
            )
        return found[0], found[1]

    def look(self, number: int) -> EffectivenessReport:
        """Take a look after so many months, and publish it."""
        with self.ledger.counting() as connection:
            evidence = gather(
                connection,
                self.definition,
                as_of=month(number),
                look=f"2026-{number:02d}",
                traced=False,
            )
        report = compose(self.definition, evidence)
        if report.look:
            known = len(looks_of_period(evidence))
            self.ledger.looks.publish(self.definition.decision, report.look, known=known)
        return report

    def override(self, whom: Flags) -> None:
        """Record that owners decided otherwise on some subjects."""
        self._add(
            Answer,
            [
                {
                    "interaction": f"{self.definition.decision}-{place}",
                    "case_id": self.first_case + int(place),
                    "kind": "override",
                    "by": "dana.reyes",
                    "at": BEGAN,
                    "via": "inbox",
                    "reason": "hopeless",
                    "accepted": True,
                }
                for place in np.flatnonzero(whom)
            ],
        )

    def prove(self, whom: Flags) -> None:
        """Record proof that some subjects were acted on."""
        self._add(
            Intervention,
            [
                {
                    "case_id": self.first_case + int(place),
                    "source": "proven",
                    "what": "a call",
                    "acted_at": BEGAN,
                    "recorded_at": BEGAN,
                }
                for place in np.flatnonzero(whom)
            ],
        )

    def _add(self, record: type[Any], rows: list[dict[str, Any]]) -> None:
        if rows:
            with self.ledger.writing() as transaction:
                transaction.connection.execute(insert(record.__table__), rows)


class Worlds:
    """A ledger full of them.

    Args:
        folder: Where the ledger lies.
        random: What they are drawn from.
    """

    def __init__(self, folder: Path, random: np.random.Generator) -> None:
        self._ledger = Ledger(f"sqlite:///{folder / 'worlds.db'}", lambda: BEGAN)
        self._random = random
        self._made = 0
        self._cases = 1

    def some(self, count: int, **truth: Any) -> Iterator[World]:
        """Yield so many worlds; see ``world``. The ledger is closed after the last."""
        try:
            for _ in range(count):
                yield self.world(**truth)
        finally:
            self.close()

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    def world(
        self,
        *,
        rate: float,
        effect: float = 0.0,
        cases: int = 1,
        leak: float = 0.0,
        spend: bool = False,
        planned: int = PLANNED,
    ) -> World:
        """Return a world, a decision of its own.

        Args:
            rate: Share of successes without action, 0 to 1.
            effect: What action adds to it.
            cases: Cases of each subject.
            leak: Share of the held-out who are acted on all the same.
            spend: Whether the outcome is an amount that few have, instead of a success.
            planned: Held-out subjects that complete the measurement.
        """
        self._made += 1
        definition = definition_of(f"world-{self._made}", planned=planned)
        random = self._random
        control = random.random(SUBJECTS) < SHARE
        opened = random.random(SUBJECTS) * 30 * LOOKS
        leaked = control & (random.random(SUBJECTS) < leak)
        chance = np.where(~control | leaked, rate + effect, rate)
        outcome = (random.random(SUBJECTS) < chance).astype(float)
        if spend:
            has = random.random(SUBJECTS) < 0.08
            outcome = np.where(has, random.lognormal(4, 2, SUBJECTS), 0.0)
        world = World(
            self._ledger, definition, random, outcome, control, opened, first_case=self._cases
        )
        self._write(world, cases)
        world.prove(leaked)
        return world

    def _write(self, world: World, cases: int) -> None:
        name, declared = world.definition.decision, Declaration.of(world.definition)
        with self._ledger.writing() as transaction:
            add = transaction.connection.execute
            version = {"decision": name, "number": 1, "sha256": world.definition.sha256}
            version |= {"id": self._made, "definition": {}, "recorded_at": BEGAN}
            add(insert(Version.__table__).values(**version))
            run = {"id": self._made, "decision": name, "version_id": self._made, "batch": "made-up"}
            run |= {"as_of": BEGAN, "recorded_at": BEGAN, "state": "recorded", "evaluated": 0}
            add(insert(Run.__table__).values(**run, counts={}, faults=[]))
            period = current_period(transaction, world.definition, self._made)
            known = {"decision": name, "period": period, "run_id": self._made}
            sha = declared.sha256 if declared else ""
            arms = np.where(world.control, "control", "treatment").tolist()
            add(
                insert(Allocation.__table__),
                [
                    known | {"subject": f"s{place}", "arm": arm, "declaration": sha}
                    for place, arm in enumerate(arms)
                ],
            )
            rows = list(_cases(world, self._cases, cases, known, arms))
            add(insert(Case.__table__), [row for row, _ in rows])
            add(insert(Outcome.__table__), [outcome for _, outcome in rows])
        self._cases += SUBJECTS * cases


def _cases(
    world: World, first: int, cases: int, known: dict[str, Any], arms: list[str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each case with its outcome: first the first ones of all subjects, then their next."""
    number = first
    for again in range(cases):
        for place, arm in enumerate(arms):
            # The first case counts; the next ones extend what happens to the same subject.
            opened_at = BEGAN + timedelta(days=float(world.opened[place]) + again)
            yield (
                known
                | {
                    "id": number,
                    "key": f"W-{number}",
                    "prefix": "W",
                    "number": number,
                    "version_id": known["run_id"],
                    "subject": f"s{place}",
                    "arm": arm,
                    "rule": "all",
                    "action": "call",
                    "score": 0.5,
                    "scored_at": opened_at,
                    "model_name": "made-up",
                    "model_version": "1",
                    "facts": {},
                    "state": "released" if arm == "control" else "completed",
                    "opened_at": opened_at,
                    "cycle": 0,
                    "step": 0,
                    "revision": 0,
                },
                {
                    "case_id": number,
                    "state": "observed",
                    "value": float(world.outcome[place]),
                    "recorded_at": opened_at + _WINDOW,
                },
            )
            number += 1
