"""Conversions for an OCP that has whole numbers where others have text (and text where others have numbers or dates).

As in conversions.py: each is made for the options of one rule and raises ValueError with words for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pg_bridge.mapping import conversions as c
from pg_bridge.mapping.conversions import Options, ToLegacy, ToOcp

#: of a whole number; more digits are no number of ours
MOST_DIGITS = 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise ValueError(f"{what} is no whole number")
    return int(text)


def _text(value: Any, width: int) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no whole number")
    return f"{value:0{width}d}"


def number_to_ocp(options: Options) -> ToOcp:
    """`I00000042` to 42. Option `before`: what stands before the digits."""
    before = options["before"]

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        if text is None:
            return (None,)
        if not text.startswith(before):
            raise ValueError(f"{text!r} does not begin with {before!r}")
        return (_number(text[len(before) :], repr(text)),)

    return read


def number_to_legacy(options: Options) -> ToLegacy:
    """42 to `I00000042`. Option `width`: how many digits, zeros in front."""
    before, width = options["before"], options["width"]

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        return None if value is None else before + _text(value, width)

    return write


def date_number_to_ocp(_: Options) -> ToOcp:
    """`20261123` to 20261123."""

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        return (None,) if text is None else (_number(text, repr(text)),)

    return read


def date_number_to_legacy(_: Options) -> ToLegacy:
    """20261123 to `20261123`."""

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        return None if value is None else _text(value, 8)

    return write


def date_range_number_to_ocp(_: Options) -> ToOcp:
    """`20261120/20261123` to 20261120 and 20261123."""

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        if text is None:
            return (None, None)
        first, _, last = text.partition("/")
        return (_number(first, repr(text)), _number(last, repr(text)))

    return read


def date_range_number_to_legacy(_: Options) -> ToLegacy:
    """20261120 and 20261123 to `20261120/20261123`; none where either is absent."""

    def write(values: Sequence[Any]) -> str | None:
        first, last = values
        return None if first is None or last is None else f"{_text(first, 8)}/{_text(last, 8)}"

    return write


def epoch_date_to_legacy(options: Options) -> ToLegacy:
    """Time since 1970 to the day. Options: `a_second` units, `offset_minutes` that the zone is ahead of UTC."""
    a_second, ahead = options["a_second"], timedelta(minutes=options["offset_minutes"])

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        if value is None:
            return None
        try:
            return (datetime.fromtimestamp(value / a_second, UTC) + ahead).strftime("%Y%m%d")
        except (TypeError, OverflowError, OSError, ValueError) as error:
            raise ValueError(f"{value!r} is no time since 1970") from error

    return write


def utc_date_to_legacy(options: Options) -> ToLegacy:
    """RFC 3339 time of any offset to the day. Option `offset_minutes`: that the zone is ahead of UTC."""
    ahead = timedelta(minutes=options["offset_minutes"])

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        if value is None:
            return None
        try:
            at = datetime.fromisoformat(value)
            # A time without an offset makes this difference a TypeError: whose day it is in, nobody can say.
            return (_EPOCH + (at - _EPOCH) + ahead).strftime("%Y%m%d")
        except (TypeError, OverflowError, ValueError) as error:
            raise ValueError(f"{value!r} is no time with an offset") from error

    return write


def quantity_text_to_ocp(options: Options) -> ToOcp:
    """`UNIT/1000,` to `1000`. Option `unit`: what stands before the number."""
    read_number = c.quantity_to_ocp(options)

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        (number,) = read_number(texts)
        return (None if number is None else str(number),)

    return read


def quantity_text_to_legacy(options: Options) -> ToLegacy:
    """`1000` to `UNIT/1000,`."""
    write_number = c.quantity_to_legacy(options)

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        return None if value is None else write_number((_number(str(value), repr(value)),))

    return write


def money_minor_to_ocp(options: Options) -> ToOcp:
    """`HKD12345,67` to currency and 1234567. Option `decimals`: how many a currency has."""
    read_money = c.money_to_ocp(options)

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        currency, amount = read_money(texts)
        return (currency, None if amount is None else int(amount.replace(".", "")))

    return read


def money_minor_to_legacy(options: Options) -> ToLegacy:
    """Currency and 1234567 to `HKD12345,67`."""
    decimals: dict[str, int] = dict(options["decimals"])

    def write(values: Sequence[Any]) -> str | None:
        currency, amount = values
        if currency is None or amount is None:
            return None
        places = decimals.get(currency)
        if places is None:
            raise ValueError(f"the currency {currency} is none of {', '.join(decimals)}")
        digits = _text(amount, places + 1)
        return f"{currency}{digits[:-places]},{digits[-places:]}" if places else f"{currency}{digits},"

    return write


def security_number_to_ocp(options: Options) -> ToOcp:
    """Lines of an identification to ISIN and local code as a number. Options `isin`, `local`: before each."""
    read_security = c.security_to_ocp(options)

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        isin, local = read_security(texts)
        return (isin, None if local is None else _number(local, repr(local)))

    return read


def security_number_to_legacy(options: Options) -> ToLegacy:
    """ISIN and local code, each where it is there, to lines. Option `width`: digits of the local code."""
    write_security = c.security_to_legacy(options)
    width = options["width"]

    def write(values: Sequence[Any]) -> str | None:
        isin, local = values
        return write_security((isin, None if local is None else _text(local, width)))

    return write
