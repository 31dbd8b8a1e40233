"""What batches are held against for drift, as their owners decide."""

from decisions.deciding.distribution import measured
from decisions.deciding.gate import confirm
from decisions.entitlement import entitled
from decisions.errors import LifecycleError, NotEntitled
from flows.sweep import inspect_batch
from flows.wiring import Layer


def set_reference(layer: Layer, decision: str, by: str) -> list[str]:
    """Hold later batches of a decision against its present one; return the fields watched.

    Args:
        layer: Everything assembled.
        decision: Which.
        by: Who says so; an owner of the decision.

    Raises:
        NotEntitled: They are no owner.
        LifecycleError: The batch has faults, or no field is watched.
        ConnectorError: A warehouse did not answer, or the batch was replaced meanwhile.
    """
    definition = layer.definition(decision)
    people, at = layer.workspace.people, layer.clock()
    owners = entitled(people, definition.owners, assignee=None, told=(), at=at)
    if by not in owners:
        raise NotEntitled(
            f"{by} is no owner of {decision}; its reference is set by {' or '.join(sorted(owners))}"
        )
    if not definition.signal.gate.drift:
        raise LifecycleError(f"{decision} watches no field; name one under signal.gate.drift")
    batch = inspect_batch(layer, definition)
    if batch.faults:
        raise LifecycleError(f"the batch is no reference: {batch.faults[0]}")
    found = measured(definition, layer.warehouses, {}).new
    confirm(batch, definition, layer.warehouses)
    layer.ledger.drifts.set_reference(definition, found, batch=batch.fingerprint, by=by)
    return list(found)
