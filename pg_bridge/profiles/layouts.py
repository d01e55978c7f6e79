"""The layouts of a mapping set: mappings/legacy/files/*.toml as what formats reads and writes files by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TypeVar

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.formats.fixed_width.layout import Column, Kind, Layout, RecordSpec, read_picture, record_spec
from pg_bridge.profiles.layout_check import layout_faults
from pg_bridge.profiles.layout_file import ColumnEntry, LayoutFile, RecordEntry
from pg_bridge.profiles.template_file_check import FileFault
from pg_bridge.typed_toml import MOST_FAULTS, Lines, read_toml, shown

FILES_FOLDER = "legacy/files/"
TAG_BASED_FILE = "legacy/files/tag-based.toml"
PARTS_FILE = "legacy/files/parts.toml"

#: findings: a file that is none of its type; faults within one; two of one name
UNREADABLE = "PGB-PRF-017"
FAULTY = "PGB-PRF-018"
TWICE = "PGB-PRF-019"

FileKind = TypeVar("FileKind", bound=msgspec.Struct)


def read_layouts(files: Mapping[str, str], findings: list[Finding]) -> dict[str, Layout]:
    """The layouts in `files` (path below mappings/ to text) by name; what is wrong with one is added to findings."""
    layouts: dict[str, Layout] = {}
    paths: dict[str, str] = {}
    for path in sorted(files):
        if not path.startswith(FILES_FOLDER) or not path.endswith(".toml") or path in (TAG_BASED_FILE, PARTS_FILE):
            continue
        file = read_file(path, files[path], LayoutFile, layout_faults, findings)
        if file is None:
            continue
        name = file.layout.name
        if name in layouts:
            told = f"a second layout {shown(name)}: {paths[name]} is one"
            add_faults(findings, TWICE, path, files[path], [FileFault("layout.name", told, "Rename one.")])
        layouts[name], paths[name] = _layout(file), path
    return layouts


def read_file(
    path: str,
    text: str,
    kind: type[FileKind],
    faults: Callable[[FileKind], Iterable[FileFault]],
    findings: list[Finding],
) -> FileKind | None:
    """A file of a kind without faults; None, and findings, when it has some."""
    file: FileKind | None = read_toml(path, text, kind, findings, UNREADABLE)
    if file is None:
        return None
    told = list(islice(faults(file), MOST_FAULTS))
    add_faults(findings, FAULTY, path, text, told)
    return None if told else file


def add_faults(findings: list[Finding], code: str, path: str, text: str, faults: Iterable[FileFault]) -> None:
    """The faults of one file, with their lines."""
    told = list(faults)
    lines = Lines(text) if told else None
    for fault in told:
        line = lines.of(fault.at) if lines is not None else 0
        findings.append(Finding(code, "error", path, fault.text, line, remedy=fault.remedy))


def _layout(file: LayoutFile) -> Layout:
    head = file.layout
    records = {record.name: _record(record) for record in file.record}
    return Layout(head.name, head.meaning, head.length, head.line_end, head.source, records)


def _record(record: RecordEntry) -> RecordSpec:
    columns: list[Column] = []
    start = 0
    for entry in record.columns:
        columns.append(_column(entry, start))
        start += columns[-1].width
    return record_spec(record.name, record.role, tuple(columns))


def _column(entry: ColumnEntry, start: int) -> Column:
    picture = read_picture(entry.picture)
    if picture is None:
        raise ValueError(f"{entry.picture} is no picture")  # the check has refused such a file
    kind: Kind = entry.as_ or ("text" if picture.is_text else "decimal" if picture.decimals else "number")
    is_right = entry.align == "right"
    constant = entry.constant
    if constant is not None:
        if picture.is_text:
            constant = constant.rjust(picture.width) if is_right else constant.ljust(picture.width)
        else:
            constant = constant.zfill(picture.width)
    record, _, name = entry.total.partition(".")
    return Column(
        name=entry.name,
        start=start,
        width=picture.width,
        kind=kind,
        decimals=picture.decimals,
        is_mandatory=entry.status == "M",
        is_right=is_right,
        constant=constant,
        values=frozenset(entry.values),
        sign_of=entry.sign_of,
        checksum=tuple(entry.checksum),
        count_of=entry.count,
        total_of=(record, name) if entry.total else None,
        meaning=entry.meaning,
        source=entry.source,
        reason=entry.reason,
    )
