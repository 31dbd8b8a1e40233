"""Look at the world: were interventions really made, and what came of the cases?"""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from flows import sweep, wiring
from flows.sweep import Observed


@flow(name="observe")
async def observe() -> Observed:
    """Record the proofs and outcomes that have become known.

    Run it as often as you like, or twice at once: what is known already is left as it is.
    """
    proven = look_for_proofs()
    return sweep.both(proven, look_for_outcomes(proven.unproven))


@task(name="look-for-proofs", cache_policy=NO_CACHE)
def look_for_proofs() -> Observed:
    """Ask the probes which interventions really happened, in either arm."""
    return _logged(sweep.look_for_proofs(wiring.current()))


@task(name="look-for-outcomes", cache_policy=NO_CACHE)
def look_for_outcomes(unproven: list[str]) -> Observed:
    """Ask the probes for the outcomes of the cases whose window has closed."""
    return _logged(sweep.look_for_outcomes(wiring.current(), unproven=unproven))


def _logged(observed: Observed) -> Observed:
    for fault in observed.faults:
        get_run_logger().error(fault)
    return observed
