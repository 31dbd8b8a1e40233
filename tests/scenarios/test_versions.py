import pytest

from decisions.errors import Halted, NotInForce
from flows.decide import decide

SIGNED = {"sign_off": {"by": ["business", "technical"], "not": "author"}}


def test_a_decision_opens_its_first_case_once_its_owners_have_signed(world):
    world.decides(**SIGNED)
    world.scores("acme")

    with pytest.raises(NotInForce, match="followthrough release"):
        world.runs(decide, "churn-save-call")
    world.releases()
    world.signs("dana.reyes", "lee.park")
    world.opens("acme")

    assert world.heard_by("mia.chen") == ["Call acme"]


def test_an_edit_of_the_file_changes_nothing_before_it_is_signed(world):
    world.decides(**SIGNED)
    world.releases()
    world.signs("dana.reyes", "lee.park")
    world.decides(**SIGNED, rules=[{"name": "all", "when": "true", "do": "call", "because": "-"}])

    found = world.opens("acme")

    assert (found.opened, found.stage) == (1, "live")
    assert world.channel.messages[0].why == "90% likely to leave"


def test_a_shadow_says_what_it_would_have_done_beside_the_version_that_acts(world):
    world.decides(**SIGNED)
    world.releases()
    world.signs("dana.reyes", "lee.park")
    world.decides(**SIGNED, limits={"per_run": 1})
    world.releases()
    world.signs("dana.reyes", "lee.park")
    world.stages("shadow")
    world.layer.board.rollback("churn-save-call", 1, world.says("dana.reyes"))

    found = world.opens("acme", "bolt")

    (shadow,) = found.beside
    assert (found.opened, shadow.stage, shadow.opened) == (2, "shadow", 1)
    assert len(world.heard_by("mia.chen")) == 2


def test_a_halt_stops_deciding_telling_and_escalating_until_somebody_ends_it(world):
    world.opens("acme")
    world.heard_by("mia.chen")
    world.halts()

    with pytest.raises(Halted, match="is halted, by Dana Reyes"):
        world.runs(decide, "churn-save-call")
    world.forward(days=2)
    assert world.heard_by("omar.haddad") == []
    assert len(world.heard_by("lee.park")) == 1

    world.resumes()
    world.forward(hours=3)
    assert world.heard_by("omar.haddad") == []
    world.forward(hours=1)
    assert len(world.heard_by("omar.haddad")) == 1
