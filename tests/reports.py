"""Evidence a ledger might have gathered, and the reports it leads to."""

from datetime import UTC, datetime, timedelta
from typing import Any

from decisions.definition import Definition
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.evidence import Evidence, FollowUp, Measurement, RunCounts
from decisions.effectiveness.report import EffectivenessReport, compose
from tests import samples

AS_OF = datetime(2027, 3, 31, 6, tzinfo=UTC)
NAMES = {"dana.reyes": "Dana Reyes", "lee.park": "Lee Park", "mia.chen": "Mia Chen"}
OUTCOME = {
    "from": "warehouse",
    "table": "renewals",
    "measure": "renewed",
    "on": "account_id",
    "window": "60d",
    "lag": "2d",
    "better": "higher",
    "value": "arr",
    "planned": 400,
    "hypothesis": "a call raises renewal by 4 points",
}
PROOF = {"proof": {"from": "warehouse", "table": "calls", "on": "account_id", "at": "called_at"}}


def definition(**changes: Any) -> Definition:
    """Return a decision with holdout, proof and outcome; a change to None leaves a key out."""
    declared = {
        "holdout": {"share": "10%", "salt": "churn-2027"},
        "intervention": PROOF,
        "outcome": OUTCOME,
    } | changes
    return samples.definition(**{key: said for key, said in declared.items() if said is not None})


def arm(subjects: int, successes: int = 0, **changes: Any) -> ArmOutcomes:
    """Return an arm whose subjects are all mature and whose outcomes, 0 or 1, are all known."""
    squares = successes * (1 - successes / subjects) if subjects else 0.0
    counts = {
        "allocated": subjects,
        "subjects": subjects,
        "mature": subjects,
        "observed": subjects,
        "total": successes,
        "squares": squares,
        "zero_or_one": subjects,
        "nonzero": successes,
        "valued": subjects,
        "worth": 1_000.0 * subjects,
    }
    return ArmOutcomes(**counts | changes)


def amounts(subjects: int, mean: float, *, spread: float = 40.0, nonzero: int) -> ArmOutcomes:
    """Return an arm whose outcomes are amounts, all known."""
    return arm(
        subjects,
        total=mean * subjects,
        squares=spread**2 * (subjects - 1),
        zero_or_one=subjects - nonzero,
        nonzero=nonzero,
    )


def young(subjects: int, mature: int, successes: int) -> ArmOutcomes:
    """Return an arm most of whose subjects are not mature yet."""
    return arm(subjects, successes, mature=mature, observed=mature, zero_or_one=mature)


def evidence(control: ArmOutcomes, treatment: ArmOutcomes, **changes: Any) -> Evidence:
    """Return what a busy ledger holds, with these arms."""
    mia = FollowUp(
        opened=60,
        told=60,
        answered=50,
        in_time=45,
        overridden=8,
        reported=40,
        proven=35,
        untraced=1,
        unproven=7,
        mature=50,
        observed=48,
        unobserved=2,
    )
    ben = mia.model_copy(update={"opened": 90})
    known = {
        "as_of": AS_OF,
        "since": datetime(2027, 3, 1, tzinfo=UTC),
        "version": 3,
        "declaration": "d" * 64,
        "declarations": 1,
        "measurement": Measurement(period="churn-2027", began_at=AS_OF - timedelta(days=200)),
        "look": "2027-03",
        "matures_after": timedelta(days=62),
        "control": control,
        "treatment": treatment,
        "runs": RunCounts(
            runs=5,
            withheld_runs=1,
            evaluated=5_000,
            verdicts={"opened": 150, "held_out": 16, "suppressed": 30, "not_met": 3_804},
            suppressed={"already open": 20, "per_assignee": 10},
        ),
        "followed": mia + ben,
        "held_out": 16,
        "overrides": {"data is wrong": 4, "already in contact": 12},
        "assignees": {"mia.chen": mia, "ben.okafor": ben},
        "queries": {"arms": "SELECT 1"},
    }
    return Evidence(**known | changes)


NOTHING = Evidence(as_of=AS_OF)
"""What an empty ledger holds."""


def report(name: str) -> EffectivenessReport:
    """Return a report whose verdict is the one named, or one of the empty states."""
    plain, lower = definition(), definition(outcome={**OUTCOME, "better": "lower"})
    works = evidence(arm(400, 284, proven=6), arm(3_600, 2_808, proven=2_000))
    longer = definition(outcome=OUTCOME | {"planned": 1_000})
    known = {
        "works": (plain, works),
        "harmful": (lower, works),
        "no evidence yet": (longer, evidence(arm(400, 300), arm(3_600, 2_808))),
        "inconclusive": (plain, evidence(arm(400, 300), arm(3_600, 2_808))),
        "no worthwhile effect": (
            definition(outcome=OUTCOME | {"worthwhile": "8 points"}),
            evidence(arm(400, 300), arm(3_600, 2_736)),
        ),
        "cannot tell at this size": (
            definition(outcome=OUTCOME | {"worthwhile": "1 point", "planned": 1_000}),
            evidence(arm(400, 300), arm(3_600, 2_808)),
        ),
        "too early": (plain, evidence(young(140, 40, 30), young(1_260, 360, 280))),
        "cannot be judged": (plain, evidence(arm(200, 142), arm(3_600, 2_808))),
        "amounts": (
            plain,
            evidence(amounts(400, 100.0, nonzero=300), amounts(3_600, 120.0, nonzero=3_000)),
        ),
        "no holdout": (
            definition(holdout=None, intervention=None),
            evidence(arm(0), arm(3_600, 2_808, allocated=0), held_out=0, declarations=0),
        ),
        "no outcome": (
            definition(outcome=None),
            evidence(arm(0), arm(3_600, mature=0, observed=0, zero_or_one=0)),
        ),
        "no runs": (plain, NOTHING),
        "no cases": (plain, NOTHING.model_copy(update={"runs": RunCounts(runs=1, evaluated=50)})),
    }
    return compose(*known[name], names=NAMES)
