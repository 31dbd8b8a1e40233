"""From evaluated to outcome known, and the loops still open."""

from collections.abc import Mapping

from decisions.effectiveness.about import About
from decisions.effectiveness.evidence import Evidence, FollowUp, RunCounts
from decisions.ports import Frozen


class Stage(Frozen):
    """How many cases got as far as this.

    Attributes:
        name: What happened to them.
        meaning: What exactly is counted.
        count: Cases; None where the definition does not declare what it would take to know.
        of: Cases they are a part of: those put to somebody.
    """

    name: str
    meaning: str
    count: int | None
    of: int


class Funnel(Frozen):
    """What became of the subjects and cases of the reporting span.

    Attributes:
        runs: What the runs said; subjects, once per run.
        held_out: Cases left alone on purpose.
        stages: Cases put to somebody, and how far they got.
        overrides: Overridden cases by reason, most frequent first.
    """

    runs: RunCounts
    held_out: int
    stages: tuple[Stage, ...]
    overrides: Mapping[str, int]


class OpenLoop(Frozen):
    """What is still not known about the cases one person holds.

    Attributes:
        assignee: Who holds them; a key of ``people.yaml``.
        name: How the report calls them.
        cases: Cases put to them, whenever.
        answer: Of these, without an answer.
        intervention: Answered and not overridden, without proof of what was done; without a
            report of it where no proof is declared.
        outcome: Mature, without an outcome; None where no outcome is declared.
    """

    assignee: str
    name: str
    cases: int
    answer: int
    intervention: int
    outcome: int | None

    @property
    def open(self) -> int:
        """Missing answers, interventions and outcomes together."""
        return self.answer + self.intervention + (self.outcome or 0)


def funnel(about: About, evidence: Evidence) -> Funnel:
    """Return how far the cases of the reporting span got."""
    found = evidence.followed
    proven = found.proven if about.has_proof else None
    observed = found.observed if about.measure else None
    stages = (
        ("opened", "put to an assignee", found.opened),
        ("told", "the assignee was sent the question", found.told),
        ("answered", "acknowledged, overridden or done", found.answered),
        ("in time", "answered by the deadline", found.in_time),
        ("overridden", "decided otherwise than recommended", found.overridden),
        ("acted, reported", "somebody said what was done", found.reported),
        ("acted, proven", "another system shows it was done", proven),
        ("outcome known", "the outcome was found", observed),
    )
    return Funnel(
        runs=evidence.runs,
        held_out=evidence.held_out,
        stages=tuple(
            Stage(name=name, meaning=meaning, count=count, of=found.opened)
            for name, meaning, count in stages
        ),
        overrides=dict(sorted(evidence.overrides.items(), key=lambda item: (-item[1], item[0]))),
    )


def open_loops(about: About, evidence: Evidence, names: Mapping[str, str]) -> tuple[OpenLoop, ...]:
    """Return what is missing by who holds the cases, the most first."""
    found = (
        _loop(about, key, names.get(key, key), counted)
        for key, counted in evidence.assignees.items()
    )
    return tuple(sorted(found, key=lambda loop: (-loop.open, loop.name)))


def _loop(about: About, key: str, name: str, found: FollowUp) -> OpenLoop:
    return OpenLoop(
        assignee=key,
        name=name,
        cases=found.opened,
        answer=found.opened - found.answered,
        intervention=found.unproven if about.has_proof else found.untraced,
        outcome=found.unobserved if about.measure else None,
    )
