"""The named functions that rules may use: one explicit table, each with its inverse or None, and examples.

A rule binds a function to its `options` when it is loaded. The examples are run as tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pg_bridge.mapping import conversions as c
from pg_bridge.mapping import numbers as n
from pg_bridge.mapping.conversions import Cut, Options, ToLegacy, ToOcp


@dataclass(frozen=True, slots=True)
class Example:
    """`sources` become `targets` by `to_ocp`, or a text by `to_legacy`."""

    sources: tuple[Any, ...]
    result: Any
    options: Options = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Function:
    """One named function.

    options: what a rule must say besides, name to type. members: how many members of a document it makes or takes
    (0: any number). Where it takes one value, the first source that has one counts. is_before_codes: seen from the
    legacy side, it finds the key of the code table; otherwise it takes the table's result. is_lossless: the inverse
    gives the same value back. is_repeated: messages bring few different values, so that results are worth remembering.
    widest: for a function that makes texts, the most characters that it makes for OCP of so many of a field.
    """

    meaning: str
    to_ocp: Callable[[Options], ToOcp] | None
    to_legacy: Callable[[Options], ToLegacy] | None
    options: Mapping[str, type] = field(default_factory=dict)
    members: int = 1
    is_before_codes: bool = False
    is_lossless: bool = True
    is_repeated: bool = True
    widest: Callable[[Options, int], int] | None = None
    ocp_examples: tuple[Example, ...] = ()
    legacy_examples: tuple[Example, ...] = ()


_UNIT = {"unit": "UNIT/"}
_DECIMALS = {"decimals": {"HKD": 2, "JPY": 0}}
_SECURITY = {"isin": "ISIN ", "local": "/HK/"}
_LINES = {"count": 3, "width": 10}
_KEYED = {"before": "K/", "count": 3, "width": 8}
_ROWS = {"before": "K/", "members": ["number", "text"], "between": "/", "width": 9}
_YES = {"yes": "Y", "no": "N"}
_NUMBERED = {"before": "I", "width": 8}
_SECURITY_NUMBER = {**_SECURITY, "width": 5}
_AND = {"first": "BY ", "between": " AND "}

FUNCTIONS: dict[str, Function] = {
    "date": Function(
        "YYYYMMDD <-> YYYY-MM-DD; of a time its day",
        c.date_to_ocp,
        c.date_to_legacy,
        ocp_examples=(Example(("20261123",), ("2026-11-23",)), Example((None,), (None,))),
        legacy_examples=(
            Example(("2026-11-23",), "20261123"),
            Example(("2026-11-23T23:59:59.000+08:00",), "20261123"),
            Example((None,), None),
        ),
    ),
    "date_range": Function(
        "YYYYMMDD/YYYYMMDD <-> first and last day, YYYY-MM-DD",
        c.date_range_to_ocp,
        c.date_range_to_legacy,
        members=2,
        is_lossless=False,  # a range that is open on one side cannot be written
        ocp_examples=(
            Example(("20261120/20261123",), ("2026-11-20", "2026-11-23")),
            Example((None,), (None, None)),
        ),
        legacy_examples=(
            Example(("2026-11-20", "2026-11-23"), "20261120/20261123"),
            Example((None, "2026-11-23"), None),
        ),
    ),
    "quantity": Function(
        "unit and a whole number with its comma <-> integer",
        c.quantity_to_ocp,
        c.quantity_to_legacy,
        is_repeated=False,
        options={"unit": str},
        ocp_examples=(
            Example(("UNIT/1000,",), (1000,), _UNIT),
            Example(("UNIT/5,00",), (5,), _UNIT),
            Example((None,), (None,), _UNIT),
        ),
        legacy_examples=(Example((1000,), "UNIT/1000,", _UNIT), Example((None,), None, _UNIT)),
    ),
    "money": Function(
        "currency and number with a comma <-> currency, and decimal text with the currency's own decimals",
        c.money_to_ocp,
        c.money_to_legacy,
        is_repeated=False,
        options={"decimals": dict},
        members=2,
        ocp_examples=(
            Example(("HKD12345,67",), ("HKD", "12345.67"), _DECIMALS),
            Example(("HKD0005,",), ("HKD", "5.00"), _DECIMALS),
            Example(("HKD,50",), ("HKD", "0.50"), _DECIMALS),
            Example(("JPY5,00",), ("JPY", "5"), _DECIMALS),
            Example((None,), (None, None), _DECIMALS),
        ),
        legacy_examples=(
            Example(("HKD", "12345.67"), "HKD12345,67", _DECIMALS),
            Example(("JPY", "5"), "JPY5,", _DECIMALS),
            Example((None, None), None, _DECIMALS),
        ),
    ),
    "security": Function(
        "lines of an identification <-> ISIN and local code, each where it is there",
        c.security_to_ocp,
        c.security_to_legacy,
        options={"isin": str, "local": str},
        members=2,
        ocp_examples=(
            Example(("ISIN HK0005000002\r\n/HK/00005",), ("HK0005000002", "00005"), _SECURITY),
            Example(("/HK/00005",), (None, "00005"), _SECURITY),
            Example(("ISIN HK0005000002",), ("HK0005000002", None), _SECURITY),
        ),
        legacy_examples=(
            Example(("HK0005000002", "00005"), "ISIN HK0005000002\r\n/HK/00005", _SECURITY),
            Example((None, "00005"), "/HK/00005", _SECURITY),
            Example((None, None), None, _SECURITY),
        ),
    ),
    "local_code": Function(
        "lines of an identification -> local code, the key of a table; empty where there is none",
        c.local_code_to_ocp,
        None,
        options={"local": str},
        is_before_codes=True,
        is_lossless=False,
        ocp_examples=(
            Example(("ISIN HK0005000002\r\n/HK/00005",), ("00005",), {"local": "/HK/"}),
            Example(("ISIN HK0005000002",), ("",), {"local": "/HK/"}),
        ),
    ),
    "lines": Function(
        "lines of a narrative <-> one text with line feeds; too long a line goes on in the next",
        c.lines_to_ocp,
        c.lines_to_legacy,
        is_repeated=False,
        widest=c.widest_lines,
        options={"count": int, "width": int},
        ocp_examples=(Example(("A\r\nB",), ("A\nB",), _LINES), Example((None,), (None,), _LINES)),
        legacy_examples=(Example(("A\nB",), "A\r\nB", _LINES), Example((None,), None, _LINES)),
    ),
    "words": Function(
        "texts -> narrative, each from a new line; characters outside x become `.`; the end is cut",
        None,
        c.words_to_legacy,
        options={"count": int, "width": int},
        members=0,
        is_lossless=False,
        legacy_examples=(
            Example(("MATCHED", None, "HOLD_OWN"), "MATCHED\r\nHOLD.OWN", _LINES),
            Example(("ONE TWO THREE FOUR",), "ONE TWO\r\nTHREE FOUR", _LINES),
            Example(("1\n2\n3\n4",), Cut("1\r\n2\r\n3"), _LINES),
            Example((None,), None, _LINES),
        ),
    ),
    "keyed_line": Function(
        "of several lines, what stands behind `before` in the first that begins so",
        c.keyed_line_to_ocp,
        None,
        options={"before": str},
        is_lossless=False,
        ocp_examples=(
            Example(("K/ONE\r\nL/TWO",), ("TWO",), {"before": "L/"}),
            Example((None,), (None,), {"before": "L/"}),
        ),
    ),
    "keyed_date": Function(
        "the same of a day, YYYYMMDD -> YYYY-MM-DD",
        c.keyed_date_to_ocp,
        None,
        options={"before": str},
        is_lossless=False,
        ocp_examples=(
            Example(("K/ONE\r\nD/20261123",), ("2026-11-23",), {"before": "D/"}),
            Example((None,), (None,), {"before": "D/"}),
        ),
    ),
    "keyed_lines": Function(
        "one text -> lines, each behind `before`, at spaces where it is too long; more lines than `count` are refused",
        None,
        c.keyed_lines_to_legacy,
        options={"before": str, "count": int, "width": int},
        is_lossless=False,
        is_repeated=False,
        legacy_examples=(
            Example(("ONE TWO THREE\nFOUR",), "K/ONE TWO\r\nK/THREE\r\nK/FOUR", _KEYED),
            Example(("ONE\n\nTWO",), "K/ONE\r\nK/ \r\nK/TWO", _KEYED),
            Example((None,), None, _KEYED),
        ),
    ),
    "rows": Function(
        "objects -> a line each: `before`, and the `members` with `between`; cut at `width` characters",
        None,
        c.rows_to_legacy,
        options={"before": str, "members": list, "between": str, "width": int},
        is_lossless=False,
        is_repeated=False,
        legacy_examples=(
            Example(([{"number": 1, "text": "no"}, {"number": 2}],), "K/1/no\r\nK/2/", _ROWS),
            Example(([{"number": 1, "text": "too long"}],), Cut("K/1/too l"), _ROWS),
            Example(([],), None, _ROWS),
            Example((None,), None, _ROWS),
        ),
    ),
    "join": Function(
        "texts -> one text, `first` before it, `between` between them; absent ones are left out",
        None,
        c.join_to_legacy,
        options={"first": str, "between": str},
        members=0,
        is_lossless=False,
        legacy_examples=(
            Example(("B01234", "C00019"), "BY B01234 AND C00019", _AND),
            Example((None, "C00019"), "BY C00019", _AND),
            Example((None, None), None, _AND),
        ),
    ),
    "flag": Function(
        "two codes <-> true and false",
        c.flag_to_ocp,
        c.flag_to_legacy,
        options={"yes": str, "no": str},
        ocp_examples=(Example(("Y",), (True,), _YES), Example(("N",), (False,), _YES), Example((None,), (None,), _YES)),
        legacy_examples=(Example((True,), "Y", _YES), Example((False,), "N", _YES), Example((None,), None, _YES)),
    ),
    "number": Function(
        "text before digits of a fixed width <-> integer",
        n.number_to_ocp,
        n.number_to_legacy,
        options={"before": str, "width": int},
        ocp_examples=(Example(("I00000042",), (42,), _NUMBERED), Example((None,), (None,), _NUMBERED)),
        legacy_examples=(Example((42,), "I00000042", _NUMBERED), Example((None,), None, _NUMBERED)),
    ),
    "date_number": Function(
        "YYYYMMDD <-> integer of these digits",
        n.date_number_to_ocp,
        n.date_number_to_legacy,
        ocp_examples=(Example(("20261123",), (20261123,)), Example((None,), (None,))),
        legacy_examples=(Example((20261123,), "20261123"), Example((None,), None)),
    ),
    "date_range_number": Function(
        "YYYYMMDD/YYYYMMDD <-> first and last day, integers of these digits",
        n.date_range_number_to_ocp,
        n.date_range_number_to_legacy,
        members=2,
        is_lossless=False,  # a range that is open on one side cannot be written
        ocp_examples=(Example(("20261120/20261123",), (20261120, 20261123)), Example((None,), (None, None))),
        legacy_examples=(
            Example((20261120, 20261123), "20261120/20261123"),
            Example((None, 20261123), None),
        ),
    ),
    "epoch_date": Function(
        "time since 1970, `a_second` units in a second -> its day, `offset_minutes` ahead of UTC",
        None,
        n.epoch_date_to_legacy,
        options={"a_second": int, "offset_minutes": int},
        is_lossless=False,
        legacy_examples=(
            Example((1795449600000,), "20261124", {"a_second": 1000, "offset_minutes": 480}),
            Example((1795449599,), "20261123", {"a_second": 1, "offset_minutes": 480}),
            Example((None,), None, {"a_second": 1, "offset_minutes": 480}),
        ),
    ),
    "utc_date": Function(
        "time with any offset -> its day, `offset_minutes` ahead of UTC",
        None,
        n.utc_date_to_legacy,
        options={"offset_minutes": int},
        is_lossless=False,
        legacy_examples=(
            Example(("2026-11-23T16:00:00.000Z",), "20261124", {"offset_minutes": 480}),
            Example(("2026-11-23T23:59:59+08:00",), "20261123", {"offset_minutes": 480}),
            Example((None,), None, {"offset_minutes": 480}),
        ),
    ),
    "quantity_text": Function(
        "unit and a whole number with its comma <-> text of its digits",
        n.quantity_text_to_ocp,
        n.quantity_text_to_legacy,
        is_repeated=False,
        options={"unit": str},
        ocp_examples=(Example(("UNIT/1000,",), ("1000",), _UNIT), Example((None,), (None,), _UNIT)),
        legacy_examples=(Example(("1000",), "UNIT/1000,", _UNIT), Example((None,), None, _UNIT)),
    ),
    "money_minor": Function(
        "currency and number with a comma <-> currency, and integer of its smallest unit",
        n.money_minor_to_ocp,
        n.money_minor_to_legacy,
        is_repeated=False,
        options={"decimals": dict},
        members=2,
        ocp_examples=(
            Example(("HKD12345,67",), ("HKD", 1234567), _DECIMALS),
            Example(("HKD,5",), ("HKD", 50), _DECIMALS),
            Example(("JPY5,",), ("JPY", 5), _DECIMALS),
            Example((None,), (None, None), _DECIMALS),
        ),
        legacy_examples=(
            Example(("HKD", 1234567), "HKD12345,67", _DECIMALS),
            Example(("HKD", 5), "HKD0,05", _DECIMALS),
            Example(("JPY", 5), "JPY5,", _DECIMALS),
            Example((None, None), None, _DECIMALS),
        ),
    ),
    "security_number": Function(
        "lines of an identification <-> ISIN, and local code as an integer, each where it is there",
        n.security_number_to_ocp,
        n.security_number_to_legacy,
        options={"isin": str, "local": str, "width": int},
        members=2,
        ocp_examples=(
            Example(("ISIN HK0005000002\r\n/HK/00005",), ("HK0005000002", 5), _SECURITY_NUMBER),
            Example(("/HK/00005",), (None, 5), _SECURITY_NUMBER),
            Example((None,), (None, None), _SECURITY_NUMBER),
        ),
        legacy_examples=(
            Example(("HK0005000002", 5), "ISIN HK0005000002\r\n/HK/00005", _SECURITY_NUMBER),
            Example((None, 5), "/HK/00005", _SECURITY_NUMBER),
            Example((None, None), None, _SECURITY_NUMBER),
        ),
    ),
}


def option_faults(name: str, options: Options) -> list[str]:
    """What is wrong with the options of a rule that uses the function `name`; empty when they fit."""
    wanted = FUNCTIONS[name].options
    faults = [f"the function {name} needs the option {option}" for option in wanted if option not in options]
    for option, value in options.items():
        kind = wanted.get(option)
        if kind is None:
            faults.append(f"the function {name} has no option {option}; it has {', '.join(wanted) or 'none'}")
        elif not _FITS[kind](value):
            faults.append(f"the option {option} of {name} must be {_KINDS[kind]}")
    return faults


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10_000


_FITS: dict[type, Callable[[Any], bool]] = {
    str: lambda value: isinstance(value, str),
    int: lambda value: _is_count(value) and value > 0,
    dict: lambda value: isinstance(value, dict) and all(_is_count(each) for each in value.values()),
    list: lambda value: isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value),
}
_KINDS = {str: "a text", int: "a whole number from 1", dict: "a table of whole numbers", list: "a list of texts"}
