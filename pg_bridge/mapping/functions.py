"""The named functions that rules may use: one explicit table, each with its inverse or None, and examples.

`to_ocp` takes the texts of the rule's sources (None where absent) and gives one value a target; `to_legacy` takes
values of documents and gives one text, or None to write nothing. Both raise ValueError with words for a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pg_bridge.formats.iso15022.charset import narrative

ToOcp = Callable[[Sequence[str | None]], tuple[Any, ...]]
ToLegacy = Callable[[Sequence[Any]], str | None]

#: decimals of a currency (ISO 4217) where they are not 2
_DECIMALS = {"JPY": 0, "KRW": 0}
_SI_NUMBER = re.compile(r"[A-Z][0-9]{8}")


@dataclass(frozen=True, slots=True)
class Function:
    """One named function. examples: (sources, targets) of `to_ocp`; to_legacy_examples: (sources, text)."""

    meaning: str
    to_ocp: ToOcp | None = None
    to_legacy: ToLegacy | None = None
    examples: tuple[tuple[tuple[str | None, ...], tuple[Any, ...]], ...] = ()
    to_legacy_examples: tuple[tuple[tuple[Any, ...], str | None], ...] = field(default=())
    is_lossless: bool = True


def _date_to_ocp(values: Sequence[str | None]) -> tuple[Any, ...]:
    value = values[0]
    return (None,) if value is None else (f"{value[:4]}-{value[4:6]}-{value[6:]}",)


def _date_to_legacy(values: Sequence[Any]) -> str | None:
    return None if values[0] is None else str(values[0])[:10].replace("-", "")


def _quantity_to_ocp(values: Sequence[str | None]) -> tuple[Any, ...]:
    value = values[0]
    if value is None:
        return (None,)
    whole = value.rpartition("/")[2].partition(",")[0]
    return (int(whole),)


def _quantity_to_legacy(values: Sequence[Any]) -> str | None:
    return None if values[0] is None else f"UNIT/{int(values[0])},"


def _money_to_ocp(values: Sequence[str | None]) -> tuple[Any, ...]:
    value = values[0]
    if value is None:
        return (None, None)
    currency, number = value[:3], value[3:]
    whole, _, part = number.partition(",")
    decimals = _DECIMALS.get(currency, 2)
    if len(part.rstrip("0")) > decimals:
        raise ValueError(f"{currency} has {decimals} decimals, {number} has more")
    whole = whole.lstrip("0") or "0"
    return (currency, f"{whole}.{part.rstrip('0').ljust(decimals, '0')}" if decimals else whole)


def _money_to_legacy(values: Sequence[Any]) -> str | None:
    currency, amount = values[0], values[1]
    if currency is None or amount is None:
        return None
    whole, _, part = str(amount).partition(".")
    return f"{currency}{whole},{part}"


def _security_to_ocp(values: Sequence[str | None]) -> tuple[Any, ...]:
    value = values[0]
    if value is None:
        return (None, None)
    isin = stock = None
    for line in value.split("\r\n"):
        if line.startswith("ISIN "):
            isin = line[5:]
        else:
            stock = line.rpartition("/")[2]
    return (isin, stock)


def _security_to_legacy(values: Sequence[Any]) -> str | None:
    isin, stock = values[0], values[1]
    lines = ([f"ISIN {isin}"] if isin else []) + ([f"/HK/{stock}"] if stock else [])
    return "\r\n".join(lines) or None


def _stock_code(values: Sequence[str | None]) -> tuple[Any, ...]:
    # A security without a stock code falls to the table's default.
    return (_security_to_ocp(values)[1] or "",)


def _lines_to_ocp(values: Sequence[str | None]) -> tuple[Any, ...]:
    value = values[0]
    return (None,) if value is None else (value.replace("\r\n", "\n"),)


def _lines_to_legacy(values: Sequence[Any]) -> str | None:
    return None if values[0] is None else narrative(str(values[0]).split("\n"), 10, 35)[0] or None


def _flag_to_ocp(values: Sequence[str | None]) -> tuple[Any, ...]:
    return (values[0] == "true",)


def _flag_to_legacy(values: Sequence[Any]) -> str | None:
    return "true" if values[0] else "false"


def _reference_asked(values: Sequence[str | None]) -> tuple[Any, ...]:
    linked, related = values[0], values[1]
    if linked is None and related is None:
        raise ValueError("name the SI input number or the reference of the SI that is asked for")
    if linked is not None and _SI_NUMBER.fullmatch(linked):
        return (linked, related)
    if linked is not None and related is not None and linked != related:
        raise ValueError(f"two different references are asked for: {linked} and {related}")
    return (None, linked or related)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _words(values: Sequence[Any]) -> str | None:
    """Lines of a 70D: each source a line of its own, 6*35x."""
    return narrative([_text(value) for value in values], 6, 35)[0] or None


def _status_words(values: Sequence[Any]) -> str | None:
    status, reason, text, snapshot = values[:4]
    first = f"{status} SNAPSHOT" if snapshot is True else _text(status)
    return narrative([first, _text(reason), _text(text)], 6, 35)[0] or None


def _status_words_of_both(values: Sequence[Any]) -> str | None:
    status, reason, text, snapshot, own, other = values
    first = f"{status} SNAPSHOT" if snapshot is True else _text(status)
    return narrative([first, _text(reason), f"BY {own} AND {other}", _text(text)], 6, 35)[0] or None


def words_are_cut(function: str, values: Sequence[Any]) -> bool:
    """Whether the narrative of a words function loses something of its sources."""
    lines = [_text(value) for value in values if not isinstance(value, bool)]
    return function in _WORDS and narrative(lines, 6, 35)[1]


_WORDS = frozenset({"words", "status_words", "status_words_of_both"})

FUNCTIONS: dict[str, Function] = {
    "date": Function(
        "YYYYMMDD <-> YYYY-MM-DD",
        _date_to_ocp,
        _date_to_legacy,
        (((("20261123",)), ("2026-11-23",)), ((None,), (None,))),
        (((("2026-11-23",)), "20261123"), ((None,), None)),
    ),
    "quantity": Function(
        "UNIT/1000, <-> 1000",
        _quantity_to_ocp,
        _quantity_to_legacy,
        ((("UNIT/1000,",), (1000,)), (("UNIT/5,00",), (5,))),
        (((1000,), "UNIT/1000,"),),
    ),
    "money": Function(
        "HKD12345,67 <-> currency and decimal text with the currency's own decimals",
        _money_to_ocp,
        _money_to_legacy,
        ((("HKD12345,67",), ("HKD", "12345.67")), (("HKD5,",), ("HKD", "5.00")), (("JPY5,",), ("JPY", "5"))),
        ((("HKD", "12345.67"), "HKD12345,67"), ((None, None), None)),
    ),
    "security": Function(
        "35B <-> ISIN and stock code",
        _security_to_ocp,
        _security_to_legacy,
        (
            (("ISIN HK0005000002\r\n/HK/00005",), ("HK0005000002", "00005")),
            (("/HK/00005",), (None, "00005")),
        ),
        ((("HK0005000002", "00005"), "ISIN HK0005000002\r\n/HK/00005"), ((None, "00005"), "/HK/00005")),
    ),
    "stock_code": Function(
        "35B -> stock code, empty where it has none",
        _stock_code,
        None,
        ((("ISIN HK0005000002\r\n/HK/00005",), ("00005",)), (("ISIN HK0005000002",), ("",))),
    ),
    "lines": Function(
        "narrative lines <-> one text with line feeds",
        _lines_to_ocp,
        _lines_to_legacy,
        ((("A\r\nB",), ("A\nB",)),),
        ((("A\nB",), "A\r\nB"),),
    ),
    "flag": Function(
        "true or false as text <-> boolean",
        _flag_to_ocp,
        _flag_to_legacy,
        ((("true",), (True,)), (("false",), (False,))),
        (((True,), "true"),),
    ),
    "reference_asked": Function(
        "an SI input number (a letter and 8 digits) or a reference -> the one that it is",
        _reference_asked,
        None,
        ((("I12345678", None), ("I12345678", None)), (("B0123400001", None), (None, "B0123400001"))),
    ),
    "words": Function(
        "texts -> narrative 6*35x, each from a new line",
        None,
        _words,
        (),
        ((("A", "B"), "A\r\nB"), ((None,), None)),
        is_lossless=False,
    ),
    "status_words": Function(
        "status, reason, text, snapshot -> narrative 6*35x",
        None,
        _status_words,
        (),
        (((("MATCHED", "HOLD_OWN", None, True)), "MATCHED SNAPSHOT\r\nHOLD.OWN"),),
        is_lossless=False,
    ),
    "status_words_of_both": Function(
        "as status_words, with both participants named",
        None,
        _status_words_of_both,
        (),
        (((("REVOKED", "BY_BOTH", None, False, "B01234", "C00019")), "REVOKED\r\nBY.BOTH\r\nBY B01234 AND C00019"),),
        is_lossless=False,
    ),
}
