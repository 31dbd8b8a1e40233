"""A folder of definitions, its people and its connections: read strictly, all faults at once."""

from decisions.workspace.connections import ConnectionKind, ConnectionSpec, resolved
from decisions.workspace.loading import Workspace, load_workspace

__all__ = ["ConnectionKind", "ConnectionSpec", "Workspace", "load_workspace", "resolved"]
