"""What to do about a trial that is over and was brought in: nothing of it runs on."""

from decisions.effectiveness.about import About
from decisions.effectiveness.benefit import Benefit
from decisions.effectiveness.verdict import Verdict, VerdictKind

_LARGER = "The trial is over and nothing more will come of it: plan a larger one"
_ADVICE = {
    VerdictKind.CANNOT_BE_JUDGED: "Rely on none of these numbers. {technical} finds out why; a "
    "new trial then starts clean.",
    VerdictKind.TOO_EARLY: f"{_LARGER} before acting further.",
    VerdictKind.HARMFUL: "Do not do it again. {business} sees to that; {technical} finds the "
    "cause before anybody tries.",
    VerdictKind.WORKS: "Do it from now on, and go on leaving a share alone: what worked in a "
    "trial can stop working.",
    VerdictKind.NO_WORTHWHILE_EFFECT: "Leave it or redesign it: as it was, it is not worth "
    "acting for.",
    VerdictKind.CANNOT_TELL: f"{_LARGER}, or leave it.",
    VerdictKind.NO_EVIDENCE_YET: f"{_LARGER}, or leave it.",
    VerdictKind.INCONCLUSIVE: f"{_LARGER}, or leave it.",
}
_TOO_DEAR = (
    "Make it cheaper or more selective before doing it again: it worked, but it may cost more "
    "than it brings."
)


def of_finished(judged: Verdict, about: About, benefit: Benefit | None) -> Verdict:
    """Return the verdict on a finished trial with a recommendation that can still be followed.

    Args:
        judged: What may be said, with what a running decision would be told to do.
        about: Who answers for it.
        benefit: What its effect comes to.
    """
    money = benefit.money if benefit else None
    advice = _ADVICE.get(judged.kind, judged.recommendation)
    if judged.kind is VerdictKind.WORKS and money and money.net and not money.pays:
        advice = _TOO_DEAR
    owners = {role: about.owner(role) for role in ("business", "technical")}
    return judged.model_copy(update={"recommendation": advice.format(**owners)})
