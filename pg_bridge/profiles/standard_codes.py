"""The standard's own error codes for what the check of a message finds: mappings/legacy/standard-codes.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.rules import CHECKS
from pg_bridge.profiles.layouts import read_file
from pg_bridge.profiles.template_file_check import FileFault
from pg_bridge.typed_toml import shown

STANDARD_CODES_FILE = "legacy/standard-codes.toml"

_FINDING = re.compile(r"PGB-MSG-[0-9]{3}")
_TAG = re.compile(r"[0-9]{2}[A-Z]?")
_STANDARD = re.compile(r"[A-Z0-9]+(?:\{tag\})?(?: [A-Z0-9]+(?:\{tag\})?)*")


class StandardCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One code of the standard, or several with spaces between, for findings with this code of ours.

    tags: only of these fields; check: only where this check of a value does not pass. `{tag}` in it becomes the two
    digits of the field's tag.
    """

    code: str
    standard: str
    meaning: str
    source: Literal["public", "assumed"]
    tags: list[str] = []
    check: str = ""


class StandardCodesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    error: list[StandardCode]


class StandardCodes:
    """Looks the standard's code up. entries: as they stand in the file; a narrower one counts before a wider."""

    def __init__(self, entries: Sequence[StandardCode] = ()) -> None:
        self.entries = tuple(entries)
        self._codes = {
            (entry.code, tag, entry.check): entry.standard for entry in entries for tag in entry.tags or ("",)
        }

    def told(self, finding: Finding, check: str = "") -> Finding:
        """The finding with the standard's code, where one is known. check: the one that its value did not pass."""
        tag = finding.path.rpartition("/")[2].partition(":")[0]
        code = self._codes.get((finding.code, tag, check)) or self._codes.get((finding.code, "", check))
        return replace(finding, standard=code.replace("{tag}", tag[:2])) if code else finding


def read_standard_codes(files: Mapping[str, str], findings: list[Finding]) -> StandardCodes:
    """The codes of a set, none where it has no such file; what is wrong with the file is added to findings."""
    text = files.get(STANDARD_CODES_FILE)
    if text is None:
        return StandardCodes()
    file = read_file(STANDARD_CODES_FILE, text, StandardCodesFile, standard_code_faults, findings)
    return StandardCodes(file.error if file is not None else ())


def standard_code_faults(file: StandardCodesFile) -> Iterator[FileFault]:
    """Everything wrong with the file's entries."""
    seen: set[tuple[str, str, str]] = set()
    for number, entry in enumerate(file.error):
        at = f"error[{number}]"
        if not _FINDING.fullmatch(entry.code):
            told = f"{shown(entry.code)!r} is no code of a fault of a message"
            yield FileFault(at, told, "Write one of PGB-MSG-010 and above, as findings show them.")
        if not _STANDARD.fullmatch(entry.standard):
            told = f"{shown(entry.standard)!r} is no code"
            yield FileFault(at, told, "Write capital letters and digits, {tag} for the tag's, spaces between codes.")
        if entry.check and entry.check not in CHECKS:
            told = f"there is no check {shown(entry.check)}"
            yield FileFault(at, told, f"Name one of {', '.join(CHECKS)}.")
        for tag in entry.tags:
            if not _TAG.fullmatch(tag):
                yield FileFault(at, f"{shown(tag)!r} is no tag", "Write two digits and a letter, as 22F.")
        for key in ((entry.code, tag, entry.check) for tag in entry.tags or ("",)):
            if key in seen:
                told = f"a second code for {' '.join(filter(None, key))}"
                yield FileFault(at, told, "Take one out, or name both with a space between.")
            seen.add(key)
