"""Serve the deployments of the workspace to a Prefect server: ``python -m flows.serve``.

``followthrough serve`` starts this beside a server and the inbox; it runs until it is stopped.
"""

from importlib import import_module

from prefect import Flow, serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.settings import Settings
from flows.timetable import Deployment, deployments
from flows.wiring import read_workspace

ONE_AT_A_TIME = ConcurrencyLimitConfig(
    limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW, grace_period_seconds=60
)
"""A courtesy to the database; that two at once do no harm is the ledger's business."""


def main() -> None:
    """Serve every deployment until SIGTERM or Ctrl-C; schedules are paused then."""
    workspace = read_workspace(Settings())
    serve(*(served(each) for each in deployments(workspace.decisions)))


def served(deployment: Deployment) -> RunnerDeployment:
    """Return the deployment as Prefect takes it, with a module path as its entrypoint."""
    module, _, name = deployment.entrypoint.rpartition(".")
    flow: Flow[..., object] = getattr(import_module(module), name)
    cron = deployment.cron
    return RunnerDeployment.from_flow(
        flow,
        name=deployment.name,
        schedules=[Cron(cron, timezone=deployment.zone)] if cron else None,
        concurrency_limit=ONE_AT_A_TIME,
        parameters=dict(deployment.parameters),
        tags=list(deployment.tags),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


if __name__ == "__main__":
    main()
