"""The form of tag-based files, read from mappings/legacy/files/tag-based.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.rules import CHECKS, FormatError, compile_format
from pg_bridge.formats.tag_based import TagBasedForm, TagLine
from pg_bridge.profiles.layout_file import TagBasedFile, TagLineEntry
from pg_bridge.profiles.layouts import TAG_BASED_FILE, read_file
from pg_bridge.profiles.template_file_check import FileFault
from pg_bridge.typed_toml import nearest, shown

MOST_LINES = 50
#: the name of the head line that says which template the text blocks are of
TEMPLATE = "template"

_TAG = re.compile(r"[0-9]{2}[A-Z]?")
_MARK = re.compile(r"[!-~]{1,8}")


def read_tag_based(files: Mapping[str, str], findings: list[Finding]) -> TagBasedForm | None:
    """The form, None where there is none; what is wrong with it is added to findings."""
    text = files.get(TAG_BASED_FILE)
    file = read_file(TAG_BASED_FILE, text, TagBasedFile, tag_based_faults, findings) if text is not None else None
    if file is None:
        return None
    head = file.tag_based
    lines = tuple(_line(entry) for entry in file.head)
    return TagBasedForm(lines, _line(file.count), head.block_opens, head.block_closes, head.source)


def tag_based_faults(file: TagBasedFile) -> Iterator[FileFault]:
    """Everything wrong with the form."""
    head = file.tag_based
    for name, mark in (("block_opens", head.block_opens), ("block_closes", head.block_closes)):
        if not _MARK.fullmatch(mark) or mark[0] in ":":
            told = f"{shown(mark)!r} is no line around a text block"
            yield FileFault(f"tag_based.{name}", told, "Write one to eight characters, no colon first.")
    if head.block_opens == head.block_closes:
        yield FileFault("tag_based.block_closes", "a text block opens as it closes", "Let the two differ.")
    if not 1 <= len(file.head) <= MOST_LINES:
        yield FileFault("head", f"it has {len(file.head)} head lines", f"Declare 1 to {MOST_LINES}.")
        return
    tags: set[str] = set()
    names: set[str] = set()
    for at, entry in [*((f"head[{number}]", each) for number, each in enumerate(file.head)), ("count", file.count)]:
        if entry.tag in tags or entry.name in names:
            told = f"{shown(entry.name)}: another line has its tag or name"
            yield FileFault(at, told, "Give each line a tag and a name of its own.")
        tags.add(entry.tag)
        names.add(entry.name)
        yield from _line_faults(entry, at)
    if TEMPLATE not in {entry.name for entry in file.head}:
        told = f"no head line is named {TEMPLATE}: what the text blocks are is not known"
        yield FileFault("head", told, f"Name the line {TEMPLATE} that says which template they are of.")
    if file.count.values or file.count.checks or not re.fullmatch(r"[0-9]{1,2}n", file.count.format):
        told = f"{shown(file.count.format)}: a count is a number without values and checks"
        yield FileFault("count.format", told, "Write a format like 6n.")


def _line_faults(entry: TagLineEntry, at: str) -> Iterator[FileFault]:
    name = shown(entry.name)
    if not _TAG.fullmatch(entry.tag):
        yield FileFault(f"{at}.tag", f"{name}: {shown(entry.tag)!r} is no tag", "Write two digits and a letter.")
    for check in entry.checks:
        if check not in CHECKS:
            told = f"{name}: there is no check {shown(check)}"
            yield FileFault(f"{at}.checks", told, nearest(check, sorted(CHECKS)))
    try:
        pattern = compile_format(entry.format)
    except FormatError as error:
        yield FileFault(f"{at}.format", f"{name}: {error}", "Write it as ISO 15022 does, like 16x, 4!c or 8!n.")
        return
    for value in entry.values[:MOST_LINES]:
        if pattern.fullmatch(value) is None:
            told = f"{name}: the value {shown(value)!r} is not of the format {shown(entry.format)}"
            yield FileFault(f"{at}.values", told, "Correct the value or the format.")


def _line(entry: TagLineEntry) -> TagLine:
    return TagLine(
        entry.name,
        entry.tag,
        entry.format,
        compile_format(entry.format),
        frozenset(entry.values),
        tuple(CHECKS[name] for name in entry.checks),
    )
