"""The shipped layouts, files of each, and records in the making."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from pg_bridge.errors import Finding
from pg_bridge.formats.fixed_width.layout import Column, Layout, Record
from pg_bridge.formats.fixed_width.reader import FixedWidthReader
from pg_bridge.formats.fixed_width.writer import write
from pg_bridge.profiles.legacy import LegacyProfile, read_legacy_profile
from tests.doubles.mapping_files import shipped

LAYOUTS = ("ATI-BATCH-INPUT", "CCLID01", "CCLTN04", "CCLTN05", "CSESB01", "SI-BATCH-INPUT")
#: written by hand from the layouts; a point stands for a space, bars part columns and are no characters of the file
FILES = {
    "ATI-BATCH-INPUT": """
00001B01234.......................20261123ATI.BATCH.INPUT..........................................
100005...................1.......200000000400........................................00000000000405
100700...................2.......100000001000........................................00000000001700
2000200007050000000000140000000000000002105........................................................
""",
    "CCLTN05": f"""
0B01234CCLTN05FCS............HKMK2026112320261125{"." * 94}
1100005HK00050000021.P40063659B0930100167150900000000011705B0170500000000400000605000000002420000HKDA.00000000000000000000.NA.00000002480905...
9|{5:010d}|{400:017d}|{60500:013d}|{2420000:018d}|{0:018d}|{2480905:018d}|{"." * 48}
""",
    "CCLTN04": f"""
0B01234CCLTN04PCS............HKMK2026112320261125{"." * 78}
1|1|00005|HK0005000002|1|.|B|0930|1001671509000000|0001|1705|B01705|00000000400|00060500|0000002420000|HKD|A|.|0000000012345|-|N|A|.|00000002493250|...
1|1|00700|............|1|.|S|0931|1001671509000001|0001|1705|B01705|00000000100|00300500|0000003005000|HKD|A|.|0000000000000|.|Y|.|.|00000003306300|...
9|{705:010d}|{500:017d}|{361000:013d}|{5425000:018d}|{12345:018d}|{5799550:018d}|{"." * 32}
""",
    "CSESB01": f"""
0B01234CSESB01DAILY.STK.BAL..HKMK20261123{"." * 57}
1|00005|HK0005000002|HKD|.......1|000000000000400|-|000000000002420000|-|000000000002420405|.|{"." * 12}|...
9|{400:018d}|{2420000:018d}|{2420405:018d}|{"." * 43}
""",
    "SI-BATCH-INPUT": f"""
0|0001|B01234|........|FILE1..........|20261123|SI.BATCH.INPUT.|{"." * 183}
1|I|B0123400001.....|.........|00005|HK0005000002|D|C00019|00000001000|DVP|HKD|000000001234567|20261123|20261125|00000001|CLIENT0001{"." * 25}|TRAD|N|202611230000001|00000001235572|{"." * 64}
1|I|B0123400002.....|.........|00000|HK0005000002|R|C00019|00000000500|FOP|...|000000000000000|00000000|20261125|.......2|{"." * 35}|TRAD|Y|{"." * 15}|00000000000500|{"." * 64}
1|D|B0123400003.....|I12345678|00700|............|R|C00019|00000000500|RDP|HKD|000000000001000|20261123|20261125|.......2|{"." * 35}|TRAD|N|{"." * 15}|00000000002200|{"." * 64}
2|0003|0000705|00000000002000|{1238272:017d}|{1235567:018d}|{"." * 179}
""",
}
FILES["CCLID01"] = FILES["CCLTN04"].replace("CCLTN04PCS............", "CCLID01INTRADAY.TRADES")


@cache
def legacy() -> LegacyProfile:
    """The shipped legacy profile."""
    return read_legacy_profile(shipped())


def layout(name: str) -> Layout:
    """A shipped layout."""
    return legacy().layouts[name]


def file_of(name: str) -> bytes:
    """The bytes of a file written by hand."""
    return FILES[name].strip("\n").replace("|", "").replace(".", " ").replace("\n", "\r\n").encode("ascii") + b"\r\n"


def read(name: str, content: bytes) -> tuple[list[Record], list[Finding]]:
    """The records of a file, and its faults."""
    reader = FixedWidthReader(layout(name))
    return list(reader.records([content])), reader.findings


def written(name: str, records: list[Record]) -> bytes:
    """The bytes of records."""
    return b"".join(write(layout(name), records))


def values(column: Column, *, is_signed: bool) -> st.SearchStrategy[Any]:
    """Values that a column may have, as they are read back: without spaces around, None for nothing."""
    made: st.SearchStrategy[Any]
    if column.values:
        made = st.sampled_from(sorted(column.values))
    elif column.kind == "text":
        characters = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
        made = st.text(characters, min_size=1, max_size=column.width).map(str.strip).filter(bool)
    elif column.kind == "digits":
        made = st.text("0123456789", min_size=column.width, max_size=column.width)
    elif column.kind == "date":
        made = st.dates(date(1, 1, 1), date(9999, 12, 31))
    else:
        most = 10**column.width - 1
        made = st.integers(-most if is_signed else 0, most)
        if column.decimals:
            made = made.map(lambda number: Decimal(number).scaleb(-column.decimals))
    if column.is_mandatory:
        return made
    is_something = (lambda value: value.strip("0")) if column.kind == "digits" else bool
    return st.none() | made.filter(is_something)


def records(name: str, most: int = 6) -> st.SearchStrategy[list[Record]]:
    """Whole files of a layout as records."""

    def record(spec_name: str) -> st.SearchStrategy[Record]:
        spec = layout(name).records[spec_name]
        signed = {column.sign_of for column in spec.columns}
        given = {each.name: values(each, is_signed=each.name in signed) for each in spec.given}
        return st.fixed_dictionaries(given).map(lambda made: Record(spec_name, made))

    return st.tuples(record("header"), st.lists(record("detail"), max_size=most), record("trailer")).map(
        lambda made: [made[0], *made[1], made[2]]
    )
