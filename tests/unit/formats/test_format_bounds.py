"""No notation makes a pattern that explodes: it is refused, or tells within a moment that nothing fits."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.formats.iso15022.rules import FormatError, compile_format

EXPLODING = [
    "[1x]" * 30,
    "[35x]" * 8,
    "35x35x35x35x",
    "35x/35x/35x/35x",
    "10*35x" * 3,
    "[[[[35x]35x]35x]35x]",
    "[16x[16x[16x[16x[16x]]]]]",
    "[1x|2x]" * 20,
    "15d15d15d15d15d",
    "[" * 200,
    "[" * 300 + "]" * 300,
    "9" * 150 + "x",
    "9999999x",
    "99999*35x",
    "٣x",
    "1x" * 5000,
]
USUAL = [
    "16x", "4!c", "8!n", "15d", "3!a15d", "UNIT/15d", "10*35x", "4*35x", "[ISIN1!a12!c]CRLF[4*35x]",
    "[/1!a][/34x]CRLF4!a2!a2!c[3!c]", "8!c[3!c]", "ISIN 12!c|/HK/5!n|ISIN 12!cCRLF/HK/5!n", "[N]3!n", "1!a8!n",
    "[/34x]CRLF4*35x", "16x/16x", "5n[/2n]", "4!c/[8c]/4!c", "3!c//6!c/4!n", "140*65x", "9999x", "[1!n][1!n][1!n][1!n]",
]  # fmt: skip
SIGNS = ["A", "1", "/", " ", "A1", "1,", "A\r\n", "\r\n", "AA/", "ISIN ", "\0", "é"]


def worst_s(fits, lengths=(29, 35, 150, 1000, 10_000)) -> float:
    """The longest that any adversarial value takes, in seconds."""
    worst = 0.0
    for sign in SIGNS:
        for length in lengths:
            for end in ("", "!", "\r", "\r\n-", "{"):
                value = sign * (length // len(sign)) + end
                began = time.process_time()
                fits(value)
                worst = max(worst, time.process_time() - began)
    return worst


@pytest.mark.parametrize("notation", EXPLODING)
def test_a_notation_that_explodes_is_refused_or_quick(notation: str) -> None:
    began = time.process_time()
    try:
        fits = compile_format(notation).fullmatch
    except FormatError:
        assert 0.1 > time.process_time() - began
        return

    assert 0.5 > worst_s(fits)


@pytest.mark.parametrize("notation", ["[1x]" * 30, "35x35x35x35x", "[[[[35x]35x]35x]35x]", "10*35x" * 3, "99*(35x35x)"])
def test_the_worst_are_refused(notation: str) -> None:
    with pytest.raises(FormatError, match="too many ways"):
        compile_format(notation)


@pytest.mark.parametrize("notation", USUAL)
def test_what_the_standard_writes_is_taken_and_quick(notation: str) -> None:
    assert 0.05 > worst_s(compile_format(notation).fullmatch)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["1x", "35x", "16x", "4!c", "[", "]", "|", "10*35x", "15d", "CRLF", "/", "9n", "1!a", "50*(", ")"]
        ),
        max_size=30,
    )
)
def test_any_notation_is_refused_or_quick(pieces: list[str]) -> None:
    try:
        fits = compile_format("".join(pieces)).fullmatch
    except FormatError:
        return

    assert 0.5 > worst_s(fits, lengths=(29, 150, 1000))
