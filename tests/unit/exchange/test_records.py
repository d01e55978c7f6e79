"""Records, and the entries that journal them."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest

from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.exchange.records import read_entry, write_entry
from tests.doubles.core_day import whole_day


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_entry_has_a_record_to_be_read_as(kind: Kind) -> None:
    with suppress(msgspec.ValidationError):  # the payload is empty; a record may ask for more
        read_entry(Entry(kind=kind, at_us=0))


def test_what_is_read_from_an_entry_writes_the_same_entry() -> None:
    entries = whole_day().entries

    assert entries == [write_entry(read_entry(entry), entry.at_us) for entry in entries]
