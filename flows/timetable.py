"""What runs when: the deployments of a workspace, without Prefect."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim

from decisions.definition import Definition


@dataclass(frozen=True, slots=True)
class Deployment:
    """One flow on its schedule.

    Attributes:
        flow: The flow's name; its entrypoint is ``flows.<flow>.<flow>``.
        name: What or how often, such as ``every-minute``.
        cron: Five cron fields; None is never started by itself.
        zone: IANA time zone in which the cron fields are read.
        parameters: What the flow takes.
        tags: What it can be found by in Prefect's pages.
    """

    flow: str
    name: str
    cron: str | None
    zone: str = "UTC"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """What Prefect calls it."""
        return f"{self.flow}/{self.name}"

    @property
    def entrypoint(self) -> str:
        """Where its flow is: a module path, never a file."""
        return f"flows.{self.flow}.{self.flow}"

    def next_at(self, now: datetime) -> datetime | None:
        """Return when it is started next.

        Args:
            now: The present instant (timezone-aware).

        Returns:
            The instant (timezone-aware, UTC), or None if it has no schedule.
        """
        if self.cron is None:
            return None
        return next(CronSim(self.cron, now.astimezone(ZoneInfo(self.zone)))).astimezone(UTC)


SWEEPS = (
    Deployment("dispatch", "every-minute", "* * * * *"),
    Deployment("observe", "daily", "30 5 * * *"),
    Deployment("report", "monthly", "0 6 1 * *", parameters={"month": "last"}),
)
"""What every workspace needs, whatever it decides."""


def deployments(decisions: Mapping[str, Definition]) -> Iterator[Deployment]:
    """Yield a deployment a decision, on the schedule that its definition gives, and the sweeps."""
    for name, definition in decisions.items():
        schedule = definition.schedule
        yield Deployment(
            "decide",
            name,
            cron=schedule.cron if schedule else None,
            zone=schedule.zone if schedule else "UTC",
            parameters={"decision": name},
            tags=(name, definition.owners.business),
        )
    yield from SWEEPS
