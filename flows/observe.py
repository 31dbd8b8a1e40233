"""Look at the world: were interventions really made, and what came of the cases?"""

from datetime import timedelta

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from flows import judging, observing, wiring
from flows.judging import Judged
from flows.observing import Observed


@flow(name="observe")
async def observe(again: str | None = None) -> Observed:
    """Record the proofs and outcomes that have become known.

    Run it as often as you like, or twice at once: what is known already is left as it is.

    Args:
        again: A span such as 90d: outcomes recorded so lately are looked up once more, and what
            differs is kept as a correction.
    """
    back = observing.span_back(again)
    proven = look_for_proofs()
    found = observing.both(proven, look_for_outcomes(proven.unproven))
    found = observing.with_judged(found, judge_models())
    return observing.with_corrections(found, look_again(back)) if back else found


@task(name="look-for-proofs", cache_policy=NO_CACHE)
def look_for_proofs() -> Observed:
    """Ask the probes which interventions really happened, in either arm."""
    return _logged(observing.look_for_proofs(wiring.current()))


@task(name="look-for-outcomes", cache_policy=NO_CACHE)
def look_for_outcomes(unproven: list[str]) -> Observed:
    """Ask the probes for the outcomes of the cases whose window has closed."""
    return _logged(observing.look_for_outcomes(wiring.current(), unproven=unproven))


@task(name="judge-models", cache_policy=NO_CACHE)
def judge_models() -> Judged:
    """Judge scores whose outcomes are final by those whom nobody acted on."""
    return judging.judge_models(wiring.current())


@task(name="look-again", cache_policy=NO_CACHE)
def look_again(back: timedelta) -> Observed:
    """Ask the probes once more for outcomes they have given lately."""
    return _logged(observing.look_again(wiring.current(), back))


def _logged(observed: Observed) -> Observed:
    for fault in observed.faults:
        get_run_logger().error(fault)
    return observed
