"""A made-up company: its accounts, what a model says of them, and what becomes of them.

This is the world, not the decision layer: only what is in its tables can be seen from inside. Who
was really called, and what that is worth, it knows exactly, so the true effect can be stated.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from flows.demo.names import MOST_NAMES, company_name

CALL_EFFECT = 0.22
"""What a call that really happens adds to the probability of renewing, 0 to 1, whoever gets it."""

TERM = timedelta(days=365)
"""How long a contract runs; an account renews at most once while the story lasts."""

HORIZON = timedelta(days=30)
"""How far ahead the model looks: it scores the risk of a renewal lost within this time."""

_MEAN_LOGIT, _SPREAD, _BLUR, _WOBBLE = -1.5, 2.0, 0.5, 0.1
_RISK_WITHOUT_RENEWAL = 0.05
"""What is left of an account's risk in the model's eyes while no renewal is near."""
_SCORING_COST = 0.35
"""US dollars to score one account and name its reasons."""

_REASONS = (
    "fewer people sign in than a quarter ago",
    "support tickets stay open longer",
    "the champion has left the account",
    "usage is below the plan that is paid for",
    "invoices are paid late",
    "a competitor's connector was installed",
)

Instants = npt.NDArray[np.datetime64]
Flags = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float64]


class Company:
    """Accounts with a known future.

    Args:
        accounts: How many; at most ``MOST_NAMES``, so that no two share a name.
        managers: Keys of the account managers, to whom the accounts are dealt out.
        begins_on: First day of the story.
        seed: The same one makes the same company.
    """

    def __init__(
        self, *, accounts: int, managers: Sequence[str], begins_on: date, seed: int
    ) -> None:
        draw = np.random.default_rng([seed, accounts])
        self._seed = seed
        self.ids = np.array([f"A{n:05d}" for n in range(1, accounts + 1)])
        self._places = {str(name): place for place, name in enumerate(self.ids)}
        self._dealt = np.array(managers)[draw.integers(0, len(managers), accounts)]
        begin: Instants = np.full(accounts, np.datetime64(begins_on, "D"))
        self._renewal_on = begin + draw.integers(1, TERM.days, accounts).astype("timedelta64[D]")
        self._risk = draw.normal(_MEAN_LOGIT, _SPREAD, accounts)
        self._seen = _calibrated(self._risk + draw.normal(0, _BLUR, accounts))
        self._luck = draw.random(accounts)
        self._known = self._drawn_up(draw)
        self._called_at: Instants = np.full(accounts, np.datetime64("NaT", "s"))
        self._logged = np.zeros(accounts, dtype=bool)

    @property
    def _decided_at(self) -> Instants:
        noon: Instants = self._renewal_on.astype("datetime64[s]") + np.timedelta64(12, "h")
        return noon

    @property
    def _renews(self) -> Flags:
        """Whether each account renews, given the calls until now: one luck, whatever is done."""
        called = self._called_at < self._decided_at
        renewing: npt.NDArray[np.bool_] = self._luck < self.chance_to_renew(called)
        return renewing

    def chance_to_renew(self, called: Flags) -> Shares:
        """Return each account's probability of renewing, called or not; shape (accounts,)."""
        chance: Shares = np.minimum(1 - _share(self._risk) + CALL_EFFECT * called, 1)
        return chance

    def gain(self, subjects: Iterable[str]) -> Shares:
        """Return what the calls that really happened added to each one's chance to renew.

        Args:
            subjects: Account ids.

        Returns:
            Shape (subjects,), 0 where nobody called before the renewal was decided.
        """
        places = [self._places[subject] for subject in subjects]
        called = self._called_at < self._decided_at
        nobody = np.zeros_like(called)
        added = self.chance_to_renew(called) - self.chance_to_renew(nobody)
        return np.asarray(added[places])

    def call(self, account: str, at: datetime, *, logged: bool) -> None:
        """Let a call happen; a second one to the same account changes nothing.

        Args:
            account: The account's id.
            at: When (timezone-aware).
            logged: Whether it leaves a row in the CRM, which is the proof that it happened.
        """
        place = self._places[account]
        if np.isnat(self._called_at[place]):
            self._called_at[place] = _instant(at)
            self._logged[place] = logged

    def table(self, name: str, at: datetime) -> pa.Table:
        """Return a table of the warehouse as it is at an instant: the past, not the future.

        Args:
            name: ``churn_scores``, ``accounts``, ``renewals`` or ``crm_calls``.
            at: The instant (timezone-aware).
        """
        made = {
            "churn_scores": self._scores,
            "accounts": self._accounts,
            "renewals": self._renewals,
            "crm_calls": self._calls,
        }
        return made[name](at)

    def _drawn_up(self, draw: np.random.Generator) -> pa.Table:
        """Return what never changes of the accounts, in the order of their ids."""
        count = len(self.ids)
        numbers = draw.permutation(MOST_NAMES)[:count]
        return pa.table(
            {
                "account_id": self.ids,
                "company": [company_name(int(number)) for number in numbers],
                "account_manager": self._dealt,
                "arr": np.round(np.exp(draw.normal(10.9, 0.8, count)), -2),
                "open_tickets": draw.poisson(1 + 4 * _share(self._risk)),
                "top_reasons": np.array(_REASONS)[draw.integers(0, len(_REASONS), count)],
            }
        )

    def _decided_by(self, at: datetime) -> Flags:
        return self._decided_at <= _instant(at)

    def _present(self, at: datetime) -> Flags:
        """Whether each account is still a customer."""
        return ~self._decided_by(at) | self._renews

    def _scores(self, at: datetime) -> pa.Table:
        wobble = np.random.default_rng([self._seed, int(at.timestamp())]).normal(
            0, _WOBBLE, len(self.ids)
        )
        is_near = self._decided_at - _instant(at) < np.timedelta64(HORIZON)
        is_near &= ~self._decided_by(at)
        helped = CALL_EFFECT * (self._called_at <= _instant(at))
        risk = np.maximum(_share(self._seen + wobble) - helped, 0)
        score = risk * np.where(is_near, 1, _RISK_WITHOUT_RENEWAL)
        now = pa.scalar(at.astimezone(UTC), pa.timestamp("us", tz="UTC"))
        scores = self._known.select(["account_id", "arr", "top_reasons"])
        for name, values in (
            ("churn_probability", np.round(score, 4)),
            ("churn_interval", np.round(0.08 + 0.1 * np.abs(wobble), 3)),
            ("model_cost", pa.repeat(_SCORING_COST, len(self.ids))),
            ("model_version", pa.repeat(f"{at:%Y.%m}", len(self.ids))),
            ("scored_at", pa.repeat(now, len(self.ids))),
        ):
            scores = scores.append_column(name, pa.array(values))
        return scores.filter(self._present(at))

    def _accounts(self, at: datetime) -> pa.Table:
        renewal_on = self._renewal_on + np.where(self._decided_by(at), TERM.days, 0)
        known = self._known.select(["account_id", "company", "account_manager", "open_tickets"])
        return known.append_column("renewal_on", pa.array(renewal_on)).filter(self._present(at))

    def _renewals(self, at: datetime) -> pa.Table:
        decided = self._decided_by(at)
        return pa.table(
            {
                "account_id": self.ids[decided],
                "decided_at": _utc(self._decided_at[decided]),
                "renewed": self._renews[decided],
            }
        )

    def _calls(self, at: datetime) -> pa.Table:
        shown = self._logged & (self._called_at <= _instant(at))
        return pa.table(
            {
                "account_id": self.ids[shown],
                "called_at": _utc(self._called_at[shown]),
                "called_by": self._dealt[shown],
            }
        )


def _share(logit: Shares) -> Shares:
    return np.asarray(1 / (1 + np.exp(-logit)))


def _calibrated(blurred: Shares) -> Shares:
    """Draw what is seen with an error back to the mean, as a calibrated model would."""
    trust = _SPREAD**2 / (_SPREAD**2 + _BLUR**2)
    return _MEAN_LOGIT + trust * (blurred - _MEAN_LOGIT)


def _instant(at: datetime) -> np.datetime64:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "s")


def _utc(instants: Instants) -> Any:
    return pa.array(instants.astype("datetime64[us]")).cast(pa.timestamp("us", tz="UTC"))
