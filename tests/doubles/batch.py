"""Batch files, and the messages in which they travel."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from pg_bridge.cli.world import utc_now
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.formats.fixed_width.layout import Record
from pg_bridge.formats.fixed_width.writer import write
from pg_bridge.link.parts import PartsForm, split, write_part
from pg_bridge.profiles.legacy import read_legacy_profile
from tests.doubles.mapping_files import shipped
from tests.doubles.stack import weekday_after

_PROFILE = read_legacy_profile(shipped())
_FORM = _PROFILE.parts


def today() -> date:
    """The day in Hong Kong."""
    return utc_now().astimezone(HONG_KONG).date()


def form(part: int = 0) -> PartsForm:
    """The shipped form of files in parts, with smaller parts if wanted."""
    assert _FORM is not None
    return PartsForm(_FORM.keys, _FORM.line, part or _FORM.part, _FORM.largest, _FORM.name_width)


def tag_based(*blocks: bytes, template: str = "SI01", count: int | None = None) -> bytes:
    """A tag-based file of text blocks."""
    head = f":20:OWNREF001\r\n:12:{template}\r\n:98A:{today():%Y%m%d}\r\n".encode()
    texts = b"".join(b"{4:\r\n" + block + b"-}\r\n" for block in blocks)
    return head + texts + f":19:{len(blocks) if count is None else count}\r\n".encode()


def parts(name: str, content: bytes, *, day: date | None = None, part: int = 0) -> list[bytes]:
    """The text blocks of the messages in which a file travels."""
    shape = form(part)
    return [
        f":20:PART{each.number:06d}\r\n:12:010\r\n:77E:".encode()
        + "\r\n".join(write_part(shape, each)).encode()
        + b"\r\n"
        for each in split(shape, name, day or today(), content)
    ]


def record(reference: str, **changed: Any) -> Record:
    """A detail record: an input that delivers against payment and settles two days on."""
    values: dict[str, Any] = {
        "function": "I", "reference": reference, "si_number": None, "stock_code": "00005", "isin": None, "side": "D",
        "counterparty": "C00019", "quantity": 1000, "payment": "DVP", "currency": "HKD", "amount": Decimal("12345.67"),
        "trade_date": None, "settlement_date": weekday_after(2), "account": "00000001", "counterparty_account": None,
        "purpose": "TRAD", "hold": "N", "linkage": None,
    }  # fmt: skip
    return Record("detail", values | changed)


def fixed_width(*details: Record, number: str = "0001") -> bytes:
    """An upload of settlement instructions, a line each."""
    head: dict[str, Any] = {
        "file_number": number, "participant": "B01234", "sender_bic": None, "reference": None, "sent_on": today(),
    }  # fmt: skip
    return b"".join(write(_PROFILE.layouts["SI-BATCH-INPUT"], [Record("header", head), *details]))
