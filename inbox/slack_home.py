"""The app's Home of each person: what waits for them, taken from the ledger."""

import logging

from connectors.slack.channel import SlackChannel
from connectors.slack.home import MOST_SHOWN, Waiting, home
from decisions.definition import Definition
from decisions.errors import DecisionLayerError
from decisions.ledger.cases import Filter
from decisions.ledger.records import Case, CaseState
from decisions.wording import title, why
from flows.wiring import Layer

_LOG = logging.getLogger(__name__)

_STRANGER = (
    "people.yaml names nobody with your Slack account; ask whoever looks after Followthrough to "
    "add your Slack id there."
)


class Homes:
    """Shows people what waits for them.

    Args:
        layer: Everything there is.
        channel: The Slack app whose Home it is.
    """

    def __init__(self, layer: Layer, channel: SlackChannel) -> None:
        self._layer = layer
        self._channel = channel

    def show(self, user: str, person: str | None, *, notice: str | None = None) -> None:
        """Show somebody their Home; that it cannot be shown is logged, and nothing more.

        Args:
            user: Their Slack id.
            person: Their key; None for somebody whom people.yaml does not name.
            notice: What they are to be told of what they just did.
        """
        try:
            self._channel.show_home(user, self._view(person, notice))
        except DecisionLayerError as failure:
            _LOG.warning("the Home of %s cannot be shown: %s", person or user, failure)

    def _view(self, person: str | None, notice: str | None) -> dict[str, object]:
        now = self._layer.clock()
        if person is None:
            return home((), count=0, zone="UTC", now=now, notice=notice or _STRANGER)
        cases, zone = self._layer.ledger.cases, self._layer.workspace.people.person(person).zone
        wanted = Filter(assignee=person)
        found = cases.found(wanted, most=MOST_SHOWN)
        definitions: dict[int, Definition] = {}
        for case in found:
            if case.version_id not in definitions:
                definitions[case.version_id] = cases.definition_of(case)
        return home(
            [self._waiting(case, definitions[case.version_id], zone) for case in found],
            count=cases.count(wanted),
            zone=zone,
            now=now,
            notice=notice,
            url=self._layer.settings.inbox_url,
        )

    def _waiting(self, case: Case, definition: Definition, zone: str) -> Waiting:
        facts, opened_at = case.facts, case.opened_at
        acknowledged = case.state == CaseState.ACKNOWLEDGED
        return Waiting(
            case=case.key,
            decision=definition.decision,
            title=title(
                definition, action=case.action, facts=facts, opened_at=opened_at, zone=zone
            ),
            why=why(definition, rule=case.rule, facts=facts, opened_at=opened_at, zone=zone),
            due=case.complete_by if acknowledged else case.respond_by,
            acknowledged=acknowledged,
            can_override=bool(definition.actions[case.action].override_reasons),
            url=f"{self._layer.settings.inbox_url}/cases/{case.key}",
        )
