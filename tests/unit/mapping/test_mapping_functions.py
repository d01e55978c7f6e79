"""The table of functions: its examples, its options, and the laws of those that say they are lossless."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.formats.iso15022.rules import compile_format
from pg_bridge.mapping.conversions import Cut
from pg_bridge.mapping.functions import FUNCTIONS, Example, option_faults

OCP = [(name, each) for name, function in FUNCTIONS.items() for each in function.ocp_examples]
LEGACY = [(name, each) for name, function in FUNCTIONS.items() for each in function.legacy_examples]


@pytest.mark.parametrize(("name", "example"), OCP)
def test_example_to_ocp(name: str, example: Example) -> None:
    make = FUNCTIONS[name].to_ocp

    assert make is not None
    assert example.result == make(example.options)(example.sources)


@pytest.mark.parametrize(("name", "example"), LEGACY)
def test_example_to_legacy(name: str, example: Example) -> None:
    make = FUNCTIONS[name].to_legacy

    assert make is not None
    written = make(example.options)(example.sources)
    assert example.result == written
    assert type(example.result) is type(written)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_meaning_and_examples_of_each_direction(name: str) -> None:
    function = FUNCTIONS[name]

    assert function.meaning
    assert bool(function.to_ocp) == bool(function.ocp_examples)
    assert bool(function.to_legacy) == bool(function.legacy_examples)
    for example in (*function.ocp_examples, *function.legacy_examples):
        assert [] == option_faults(name, example.options)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("quantity", {}, "needs the option unit"),
        ("quantity", {"unit": 7}, "must be a text"),
        ("date", {"unit": "x"}, "has no option unit"),
        ("words", {"count": 0, "width": 35}, "must be a whole number from 1"),
        ("words", {"count": True, "width": 35}, "must be a whole number from 1"),
        ("money", {"decimals": {"HKD": "2"}}, "must be a table of whole numbers"),
    ],
)
def test_wrong_options_are_told(name: str, options: dict[str, object], told: str) -> None:
    (fault,) = option_faults(name, options)

    assert told in fault


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("quantity", {"unit": "UNIT/"}, "FAMT/1000,"),
        ("quantity", {"unit": "UNIT/"}, "UNIT/1,5"),
        ("money", {"decimals": {"HKD": 2}}, "EUR1,"),
        ("money", {"decimals": {"HKD": 2}}, "HKD1,234"),
        ("flag", {"yes": "Y", "no": "N"}, "X"),
    ],
)
def test_what_cannot_be_converted_raises_with_words(name: str, options: dict[str, object], text: str) -> None:
    make = FUNCTIONS[name].to_ocp

    assert make is not None
    with pytest.raises(ValueError, match=r"\w+"):
        make(options)((text,))


def there_and_back(name: str, options: dict[str, object], *values: object) -> tuple[object, ...]:
    """Values of a document, written as a field and read again."""
    function = FUNCTIONS[name]
    assert function.to_legacy is not None
    assert function.to_ocp is not None
    return function.to_ocp(options)((function.to_legacy(options)(values),))


@given(st.dates(min_value=date(1000, 1, 1)))
@settings(max_examples=100)
def test_date_is_lossless(day: date) -> None:
    assert (day.isoformat(),) == there_and_back("date", {}, day.isoformat())


@given(st.integers(0, 10**11))
@settings(max_examples=100)
def test_quantity_is_lossless(quantity: int) -> None:
    assert (quantity,) == there_and_back("quantity", {"unit": "UNIT/"}, quantity)


@given(st.sampled_from([("HKD", 2), ("JPY", 0), ("BHD", 3)]), st.integers(0, 10**14))
@settings(max_examples=100)
def test_money_is_lossless(currency: tuple[str, int], minor: int) -> None:
    name, places = currency
    digits = str(minor).rjust(places + 1, "0")
    amount = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    options = {"decimals": {"HKD": 2, "JPY": 0, "BHD": 3}}

    assert (name, amount) == there_and_back("money", options, name, amount)


@given(
    st.one_of(st.none(), st.from_regex(r"[A-Z]{2}[A-Z0-9]{9}[0-9]", fullmatch=True)),
    st.one_of(st.none(), st.from_regex(r"[0-9]{5}", fullmatch=True)),
)
@settings(max_examples=100)
def test_security_is_lossless(isin: str | None, stock_code: str | None) -> None:
    options = {"isin": "ISIN ", "local": "/HK/"}

    assert (isin, stock_code) == there_and_back("security", options, isin, stock_code)


WORDS = compile_format("6*35x")


@given(st.lists(st.one_of(st.none(), st.text(max_size=120), st.booleans(), st.integers()), max_size=8))
@settings(max_examples=300)
def test_words_always_fit_their_field(values: list[object]) -> None:
    """Whatever OCP says, the narrative is of the format 6*35x, and a cut is marked as one."""
    make = FUNCTIONS["words"].to_legacy
    assert make is not None

    written = make({"count": 6, "width": 35})(values)

    assert written is None or WORDS.fullmatch(written)
    assert not isinstance(written, Cut) or written.count("\r\n") == 5
