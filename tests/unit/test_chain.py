import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.canonical import sha256
from decisions.ledger.chain import leaf, merkle_root, seal_hash, written
from tests.samples import MONDAY

TEXTS = ["mia.chen", None, "acknowledged", "CSC-1", '{"after":"acknowledged"}']


@pytest.mark.parametrize("place", range(5))
def test_an_entrys_hash_covers_every_part(place):
    changed = [*TEXTS]
    changed[place] = f"{TEXTS[place]}."

    assert leaf(MONDAY, changed) != leaf(MONDAY, TEXTS)


def test_two_texts_cannot_pose_as_one():
    assert leaf(MONDAY, ["ab", "", "c", "d", "e"]) != leaf(MONDAY, ["a", "b", "c", "d", "e"])


def test_sql_hashes_an_entry_as_python_does():
    parts = [written(MONDAY), *(text or "" for text in TEXTS)]
    joined = " || ".join("sha256(?)" for _ in parts)

    hashed = duckdb.execute(f"SELECT sha256({joined})", parts).fetchall()[0][0]

    assert hashed == leaf(MONDAY, TEXTS)


def test_the_root_of_one_leaf_is_the_leaf():
    assert merkle_root(["ab" * 32]) == "ab" * 32


def test_the_root_of_three_leaves_pairs_the_first_two():
    a, b, c = (sha256(text) for text in "abc")

    assert merkle_root([a, b, c]) == sha256(sha256(a + b) + c)


@given(st.lists(st.sampled_from(list(map(sha256, "abcdef"))), min_size=2, unique=True))
def test_the_root_depends_on_the_order_of_leaves(leaves):
    swapped = [leaves[1], leaves[0], *leaves[2:]]

    assert merkle_root(swapped) != merkle_root(leaves)


def test_a_seal_covers_the_seal_before_it():
    one = seal_hash(2, MONDAY, 1, "root", "before")

    assert seal_hash(2, MONDAY, 1, "root", "another") != one
