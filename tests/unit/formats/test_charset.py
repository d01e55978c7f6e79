"""The x character set, and narratives that always fit their notation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.formats.iso15022.charset import X_BYTES, narrative, outside_x, to_x
from pg_bridge.formats.iso15022.rules import compile_format


def test_the_set_has_the_characters_of_the_standard():
    letters, digits = 26 + 26, 10

    # / - ? : ( ) . , ' + and the space, and CR and LF
    assert letters + digits + 11 + 2 == len(set(X_BYTES))
    assert len(X_BYTES) == len(set(X_BYTES))


def test_bytes_and_characters_agree():
    for number in range(256):
        assert (bytes([number]) in X_BYTES) == (not outside_x(chr(number))), number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ("plain", False)),
        ("HOLD_OWN", ("HOLD.OWN", True)),
        ("a\tb\r\n c", ("a b c", False)),
        ("港交所", ("...", True)),
        ("{5:}", (".5:.", True)),
        ("  ", ("", False)),
    ],
)
def test_to_x(text: str, expected: tuple[str, bool]):
    assert expected == to_x(text)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ("", False)),
        (["", ""], ("", False)),
        (["A", "", "B"], ("A\r\nB", False)),
        (["one two three"], ("one two\r\nthree", False)),
        (["abcdefghij"], ("abcdefgh\r\nij", False)),
        (["A", "B", "C", "D"], ("A\r\nB\r\nC", True)),
        ([":20C:"], (".20C:", False)),
        (["-}"], ("..", False)),
        (["a_b"], ("a.b", False)),
        (["well-known"], ("well-kno\r\nwn", False)),
    ],
)
def test_narrative_of_3_lines_of_8(lines: list[str], expected: tuple[str, bool]):
    assert expected == narrative(lines, 3, 8)


@given(st.lists(st.text(max_size=120), max_size=8))
def test_any_narrative_fits_its_format(lines: list[str]):
    text, _ = narrative(lines, 6, 35)

    assert text == "" or compile_format("6*35x").fullmatch(text)


@given(st.lists(st.text(alphabet="AB c/", max_size=20), max_size=3))
def test_what_is_not_cut_off_is_there(lines: list[str]):
    text, cut = narrative(lines, 6, 35)

    assert not cut
    assert " ".join(lines).split() == text.split()
