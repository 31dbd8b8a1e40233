"""Whether ``people.yaml`` contradicts itself: unknown keys, circles, two covers at a time."""

from collections.abc import Iterator, Mapping

from decisions.errors import Place
from decisions.ownership import LONGEST_COVER_CHAIN, Cover, People
from decisions.suggestions import choices


def contradictions(people: People) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong between the parts of ``people.yaml``: where, and what.

    Unknown keys, people and roles of one name, loops of managers, two covers of one person at a
    time, and chains of cover that lead back or are too long.
    """
    yield from _unknown_keys(people)
    yield from _management_loops(people)
    yield from _overlapping_cover(people)
    yield from _endless_cover(people)


def _unknown_keys(people: People) -> Iterator[tuple[Place, str]]:
    roles = people.roles
    named: list[tuple[Place, str | None]] = [
        *((("people", key, "manager"), person.manager) for key, person in people.people.items()),
        *((("roles", role), key) for role, key in roles.items()),
        *((("operators", i), roles.get(each, each)) for i, each in enumerate(people.operators)),
        *((("cover", i, "of"), each.of) for i, each in enumerate(people.cover)),
        *((("cover", i, "by"), each.by) for i, each in enumerate(people.cover)),
    ]
    for place, key in named:
        if key and key not in people.people:
            yield place, f"nobody is called {key!r}; {choices(key, people.people)}"
    for role in people.roles:
        if role in people.people:
            yield ("roles", role), f"{role!r} is a person as well; a role needs a name of its own"


def _management_loops(people: People) -> Iterator[tuple[Place, str]]:
    managers = {key: person.manager for key, person in people.people.items() if person.manager}
    reported: set[str] = set()
    for key in managers:
        loop = _loop(key, managers)
        if loop and not reported & set(loop):
            reported |= set(loop)
            yield ("people", loop[0], "manager"), f"managers in a circle: {_arrows(loop)}"


def _overlapping_cover(people: People) -> Iterator[tuple[Place, str]]:
    dated = _dated_cover(people)
    for position, (i, later) in enumerate(dated):
        for _, earlier in dated[:position]:
            overlaps = later.begins_on <= earlier.until and earlier.begins_on <= later.until
            if later.of and later.of == earlier.of and overlaps:
                both = f"by {earlier.by!r} until {earlier.until}, by {later.by!r}"
                yield ("cover", i), f"{both} from {later.begins_on}: {later.of!r} is covered twice"


def _endless_cover(people: People) -> Iterator[tuple[Place, str]]:
    """Judge the cover of every first day: between two first days chains only get shorter."""
    dated = _dated_cover(people)
    reported: set[str] = set()
    for i, cover in dated:
        at = cover.begins_on
        by = {each.of: each.by for _, each in dated if each.begins_on <= at <= each.until}
        loop, chain = _loop(cover.of, by), _chain(cover.of, by)
        if loop and not reported & set(loop):
            reported |= set(loop)
            yield ("cover", i), f"cover in a circle from {at} on: {_arrows(loop)}"
        elif not loop and len(chain) > LONGEST_COVER_CHAIN + 1:
            most = f"more than {LONGEST_COVER_CHAIN} stand-ins in a row"
            yield ("cover", i), f"{most} from {at} on: {_arrows(chain)}"


def _dated_cover(people: People) -> list[tuple[int, Cover]]:
    """Return the covers whose dates could be read, with their positions."""
    return [(i, each) for i, each in enumerate(people.cover) if each.begins_on and each.until]


def _chain(key: str, following: Mapping[str, str]) -> list[str]:
    """Return the keys from one on, each followed by the next, until one is last or comes again."""
    chain = [key]
    while (key := following.get(key, "")) and key not in chain:
        chain.append(key)
    return chain


def _loop(key: str, following: Mapping[str, str]) -> list[str]:
    """Return the circle a chain runs into, its first key repeated at the end; empty for none."""
    chain = _chain(key, following)
    again = following.get(chain[-1])
    return [*chain[chain.index(again) :], again] if again in chain else []


def _arrows(chain: list[str]) -> str:
    return " → ".join(chain)
