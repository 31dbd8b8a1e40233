"""Messages that meet trouble on their way, and are told after all or given up in the open."""

import pytest

from decisions.delivery import Attempt
from decisions.ports import Message
from flows.messages import addressee
from flows.sending import deliver
from tests.posting import Company


@pytest.fixture
def company(tmp_path):
    made = []

    def make(**changes):
        made.append(Company(f"sqlite:///{tmp_path / f'{len(made)}.db'}", **changes))
        return made[-1]

    yield make
    for each in made:
        assert each.ledger.verified().breach is None
        each.ledger.close()


def report(there):
    message = Message(
        key="report:1:mia.chen",
        kind="reported",
        to=addressee("mia.chen", there.people),
        decision="churn-save-call",
        title="It helped",
        why="by 3 points",
        owner="Dana Reyes",
    )
    there.ledger.outbox.announce(1, {"owner": message})
    return message


def held(there):
    """Claim what is due and find that it may not leave just now."""
    [claim] = there.ledger.outbox.claim(most=1)
    message = Message.model_validate(claim.notification.message)
    attempt = Attempt(
        claim, message, there.layer.channels, there.people, there.clock(), lambda: True
    )
    there.ledger.outbox.settle(claim, attempt.made())


def test_a_report_that_is_held_is_told_as_it_was_written(company):
    there = company()
    there.opens(1, "mia.chen")
    deliver(there.layer)
    report(there)
    there.clock.forward(1)

    held(there)
    there.forward(seconds=1)

    assert [title for *_, title in there.slack.taken][1:] == ["It helped"]
