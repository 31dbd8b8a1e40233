"""The plain functions under the flows, over a real workspace, warehouse and ledger."""

from dataclasses import replace

import pytest

from decisions.ports import Receipt
from flows import sending, sweep
from tests.company import DECISION, assembled, write_scores, write_workspace
from tests.samples import MONDAY, MovableClock


class Picky:
    """A channel that breaks over one subject and takes every other message."""

    name = "slack"

    def __init__(self):
        self.heard = []

    def deliver(self, message):
        if "Acme" in message.title:
            raise ZeroDivisionError("nobody foresaw this")
        self.heard.append(message.title)
        return Receipt(reference=message.key, accepted_at=MONDAY)

    def find(self, message):
        return None


@pytest.fixture
def layer(tmp_path):
    folder = write_workspace(tmp_path / "workspace")
    names = {"a1": "Acme", "b2": "Bolt", "c3": "Core"}
    rows = [{"account_id": key, "company": name} for key, name in names.items()]
    write_scores(folder, rows, scored_at=MONDAY)
    made = assembled(folder, MovableClock())
    yield replace(made, channels={"slack": Picky()})
    made.ledger.close()


def test_one_poisoned_message_stops_none_of_the_others(layer, caplog):
    sweep.decide(layer, DECISION)

    delivered = sending.deliver(layer)

    assert delivered.states == {"sent": 3, "unreachable": 1}  # the third is the alarm
    assert layer.channels["slack"].heard[-1] == "churn-save-call: messages do not arrive"
    assert any("nobody foresaw this" in str(each.exc_text) for each in caplog.records)


def test_the_next_person_hears_of_a_case_whose_message_was_poisoned(layer):
    sweep.decide(layer, DECISION)
    sending.deliver(layer)

    steps = sweep.escalate(layer).steps

    assert len(steps) == 1
    assert "Omar Haddad is told" in steps[0]


def test_a_number_with_more_digits_than_anybody_writes_costs_no_message(layer, tmp_path):
    rows = [{"account_id": "d4", "company": "Dune", "arr": 9_999_999_999}]
    write_scores(tmp_path / "workspace", rows, scored_at=MONDAY)
    sweep.decide(layer, DECISION)

    assert sending.deliver(layer).states == {"sent": 1}
