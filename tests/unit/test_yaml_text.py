from contextlib import suppress
from io import StringIO
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from decisions.errors import DefinitionError
from decisions.workspace.yaml_text import LARGEST_FILE, parsed_yaml, read_yaml

BOMB = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    + [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
)


def refused(text: str) -> tuple[int, str]:
    """The line and the text of the one fault of a YAML that is not read."""
    with pytest.raises(DefinitionError) as caught:
        parsed_yaml(text, "file.yaml")
    (fault,) = caught.value.faults
    return fault.line, fault.text


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("NO", "NO", id="country"),
        pytest.param("yes", "yes", id="yes"),
        pytest.param("on", "on", id="on"),
        pytest.param("1:30", "1:30", id="time"),
        pytest.param("2026-12-20", "2026-12-20", id="date"),
        pytest.param("0x1F", "0x1F", id="hexadecimal"),
        pytest.param("1_000", "1_000", id="underscore"),
        pytest.param(".nan", ".nan", id="not-a-number"),
        pytest.param("1e999", "1e999", id="infinity"),
        pytest.param("1" * 19, "1" * 19, id="too-many-digits"),
        pytest.param('"5"', "5", id="quoted-number"),
        pytest.param("'true'", "true", id="quoted-truth"),
        pytest.param("5", 5, id="whole"),
        pytest.param("-2.5e3", -2500.0, id="float"),
        pytest.param("true", True, id="true"),
        pytest.param("False", False, id="false"),
        pytest.param("~", None, id="null"),
        pytest.param("", None, id="empty"),
        pytest.param(">-\n  two\n  lines", "two lines", id="folded"),
        pytest.param("|-\n  two\n  lines", "two\nlines", id="literal"),
        pytest.param("=", "=", id="equals-sign"),
        pytest.param("[1, {b: 2}]", [1, {"b": 2}], id="nested"),
    ],
)
def test_a_value_is_what_yaml_1_2_says_and_texts_stay_texts(written, value):
    assert parsed_yaml(f"a: {written}\n", "file.yaml").content == {"a": value}


def test_every_key_and_item_has_its_line():
    text = parsed_yaml("a:\n  b: 1\n\nc:\n  - 2\n  - d: 3\n", "file.yaml")

    places = [("a",), ("a", "b"), ("c",), ("c", 0), ("c", 1), ("c", 1, "d")]
    assert [text.line(place) for place in places] == [1, 2, 4, 5, 6, 6]


def test_what_is_missing_is_looked_for_where_it_should_be():
    text = parsed_yaml("a:\n  b: 1\nc: 2\n", "file.yaml")

    assert text.line(("c", "x", 3)) == 3
    assert text.line(("x",)) == 1


def test_a_key_that_occurs_again_is_a_fault_and_the_first_one_is_kept():
    text = parsed_yaml("a: 1\nb: 2\na: {c: 3}\n", "file.yaml")

    assert text.content == {"a": 1, "b": 2}
    assert [(each.line, each.text) for each in text.faults] == [
        (3, "the key 'a' occurs again; it stands in line 1 too")
    ]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param("a:\n\tb: 1", 2, "a tab", id="tab"),
        pytest.param("a: 1\n b: 2", 2, "a colon where no value may begin", id="colon"),
        pytest.param("a: [1,\n2", 2, "not YAML", id="open-list"),
        pytest.param("a: 'x", 1, "not YAML", id="open-quote"),
        pytest.param("a: 1\nb: @x", 2, "put text that begins with such", id="at-sign"),
        pytest.param("a: {{ x }}", 1, "put text that begins with { or [ in quotes", id="braces"),
        pytest.param("a: 1\n---\nb: 2", 2, "a second document", id="two-documents"),
        pytest.param("a: &x 1", 1, "anchors and aliases are not read", id="anchor"),
        pytest.param("a: 1\nb: *x", 2, "anchors and aliases are not read", id="alias"),
        pytest.param("&x a: 1", 1, "anchors and aliases are not read", id="anchor-on-a-key"),
        pytest.param("a: !!python/name:os.system x", 1, "tags such as", id="tag"),
        pytest.param("!thing {a: 1}", 1, "tags such as", id="tag-of-a-mapping"),
        pytest.param("a: x\nb: \x01", 2, "a control character", id="control-character"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text, line, reason):
    found = refused(text)

    assert found[0] == line
    assert reason in found[1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(BOMB, "anchors and aliases", id="alias-bomb"),
        pytest.param("[" * 20_000, "nested more than 20 deep", id="brackets"),
        pytest.param("- " * 100_000, "nested more than 20 deep", id="dashes"),
        pytest.param("{a: " * 10_000, "nested more than 20 deep", id="mappings"),
    ],
)
def test_what_is_made_to_exhaust_the_reader_is_refused(text, reason):
    assert reason in refused(text)[1]


@pytest.mark.parametrize(
    ("count", "is_read"), [pytest.param(99, True, id="just"), pytest.param(100, False, id="over")]
)
def test_so_many_values_are_read_and_not_one_more(count, is_read):
    text = f"[{', '.join(['x'] * count)}]"

    if is_read:
        assert len(parsed_yaml(text, "file.yaml", most_values=100).content) == count
    else:
        with pytest.raises(DefinitionError, match="more than 100 values; split the file"):
            parsed_yaml(text, "file.yaml", most_values=100)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(10 * LARGEST_FILE)
    began = process_time()

    with pytest.raises(DefinitionError, match=r"10,000,000 bytes; a file of at most 1,000,000"):
        read_yaml(path, "huge.yaml")

    assert process_time() - began < 0.5


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        pytest.param(b"a: 1\nb: \xff\n", 2, "byte 0xff is not UTF-8", id="latin-1"),
        pytest.param("a: 1\n".encode("utf-16"), 1, "is not UTF-8", id="utf-16"),
    ],
)
def test_a_file_that_is_not_utf_8_is_refused_at_its_line(tmp_path, content, line, reason):
    path = tmp_path / "file.yaml"
    path.write_bytes(content)

    with pytest.raises(DefinitionError) as caught:
        read_yaml(path, "file.yaml")

    assert caught.value.faults[0].line == line
    assert reason in caught.value.faults[0].text


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "file.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")

    assert read_yaml(path, "file.yaml").content == {"a": 1, "b": 2}


def test_a_folder_that_is_named_like_a_file_is_no_file(tmp_path):
    (tmp_path / "file.yaml").mkdir()

    with pytest.raises(DefinitionError, match="not a file"):
        read_yaml(tmp_path / "file.yaml", "file.yaml")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DefinitionError, match="cannot be read: No such file"):
        read_yaml(tmp_path / "file.yaml", "file.yaml")


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("ab:-[]{}#&*!|>'\"%@`?,\n\t ~0.\x07é\ud7ff"), max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text):
    with suppress(DefinitionError):
        parsed_yaml(text, "file.yaml")


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abNO:{ é", max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_what_a_yaml_writer_writes_is_read_back(content):
    written = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.representer.ignore_aliases = lambda _: True
    yaml.dump({"content": content}, written)

    assert parsed_yaml(written.getvalue(), "file.yaml").content == {"content": content}
