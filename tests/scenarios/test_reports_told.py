from flows.report import report


def verdicts(world, person):
    return [line for line in world.heard_by(person) if "Did it work?" in line]


def told(world):
    from flows.dispatch import dispatch

    world.runs(dispatch)
    return {
        person: verdicts(world, person)
        for person in ("dana.reyes", "lee.park", "omar.haddad", "mia.chen", "sam.ortiz")
    }


LINE = ["Did it work? November 2026: churn-save-call: no effect can be claimed"]


def test_owners_and_whom_the_definition_names_hear_the_verdict_once(world):
    world.decides(report={"to": ["mia.chen"]})
    world.opens("acme")
    told(world)

    world.runs(report)
    world.runs(report)

    assert told(world) == {
        "dana.reyes": LINE,
        "lee.park": LINE,
        "omar.haddad": [],
        "mia.chen": LINE,
        "sam.ortiz": [],
    }


def test_a_new_month_is_told_anew(world):
    world.opens("acme")
    world.runs(report)
    told(world)

    world.forward(days=20)
    world.runs(report)

    assert told(world)["dana.reyes"] == [LINE[0].replace("November", "December")]


def test_a_decision_that_never_ran_is_told_to_nobody(world):
    world.runs(report)

    assert told(world)["dana.reyes"] == []
