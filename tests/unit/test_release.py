import pytest

from decisions.errors import LifecycleError, NotUnderstood
from decisions.release import (
    LIVE,
    MOVES,
    SOMEBODY_ELSE,
    Placing,
    Stage,
    check_move,
    entitlements,
    missing,
    rules,
    version_named,
)
from tests.samples import MONDAY, definition, people

SHADOW = Placing(Stage.SHADOW)
TEAM = people()


def signed_by(*names, **more):
    return definition(sign_off={"by": list(names), **more})


def may(wanted, in_force=None, *, author="ben.okafor", team=TEAM):
    return entitlements(rules(wanted, in_force, 3), team, author=author, at=MONDAY)


@pytest.mark.parametrize(
    ("written", "placing"),
    [
        pytest.param("shadow", SHADOW, id="shadow"),
        pytest.param("live", LIVE, id="live"),
        pytest.param("ramp 25%", Placing(Stage.RAMP, 0.25), id="ramp"),
        pytest.param("ramp 0.5%", Placing(Stage.RAMP, 0.005), id="a-small-ramp"),
        pytest.param("ramp 100%", LIVE, id="a-whole-ramp-is-live"),
    ],
)
def test_a_stage_is_read_as_it_is_written(written, placing):
    assert Placing.parse(written) == placing
    assert Placing.parse(str(placing)) == placing


@pytest.mark.parametrize(
    "text", ["", "ramp", "ramp 0%", "ramp 101%", "ramp a lot", "halted", "live now"]
)
def test_what_is_no_stage_is_refused_with_one_that_is(text):
    with pytest.raises(NotUnderstood, match="write shadow, live or a ramp such as ramp 25%"):
        Placing.parse(text)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("to", [SHADOW, Placing(Stage.RAMP, 0.5), LIVE], ids=str)
def test_a_version_moves_only_where_the_table_says(stage, to):
    now = Placing(stage, 0.25) if stage is Stage.RAMP else stage
    now = LIVE if stage is Stage.LIVE else SHADOW if stage is Stage.SHADOW else now
    if to.stage in MOVES.get(stage, ()):
        check_move("churn/v3", now, to)
        return

    with pytest.raises(LifecycleError, match="churn/v3 is"):
        check_move("churn/v3", now, to)


def test_a_version_that_is_there_already_is_not_moved():
    ramp = Placing(Stage.RAMP, 0.25)

    with pytest.raises(LifecycleError, match="is in ramp 25% already"):
        check_move("churn/v3", ramp, ramp)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("business", {"dana.reyes"}, id="an-owner"),
        pytest.param("omar.haddad", {"omar.haddad"}, id="a-person"),
        pytest.param("finance", {"mia.chen"}, id="a-role"),
    ],
)
def test_an_owner_a_role_or_a_person_can_be_asked_to_sign(name, expected):
    team = people(roles={"finance": "mia.chen"})

    assert may(signed_by(name), team=team) == {name: expected}


def test_whoever_stands_in_may_sign_and_so_may_the_one_who_is_away():
    cover = {"of": "dana.reyes", "by": "omar.haddad", "from": "2026-11-16", "until": "2026-11-16",
             "because": "leave"}  # fmt: skip

    assert may(signed_by("business"), team=people(cover=[cover])) == {
        "business": {"dana.reyes", "omar.haddad"}
    }


def test_an_author_who_may_not_sign_is_replaced_by_the_backup_owner():
    wanted = signed_by("business", "technical", **{"not": "author"})

    assert may(wanted, author="lee.park") == {
        "business": {"dana.reyes"},
        "technical": {"sam.ortiz"},
    }


def test_an_author_may_sign_where_the_definition_does_not_say_otherwise():
    assert may(signed_by("technical"), author="lee.park") == {"technical": {"lee.park"}}


def test_a_version_in_force_keeps_its_say_when_an_edit_takes_the_sign_off_away():
    assert may(definition(), signed_by("business")) == {"business": {"dana.reyes"}}


def test_an_edit_of_who_signs_is_signed_by_those_before_as_well():
    owners = {"business": "omar.haddad", "technical": "lee.park"}
    wanted = definition(owners=owners, sign_off={"by": ["business"]})

    assert may(wanted, signed_by("business", "technical")) == {
        "business": {"omar.haddad"},
        "business of v3": {"dana.reyes"},
        "technical of v3": {"lee.park"},
    }


def test_the_same_rule_twice_asks_nobody_twice():
    assert may(signed_by("business"), signed_by("business")) == {"business": {"dana.reyes"}}


@pytest.mark.parametrize(
    ("signed", "left"),
    [
        pytest.param({}, ("business", "technical"), id="nobody-yet"),
        pytest.param({"dana.reyes": ["business"]}, ("technical",), id="one-of-two"),
        pytest.param({"dana.reyes": ["business", "technical"]}, (), id="one-who-is-both"),
        pytest.param({"lee.park": ["business", "technical"]}, (SOMEBODY_ELSE,), id="author-alone"),
        pytest.param({"lee.park": ["technical"], "dana.reyes": ["business"]}, (), id="author-too"),
    ],
)
def test_a_version_is_signed_once_all_have_and_never_by_its_author_alone(signed, left):
    assert missing(["business", "technical"], signed, author="lee.park") == left


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("churn", ("churn", None), id="the-decision"),
        pytest.param("churn/v3", ("churn", 3), id="a-version"),
        pytest.param("churn/3", ("churn", 3), id="a-number"),
    ],
)
def test_a_version_is_named_as_people_name_it(text, expected):
    assert version_named(text) == expected


@pytest.mark.parametrize("text", ["churn/", "churn/v0", "churn/live", "churn/v1/v2"])
def test_what_names_no_version_is_refused(text):
    with pytest.raises(NotUnderstood, match="write churn/v3"):
        version_named(text)
