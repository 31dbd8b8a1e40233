"""Stand-ins for outside systems, for your own tests: they answer on localhost, over real HTTP."""

from connectors.testing.clock import ShiftedClock
from connectors.testing.control import Control, RemoteSlack
from connectors.testing.pace import Breach, Pace
from connectors.testing.slack import FakeSlack
from connectors.testing.team import Form, Posted
from connectors.testing.wire import HttpAnswer

__all__ = [
    "Breach",
    "Control",
    "FakeSlack",
    "Form",
    "HttpAnswer",
    "Pace",
    "Posted",
    "RemoteSlack",
    "ShiftedClock",
]
