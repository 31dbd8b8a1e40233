"""Stand-ins for outside systems, for your own tests: they answer on localhost, over real HTTP."""

from connectors.testing.slack import FakeSlack
from connectors.testing.team import Form, Posted
from connectors.testing.wire import HttpAnswer

__all__ = ["FakeSlack", "Form", "HttpAnswer", "Posted"]
