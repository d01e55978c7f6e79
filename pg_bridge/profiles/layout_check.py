"""Whether a layout is well-formed: records and columns that can be told apart, read, made and added up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pg_bridge.formats.fixed_width.layout import DATE_WIDTH, Picture, read_picture
from pg_bridge.profiles.layout_file import ColumnEntry, LayoutFile, RecordEntry
from pg_bridge.profiles.template_file_check import FileFault
from pg_bridge.typed_toml import nearest, shown

#: characters of a record, columns of one, kinds of records, values of a column: more, no file has
MOST_LENGTH = 4096
MOST_COLUMNS = 200
MOST_RECORDS = 20
MOST_VALUES = 200

_FILE_NAME = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_REASON = re.compile(r"[A-Z0-9]{4}")


def layout_faults(file: LayoutFile) -> Iterator[FileFault]:
    """Everything wrong with one layout, by itself."""
    head = file.layout
    if not _FILE_NAME.fullmatch(head.name):
        told = f"{shown(head.name)!r} is no name of a layout"
        yield FileFault("layout.name", told, "Write capital letters, digits and hyphens.")
    if not 1 <= head.length <= MOST_LENGTH:
        told = f"records of {head.length} characters"
        yield FileFault("layout.length", told, f"Write a length of 1 to {MOST_LENGTH}.")
        return
    if len(file.record) > MOST_RECORDS or any(len(record.columns) > MOST_COLUMNS for record in file.record):
        told = f"it has more than {MOST_RECORDS} records, or {MOST_COLUMNS} columns in one"
        yield FileFault("record", told, "Take out what no file has.")
        return
    for role in ("header", "trailer"):
        count = sum(record.role == role for record in file.record)
        if count != 1:
            yield FileFault("record", f"it has {count} records of the role {role}", f"Declare one {role}.")
    yield from _names(file)
    for number, record in enumerate(file.record):
        yield from _record(record, f"record[{number}]", file)


def _names(file: LayoutFile) -> Iterator[FileFault]:
    """Records have names, and their first columns tell them apart."""
    names: set[str] = set()
    markers: dict[str, str] = {}
    for number, record in enumerate(file.record):
        at = f"record[{number}]"
        if not _NAME.fullmatch(record.name):
            told = f"{shown(record.name)!r} is no name of a record"
            yield FileFault(f"{at}.name", told, "Write small letters, digits and _.")
        if record.name in names:
            yield FileFault(f"{at}.name", f"a second record {shown(record.name)}", "Rename one.")
        names.add(record.name)
        first = record.columns[0] if record.columns else None
        if first is None or not first.constant:
            told = f"{shown(record.name)}: its first column is no constant"
            yield FileFault(at, told, "Begin it with its record type, a column with a `constant`.")
            continue
        if len(first.constant) != _width(first) or (markers and len(first.constant) != len(next(iter(markers)))):
            told = f"{shown(record.name)}: its record type is not as long as its column, or as that of other records"
            yield FileFault(f"{at}.columns[0]", told, "Let all record types have the length of their column.")
        elif first.constant in markers:
            told = f"{shown(record.name)}: {shown(markers[first.constant])} has its record type already"
            yield FileFault(f"{at}.columns[0]", told, "Give each record a type of its own.")
        markers.setdefault(first.constant, record.name)


def _width(column: ColumnEntry) -> int:
    picture = read_picture(column.picture)
    return picture.width if picture is not None else 0


def _record(record: RecordEntry, at: str, file: LayoutFile) -> Iterator[FileFault]:
    name = shown(record.name)
    names: set[str] = set()
    for number, column in enumerate(record.columns):
        place, where = f"{name}/{shown(column.name)}", f"{at}.columns[{number}]"
        if not _NAME.fullmatch(column.name):
            yield FileFault(
                f"{where}.name", f"{place}: this is no name of a column", "Write small letters, digits and _."
            )
        if column.name in names:
            yield FileFault(f"{where}.name", f"{place}: a second column of this name", "Rename one.")
        names.add(column.name)
        if column.reason and not _REASON.fullmatch(column.reason):
            told = f"{place}: {shown(column.reason)!r} is no reason code"
            yield FileFault(f"{where}.reason", told, "Write the four characters of the 24B code.")
        picture = read_picture(column.picture)
        if picture is None:
            remedy = "Write it as X(16), 9(8) or 9(13)V9(2)."
            yield FileFault(f"{where}.picture", f"{place}: {shown(column.picture)!r} is no picture", remedy)
            continue
        yield from _form(column, picture, where, place)
        yield from _made(column, picture, record, where, place, file)
    together = sum(_width(column) for column in record.columns)
    if together != file.layout.length and all(read_picture(column.picture) for column in record.columns):
        told = f"{name}: its columns have {together} characters together; the records have {file.layout.length}"
        yield FileFault(at, told, "Correct a picture, the filler, or `length`.")


def _form(column: ColumnEntry, picture: Picture, where: str, place: str) -> Iterator[FileFault]:
    if column.as_ and (picture.is_text or picture.decimals):
        told = f"{place}: only a column 9(n) can be read as {column.as_}"
        yield FileFault(f"{where}.as", told, "Take `as` out, or correct the picture.")
    if column.as_ == "date" and picture.width != DATE_WIDTH:
        told = f"{place}: a date has {DATE_WIDTH} digits"
        yield FileFault(f"{where}.picture", told, f"Write 9({DATE_WIDTH}), or take `as` out.")
    if column.align == "right" and not picture.is_text:
        yield FileFault(f"{where}.align", f"{place}: a number has no `align`", "Take it out.")
    if column.constant is not None and (
        len(column.constant) > picture.width or not _is_written(column.constant, picture)
    ):
        told = f"{place}: {shown(column.constant)!r} is not of the picture {column.picture}"
        yield FileFault(f"{where}.constant", told, "Correct the constant or the picture.")
    if column.values and not picture.is_text and column.as_ != "digits":
        yield FileFault(f"{where}.values", f"{place}: a number has no `values`", 'Write `as = "digits"`.')
    if len(column.values) > MOST_VALUES or len(set(column.values)) < len(column.values):
        told = f"{place}: a value stands twice, or there are more than {MOST_VALUES}"
        yield FileFault(f"{where}.values", told, "Take out what is too much.")
    for value in column.values[:MOST_VALUES]:
        fits = len(value) <= picture.width if picture.is_text else len(value) == picture.width
        if not value.strip() or value != value.strip() or not fits or not _is_written(value, picture):
            told = f"{place}: the value {shown(value)!r} is not of the picture {column.picture}"
            yield FileFault(f"{where}.values", told, "Correct the value or the picture.")


def _is_written(text: str, picture: Picture) -> bool:
    """Whether the characters of a constant or value may stand in a column."""
    if picture.is_text:
        return text.isascii() and (not text or text.isprintable())
    return text.isascii() and text.isdigit()


def _made(
    column: ColumnEntry, picture: Picture, record: RecordEntry, where: str, place: str, file: LayoutFile
) -> Iterator[FileFault]:
    """Signs, checksums, counts and totals: that they are of columns which there are."""
    made = {"sign_of": column.sign_of, "checksum": column.checksum, "count": column.count, "total": column.total}
    ways = [name for name, given in made.items() if given] + (["constant"] if column.constant is not None else [])
    if len(ways) > 1:
        yield FileFault(where, f"{place}: it is made in two ways: {', '.join(ways)}", "Keep one of them.")
        return
    if ways and (column.values or column.as_ or column.status == "O"):
        yield FileFault(where, f"{place}: what is made has no values, `as` or status", "Take them out.")
    own = {other.name: other for other in record.columns}
    given = sorted(other.name for other in record.columns if _is_number(other))
    if column.sign_of:
        signed = own.get(column.sign_of)
        if picture.width != 1 or not picture.is_text:
            yield FileFault(f"{where}.picture", f"{place}: a sign has the picture X(1)", "Write X(1).")
        if signed is None or not _is_number(signed) or signed.as_:
            told = f"{place}: {shown(column.sign_of)} is no number of this record"
            yield FileFault(f"{where}.sign_of", told, nearest(column.sign_of, given))
        elif sum(other.sign_of == column.sign_of for other in record.columns) > 1:
            yield FileFault(f"{where}.sign_of", f"{place}: two signs of {column.sign_of}", "Take one out.")
    if (column.checksum or column.count or column.total) and (picture.is_text or picture.decimals):
        yield FileFault(f"{where}.picture", f"{place}: a sum has a picture 9(n)", "Correct the picture.")
    for name in column.checksum:
        if name not in given:
            told = f"{place}: {shown(name)} is no number of this record"
            yield FileFault(f"{where}.checksum", told, nearest(name, given))
    if (column.count or column.total) and record.role != "trailer":
        yield FileFault(where, f"{place}: only a trailer has counts and totals", "Take it out.")
    details = {other.name: other for other in file.record if other.role == "detail"}
    if column.count and column.count not in details:
        told = f"{place}: {shown(column.count)} is no record of the role detail"
        yield FileFault(f"{where}.count", told, nearest(column.count, sorted(details)))
    if column.total:
        name, _, summed = column.total.partition(".")
        there = [
            f"{other.name}.{each.name}" for other in details.values() for each in other.columns if _can_be_added(each)
        ]
        if f"{name}.{summed}" not in there:
            told = f"{place}: {shown(column.total)} is no number of a detail"
            yield FileFault(f"{where}.total", told, nearest(column.total, there))


def _is_number(column: ColumnEntry) -> bool:
    """Whether a column is given as digits, so that it can be signed or added up."""
    picture = read_picture(column.picture)
    made = column.sign_of or column.checksum or column.count or column.total or column.constant is not None
    return picture is not None and not picture.is_text and not made


def _can_be_added(column: ColumnEntry) -> bool:
    return _is_number(column) or (bool(column.checksum) and column.picture.startswith("9"))
