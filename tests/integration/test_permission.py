"""Every role and every act: allowed, or refused and entered."""

import pytest

from decisions.admission import Admission
from decisions.board import Board
from decisions.brake import Brake
from decisions.desk import Author, Desk
from decisions.errors import LifecycleError, NotEntitled
from decisions.ledger import Ledger
from decisions.permission import ALLOWED, Act, Role
from decisions.release import LIVE
from tests.room import Room
from tests.samples import MovableClock, definition, people

WHO = {
    Role.READER: "ben.okafor",
    Role.ASSIGNEE: "mia.chen",
    Role.OWNER: "sam.ortiz",
    Role.SIGNER: "omar.haddad",
    Role.OPERATOR: "ola.berg",
}
"""One person for each role, who has no other but reader."""
OLA = {"ola.berg": {"name": "Ola Berg", "email": "ola@larkfield.example"}}
SIGNED = {"sign_off": {"by": ["omar.haddad"]}}


class SignedRoom(Room):
    """A room whose decision Omar signs, and Ola keeps running."""

    def __init__(self, url):
        self._decision = definition(**SIGNED)
        super().__init__(url)
        self.people = with_ola()
        self.desk, self.brake = (each(self.ledger, self.people) for each in (Desk, Brake))
        self.board = Board(self.ledger, self.people)
        self.admission = Admission(self.ledger, self.people)

    def carry_out(self, act, person):
        author = Author(person, "inbox", f"a-click-of-{person}-{act}")
        name = self._decision.decision
        acts = {
            Act.ANSWER: lambda: self.desk.acknowledge("CSC-1", author),
            Act.HALT: lambda: self.brake.halt(self._decision, author, because="It is wrong."),
            Act.RESUME: lambda: self.brake.resume(self._decision, author),
            Act.SIGN: lambda: self.board.sign(name, author),
            Act.MOVE: lambda: self.board.stage(name, LIVE, author),
        }
        if act in acts:
            acts[act]()
        else:
            self.admission.admit(person, act, name, self._decision, via="inbox")


def with_ola():
    known = people().model_dump(by_alias=True, exclude_none=True)
    return people(people=known["people"] | OLA, operators=["ola.berg"])


@pytest.fixture
def room(ledger_url):
    opened = SignedRoom(ledger_url)
    release = Author("lee.park", "inbox", "release")
    opened.board.release(opened._decision, release)
    yield opened
    assert opened.ledger.verified().breach is None
    opened.ledger.close()


def entered(ledger: Ledger, about: str) -> list[tuple[str, str]]:
    found = ledger.entries_of(about)
    return [(each.actor, each.act) for each in found if each.act.endswith("refused")]


def prepared(room, act):
    """Bring the decision where the act makes sense for whoever may do it."""
    if act in {Act.MOVE, Act.RESUME}:
        room.board.sign(room._decision.decision, Author("omar.haddad", "inbox", "sign"))
    if act is Act.RESUME:
        room.brake.halt(room._decision, Author("dana.reyes", "inbox", "halt"), because="Wrong.")


@pytest.mark.parametrize("act", Act)
def test_every_role_may_do_what_the_table_says_and_is_refused_the_rest(room, act):
    prepared(room, act)
    allowed, refused = set(), set()
    for role in sorted(WHO, key=ALLOWED[act].__contains__):
        person = WHO[role]
        try:
            room.carry_out(act, person)
        except NotEntitled:
            refused.add(role)
        except LifecycleError:
            allowed.add(role)  # somebody before them has done it: they were let in
        else:
            allowed.add(role)

    everybody = set(Role) if Role.READER in ALLOWED[act] else set()
    assert allowed == everybody | ALLOWED[act]
    about = "CSC-1" if act is Act.ANSWER else room._decision.decision
    late = {WHO[role] for role in allowed}  # whose answer came second is entered, too
    assert {who for who, _ in entered(room.ledger, about)} - late == {WHO[role] for role in refused}


@pytest.mark.parametrize("person", [None, "eve", "mallory.was-here"])
def test_whoever_is_nobody_may_nothing(room, person):
    assert [act for act in Act if room.admission.may(person, act, room._decision)] == []


def test_whoever_has_left_may_nothing(room):
    known = people().model_dump(by_alias=True, exclude_none=True)["people"]
    for each in known.values():
        each["last_day"] = "2026-11-13"
    gone = Admission(room.ledger, people(people=known, operators=["lee.park"]))

    found = [(key, act) for key in known for act in Act if gone.may(key, act, room._decision)]
    assert found == []


def test_an_act_nobody_thought_of_is_refused(room):
    assert not room.admission.may("dana.reyes", "delete everything", room._decision)


def test_a_cover_has_the_roles_of_whom_they_cover(ledger_url):
    leave = {"of": "dana.reyes", "by": "ben.okafor", "from": "2026-11-16",
             "until": "2026-11-20", "because": "leave"}  # fmt: skip
    ledger = Ledger(ledger_url, MovableClock())
    admission = Admission(ledger, people(cover=[leave]))

    assert Role.OWNER in admission.roles("ben.okafor", definition())
    assert Role.OWNER in admission.roles("dana.reyes", definition())
    ledger.close()


def test_without_a_sign_off_owners_are_the_signers(room):
    assert Role.SIGNER in room.admission.roles("sam.ortiz", definition())
    assert Role.SIGNER not in room.admission.roles("sam.ortiz", definition(**SIGNED))
