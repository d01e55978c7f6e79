"""How files travel in parts, read from mappings/legacy/files/parts.toml."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.link.parts import PartsForm
from pg_bridge.profiles.layout_file import PartsFile
from pg_bridge.profiles.layouts import PARTS_FILE, read_file
from pg_bridge.profiles.template_file_check import FileFault
from pg_bridge.typed_toml import shown

_KEY = re.compile(r"[A-Z0-9]{1,8}")
#: entry -> the least and the most that it may be
_BOUNDS = {
    "line": (4, 10_000),
    "part": (72, 900_000),
    "largest": (1, 1_000_000_000),
    "largest_report": (0, 1_000_000_000),
    "name_width": (1, 100),
}


def read_parts(files: Mapping[str, str], findings: list[Finding]) -> PartsForm | None:
    """The form, None where there is none; what is wrong with it is added to findings."""
    text = files.get(PARTS_FILE)
    file = read_file(PARTS_FILE, text, PartsFile, parts_faults, findings) if text is not None else None
    if file is None:
        return None
    head = file.parts
    keys: dict[str, str] = msgspec.structs.asdict(head.keys)
    return PartsForm(keys, head.line, head.part, head.largest, head.name_width, head.largest_report or head.largest)


def parts_faults(file: PartsFile) -> Iterator[FileFault]:
    """Everything wrong with the form."""
    head = file.parts
    for name, (least, most) in _BOUNDS.items():
        value = getattr(head, name)
        if not least <= value <= most:
            yield FileFault(f"parts.{name}", f"{name} is {value}", f"Write a number from {least:,} to {most:,}.")
    if head.part < head.line:
        told = f"a part of {head.part} characters holds no line of {head.line}"
        yield FileFault("parts.part", told, "Let a part hold at least one line.")
    elif head.part < math.lcm(head.line, 4):
        told = f"a part of {head.part} characters holds no whole lines of {head.line} that are whole base64"
        yield FileFault("parts.part", told, f"Let a part hold at least {math.lcm(head.line, 4)} characters.")
    seen: set[str] = set()
    for concept, key in msgspec.structs.asdict(head.keys).items():
        if not _KEY.fullmatch(key):
            told = f"{concept}: {shown(key)!r} is no key"
            yield FileFault(f"parts.keys.{concept}", told, "Write one to eight capital letters or digits.")
        if key in seen:
            yield FileFault(f"parts.keys.{concept}", f"{concept}: {shown(key)} is a key already", "Let keys differ.")
        seen.add(key)
