"""TOML files to typed values, with the line of every entry and every fault as a finding."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import msgspec

from pg_bridge.errors import Finding

#: Bytes of a file: a larger one would take longer than a second to read, and no person could check it.
MOST_BYTES = 262_144
#: Faults named in one file; what is beyond is told by the next check.
MOST_FAULTS = 50

UNREADABLE = "PGB-MAP-010"

_HEADER = re.compile(r"\s*\[(\[)?\s*([\w\-. \"]+?)\s*\]?\]\s*(?:#.*)?$")
_KEY = re.compile(r"\s*(?:\"([^\"]+)\"|([\w\-]+))\s*=\s*(.*)$")
_AT = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_TOML_LINE = re.compile(r"at line (\d+)")


class Lines:
    """In which line of a TOML text an entry stands: `request.rule[2]`, `answer.block[0].fields[1]`."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        counts: dict[str, int] = {}
        here = ""
        array, fence = "", ""
        for number, line in enumerate(text.split("\n"), 1):
            if fence:
                if fence in line:
                    fence = ""
                continue
            header = _HEADER.match(line) if not array else None
            if header is not None:
                here = self._path(header[2], counts, is_array=bool(header[1]))
                self._lines.setdefault(here, number)
                continue
            if array:
                if line.lstrip().startswith("{"):
                    self._lines.setdefault(f"{array}[{counts[array]}]", number)
                    counts[array] += 1
                elif line.lstrip().startswith("]"):
                    array = ""
                continue
            key = _KEY.match(line)
            if key is None:
                continue
            path = f"{here}.{key[1] or key[2]}".lstrip(".")
            self._lines.setdefault(path, number)
            rest = key[3].split("#")[0].rstrip()
            if rest == "[":
                array, counts[path] = path, 0
            for mark in ("'''", '"""'):
                if rest.count(mark) == 1:
                    fence = mark

    @staticmethod
    def _path(name: str, counts: dict[str, int], *, is_array: bool) -> str:
        """The path of a header, with the numbers of the tables that it lies in."""
        names = [part.strip().strip('"') for part in name.split(".")]
        path = ""
        for part in names[:-1]:
            path = f"{path}.{part}".lstrip(".")
            if path in counts:
                path = f"{path}[{counts[path] - 1}]"
        path = f"{path}.{names[-1]}".lstrip(".")
        if is_array:
            counts[path] = counts.get(path, 0) + 1
            path = f"{path}[{counts[path] - 1}]"
        return path

    def of(self, path: str) -> int:
        """The line of an entry, or of the nearest one that holds it; 0 where none is known."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path.rpartition("[")[0] if path.endswith("]") else path.rpartition(".")[0]
        return 0


def read_toml(path: str, text: str, kind: type[Any], findings: list[Finding], code: str = UNREADABLE) -> Any:
    """The file as `kind`; None, and every fault as a finding of `code`, when it is not one."""
    if len(text) > MOST_BYTES:
        findings.append(
            _finding(code, path, f"the file has {len(text)} characters, {MOST_BYTES} are the most: split it")
        )
        return None
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = _TOML_LINE.search(str(error))
        last = text.count("\n") + 1 if "at end of document" in str(error) else 0
        findings.append(_finding(code, path, f"this is not TOML: {error}", int(at[1]) if at else last))
        return None
    lines: Lines | None = None
    removed: dict[str, list[int]] = {}
    for count in range(MOST_FAULTS):
        try:
            document = msgspec.convert(raw, kind)
        except (msgspec.ValidationError, RecursionError) as error:
            words = str(error)
            at = _AT.search(words)
            steps = _STEP.findall(at[1]) if at else []
            where = _as_written(steps, removed)
            lines = lines or Lines(text)
            told = words[: at.start()] if at else words
            findings.append(_finding(code, path, f"{where or 'the file'}: {told}", lines.of(where)))
            if not _remove(raw, steps, removed):
                return None
            continue
        return document if count == 0 else None
    findings.append(_finding(code, path, "there are more faults"))
    return None


Steps = list[tuple[str, str]]


def _as_written(steps: Steps, removed: dict[str, list[int]]) -> str:
    """The path of an entry as the file has it, before faulty ones were taken out."""
    path = ""
    for name, index in steps:
        if index:
            number = int(index)
            for gone in removed.get(path, ()):
                number += gone <= number
            path = f"{path}[{number}]"
        elif name:
            path = f"{path}.{name}".lstrip(".")
    return path


def _remove(raw: Any, steps: Steps, removed: dict[str, list[int]]) -> bool:
    """Take the faulty entry out, so that the others can be looked at; False when it is the file itself."""
    spot: Any = raw
    owner: Any = None
    number = 0
    taken: Steps = []
    before: Steps = []
    for name, index in steps:
        if not name and not index:
            break  # one of a table's own values: its table goes
        key: Any = int(index) if index else name
        try:
            below = spot[key]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(spot, list):
            owner, number, before = spot, key, list(taken)
        taken.append((name, index))
        spot = below
    if owner is None:
        return False
    path = _as_written(before, removed)
    gone = removed.setdefault(path, [])
    written = number
    for each in gone:
        written += each <= written
    gone.append(written)
    gone.sort()
    del owner[number]
    return True


#: what can be done about an entry that does not fit
_REMEDY = "write it as mappings/README.md and the shipped file show it"


def _finding(code: str, path: str, text: str, line: int = 0) -> Finding:
    return Finding(code, "error", path, text, line, remedy=_REMEDY)
