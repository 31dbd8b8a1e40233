"""The fault catalogue and the tests agree."""

from tests.catalogue import faults, proofs, written


def test_every_fault_is_in_the_catalogue_once_with_a_test():
    assert list(faults()) == [f"F{n}" for n in range(1, 45)]
    assert [number for number, names in faults().items() if not any(names)] == []


def test_every_test_that_the_catalogue_names_exists():
    assert sorted(proofs().keys() - written()) == []
