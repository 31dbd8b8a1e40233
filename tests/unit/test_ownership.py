from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from decisions.definition import Owners
from decisions.errors import UnknownPerson
from decisions.ownership import ASSIGNEES_MANAGER, Cover, People, Person, Standin, resolve

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWNERS = Owners(business="dana", technical="lee", backup="sam")


def team(cover=(), roles=(), **changes) -> People:
    """Mia reports to Omar, Omar to Dana, who like Lee and Sam reports to nobody."""
    managers = {"mia": "omar", "omar": "dana", "dana": None, "lee": None, "sam": None}
    people = {
        key: {
            "name": f"{key.title()} R.",
            "email": f"{key}@larkfield.example",
            "manager": manager,
            **changes.get(key, {}),
        }
        for key, manager in managers.items()
    }
    return People.model_validate({"people": people, "roles": dict(roles), "cover": list(cover)})


def cover(of, by, begins="2026-11-20", until="2026-11-20", because="leave"):
    return {"of": of, "by": by, "from": begins, "until": until, "because": because}


def resolved(target, people, assignee="mia", owners=OWNERS, at=NOW) -> Standin:
    return resolve(target, people=people, owners=owners, assignee=assignee, at=at)


def test_who_is_there_answers_for_themselves():
    assert team().standin("mia", NOW) == Standin("mia")


def test_cover_stands_in_and_says_for_whom_and_why():
    found = team(cover=[cover("mia", "sam", because="parental leave")]).standin("mia", NOW)

    assert found == Standin("sam", "mia", "covers Mia R. (parental leave)")


@pytest.mark.parametrize(
    ("instant", "person"),
    [
        # From 20 to 21 November in New York, which is five hours behind UTC.
        pytest.param("2026-11-20T04:59:00+00:00", "mia", id="the-evening-before"),
        pytest.param("2026-11-20T05:00:00+00:00", "sam", id="first-minute"),
        pytest.param("2026-11-22T04:59:00+00:00", "sam", id="last-minute"),
        pytest.param("2026-11-22T05:00:00+00:00", "mia", id="back-again"),
    ],
)
def test_cover_is_dated_in_the_zone_of_who_is_away(instant, person):
    away = [cover("mia", "sam", "2026-11-20", "2026-11-21")]
    people = team(away, mia={"zone": "America/New_York"}, sam={"zone": "Asia/Tokyo"})

    assert people.standin("mia", datetime.fromisoformat(instant)).person == person


def test_cover_of_cover_is_followed_to_its_end():
    people = team([cover("mia", "sam"), cover("sam", "lee", because="ill")])

    assert people.standin("mia", NOW) == Standin("lee", "mia", "covers Sam R. (ill)")


def test_a_chain_of_cover_that_comes_back_ends_where_it_stands():
    people = team([cover("mia", "sam"), cover("sam", "mia")])

    assert people.standin("mia", NOW).person == "sam"


def test_who_has_left_is_stood_in_for_by_their_manager_and_so_on_up():
    people = team(mia={"last_day": "2026-11-19"}, omar={"last_day": "2026-10-31"})

    found = people.standin("mia", NOW)

    assert found == Standin("dana", "mia", "manager of Omar R., who is not there")


def test_the_last_day_is_still_a_day_of_work():
    people = team(mia={"last_day": "2026-11-20"})

    assert people.standin("mia", NOW).person == "mia"
    assert people.standin("mia", NOW.replace(day=21)).person == "omar"


def test_cover_comes_before_a_manager_when_somebody_has_left():
    people = team([cover("mia", "sam")], mia={"last_day": "2026-11-01"})

    assert people.standin("mia", NOW) == Standin("sam", "mia", "covers Mia R. (leave)")


def test_the_manager_of_who_has_left_may_be_covered_too():
    people = team([cover("omar", "sam")], mia={"last_day": "2026-11-01"})

    assert people.standin("mia", NOW) == Standin("sam", "mia", "covers Omar R. (leave)")


def test_nobody_is_made_up_when_everybody_has_left():
    gone = {"last_day": "2026-11-01"}

    with pytest.raises(UnknownPerson, match=r"nobody is there for Mia R\.: everybody up to Dana R"):
        team(mia=gone, omar=gone, dana=gone).standin("mia", NOW)


def test_a_key_nobody_has_comes_with_the_nearest_one():
    with pytest.raises(UnknownPerson, match=r"'omr'; did you mean 'omar'\?"):
        team().person("omr")


def test_working_hours_are_those_of_the_person():
    people = team(mia={"zone": "Europe/Berlin", "hours": "tue-sat 08:00-16:00", "holidays": "DE"})

    hours = people.hours("mia")

    assert (hours.zone, hours.days, hours.holidays) == ("Europe/Berlin", {1, 2, 3, 4, 5}, "DE")


@pytest.mark.parametrize(
    ("target", "person"),
    [
        pytest.param("mia", "mia", id="person"),
        pytest.param("save-desk", "omar", id="role"),
        pytest.param("business", "dana", id="business-owner"),
        pytest.param("technical", "lee", id="technical-owner"),
        pytest.param("backup", "sam", id="backup-owner"),
        pytest.param(ASSIGNEES_MANAGER, "omar", id="manager-of-the-assignee"),
    ],
)
def test_every_kind_of_name_leads_to_a_person(target, person):
    assert resolved(target, team(roles={"save-desk": "omar"})) == Standin(person)


def test_an_owner_may_be_named_by_role():
    owners = Owners(business="head-of-retention", technical="lee")

    found = resolved("business", team(roles={"head-of-retention": "dana"}), owners=owners)

    assert found == Standin("dana")


def test_an_assignee_without_a_manager_is_passed_over_for_the_business_owner():
    found = resolved(ASSIGNEES_MANAGER, team(), assignee="lee")

    assert found == Standin("dana", None, "business owner; Lee R. has no manager")


def test_a_case_that_nobody_holds_climbs_to_the_business_owner():
    found = resolved(ASSIGNEES_MANAGER, team(), assignee=None)

    assert found == Standin("dana", None, "business owner; nobody holds the case")


def test_the_manager_of_the_assignee_may_be_covered():
    found = resolved(ASSIGNEES_MANAGER, team([cover("omar", "sam")]))

    assert found == Standin("sam", "omar", "covers Omar R. (leave)")


def test_an_owner_who_has_left_is_stood_in_for_by_the_backup_before_any_manager():
    people = team(dana={"last_day": "2026-11-01", "manager": "lee"})

    found = resolved("business", people)

    assert found == Standin("sam", "dana", "backup owner for Dana R., who is not there")


def test_cover_comes_before_the_backup_owner():
    people = team([cover("dana", "mia")], dana={"last_day": "2026-11-01"})

    assert resolved("business", people).person == "mia"


def test_without_a_backup_the_manager_stands_in_for_an_owner():
    people = team(dana={"last_day": "2026-11-01", "manager": "lee"})
    owners = Owners(business="dana", technical="lee")

    assert resolved("business", people, owners=owners).person == "lee"


def test_a_backup_who_has_left_too_is_passed_over():
    gone = {"last_day": "2026-11-01"}

    assert resolved("business", team(dana=gone | {"manager": "lee"}, sam=gone)).person == "lee"


def test_a_decision_without_a_backup_has_nobody_to_name():
    with pytest.raises(UnknownPerson, match="the decision has no backup owner"):
        resolved("backup", team(), owners=Owners(business="dana", technical="lee"))


@pytest.mark.parametrize(
    ("key", "value", "advice"),
    [
        pytest.param("email", "mia at larkfield", "write an address", id="email"),
        pytest.param("slack", "@mia", "member id", id="slack"),
        pytest.param("zone", "London", "IANA time zone", id="zone"),
        pytest.param("hours", "9 to 5", "write it like 'mon-fri", id="hours"),
        pytest.param("holidays", "England", "no public holidays are known", id="holidays"),
        pytest.param("last_day", "soon", "write a date", id="last-day"),
    ],
)
def test_a_person_is_refused_with_what_to_write_instead(key, value, advice):
    with pytest.raises(ValidationError, match=advice):
        Person(**{"name": "Mia", "email": "mia@larkfield.example", key: value})


@pytest.mark.parametrize("key", ["Mia", "mia chen", "business", "assignee.manager", "-mia", ""])
def test_a_key_that_is_taken_or_not_in_lower_case_is_refused(key):
    with pytest.raises(ValidationError):
        People.model_validate({"people": {key: {"name": "Mia", "email": "mia@larkfield.example"}}})


def test_cover_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValidationError, match="begins on 2026-11-20, after it ends on 2026-11-19"):
        Cover.model_validate(cover("mia", "sam", until="2026-11-19"))
