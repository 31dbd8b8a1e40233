"""When Prefect may try again: only where the failure itself says that it can help."""

from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from decisions.errors import TemporaryFailure


async def if_trying_again_helps(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether the task failed with a ``TemporaryFailure``."""
    found = await state.aresult(raise_on_failure=False)
    return isinstance(found, TemporaryFailure)
