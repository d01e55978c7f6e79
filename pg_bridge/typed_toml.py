"""Typed TOML: a file as the type that it should be, every fault as a finding with its line and what to do.

Strategy: one conversion by msgspec; only a file that does not convert is walked beside its type, entry by entry, so
that all faults come and not the first. What would take long to read (size, dotted keys, nesting) is refused before
it is read.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from pg_bridge.errors import Finding

#: Characters of a file: a larger one would take longer than a second to read, and no person could check it.
MOST_BYTES = 262_144
#: Faults named in one file; what is beyond is told by the next check.
MOST_FAULTS = 50
#: Parts of a dotted key, and tables and arrays within one another.
MOST_PARTS = 16
MOST_DEPTH = 24
#: Whole numbers of TOML have 64 bits.
MOST_NUMBER = 2**63
#: Characters of a file's own text that a finding repeats, and of a name that is compared with others.
MOST_SHOWN = 80

UNREADABLE = "PGB-MAP-010"

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
    r"|'[^'\n]*+'"
    r"|\#[^\n]*+|\n|[\[\]{}=,.]|[^\s\[\]{}=,.\"'#]++",
    re.DOTALL,
)
_PART = r"(?:[\w\-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+"
_MANY_PARTS = re.compile(rf"(?<![\w\-]){_PART}(?:\.[ \t]*+{_PART}){{{MOST_PARTS}}}")
_TOML_LINE = re.compile(r"at line (\d+)")
_WORDS = {
    "str": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list in [ ]",
    "object": "a table in { }",
    "null": "nothing",
}
_EXPECTED = re.compile(r"Expected `([^`]+)`")


class Lines:
    """In which line of a TOML text an entry stands: `request.rule[2]`, `answer.block[0].fields[1]`, `limits.window`.

    Of lists, the tables and lists in them are known; a plain value stands where its list begins.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        counts: dict[str, int] = {}
        here = ""
        number = 1
        parts: list[str] = []
        begins = 1
        path = ""
        is_value = False
        header = 0
        #: the arrays and tables that are open: their path, and of an array the number of its element, else -1
        open_: list[tuple[str, int]] = []
        for match in _TOKEN.finditer(text):
            if len(open_) > MOST_DEPTH or len(parts) > MOST_PARTS:
                return  # this is no file that can be read: its faults stand above
            piece = match[0]
            if piece == "\n":
                number += 1
                if not open_:
                    parts, is_value, header = [], False, 0
                continue
            if piece[0] == "#":
                continue
            line = number
            if piece[0] in "\"'":
                number += piece.count("\n")
            if header:
                if piece == "[":
                    header = 2
                elif piece == "]":
                    if parts:
                        here = _header_path(parts, counts, is_array=header == 2)
                        self._lines.setdefault(here, line)
                        parts = []
                elif piece != ".":
                    parts.append(_plain(piece))
                continue
            if not open_ and not is_value and not parts and piece == "[":
                header = 1
                continue
            is_in_array = bool(open_) and open_[-1][1] >= 0
            if is_in_array or is_value:
                if is_in_array:
                    if piece not in "[{,]":
                        continue  # a plain value of a list stands where the list stands
                    if piece in "[{":
                        path = f"{open_[-1][0]}[{open_[-1][1]}]"
                        self._lines.setdefault(path, line)
                if piece == "[":
                    open_.append((path, 0))
                elif piece == "{":
                    open_.append((path, -1))
                    parts, is_value = [], False
                elif piece in ("]", "}"):
                    if open_:
                        open_.pop()
                    is_value, parts = True, []
                elif piece == "," and open_:
                    if is_in_array:
                        open_[-1] = (open_[-1][0], open_[-1][1] + 1)
                    else:
                        parts, is_value = [], False
                continue
            if piece == "=":
                path = ".".join([open_[-1][0] if open_ else here, *parts]).lstrip(".")
                self._lines.setdefault(path, begins)
                is_value = True
            elif piece == "}":
                if open_:
                    open_.pop()
                is_value, parts = True, []
            elif piece not in (".", ","):
                if not parts:
                    begins = line
                parts.append(_plain(piece))

    def of(self, path: str) -> int:
        """The line of an entry, or of the nearest one that holds it; 0 where none is known."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path.rpartition("[")[0] if path.endswith("]") else path.rpartition(".")[0]
        return 0


def _plain(piece: str) -> str:
    return piece[1:-1] if piece[0] in "\"'" else piece


def _header_path(names: list[str], counts: dict[str, int], *, is_array: bool) -> str:
    """The path of a header, with the numbers of the tables that it lies in."""
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


def read_toml(path: str, text: str, kind: type[Any], findings: list[Finding], code: str = UNREADABLE) -> Any:
    """The file as `kind`; None, and every fault as a finding of `code`, when it is not one.

    path: below mappings/, for the findings.
    """
    raw = _parsed(path, text, findings, code)
    if raw is None:
        return None
    try:
        return msgspec.convert(raw, kind)
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        lines = Lines(text)
        found = 0
        for where, told, remedy in _faults(raw, kind, ""):
            found += 1
            if found > MOST_FAULTS:
                more = "Correct those that are named, then check again."
                findings.append(Finding(code, "error", path, "there are more faults", remedy=more))
                break
            place = shown(where) if where else "the file"
            findings.append(Finding(code, "error", path, f"{place}: {told}", lines.of(where), remedy=remedy))
        if not found:
            findings.append(Finding(code, "error", path, f"the file: {error}", remedy="Correct the entry named."))
        return None


def shown(text: str) -> str:
    """A text of a file as a finding repeats it: not all of a huge one."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}... ({len(text)} characters)"


def nearest(name: str, known: list[str]) -> str:
    """What to do about a name that is not known: the one that was meant, if one is like it, or all there are."""
    close = difflib.get_close_matches(name, known, 1) if len(name) <= MOST_SHOWN else []
    if close:
        return f"Write `{close[0]}` if that was meant."
    return f"Write one of {', '.join(f'`{each}`' for each in known)}." if known else "Take it out."


def _parsed(path: str, text: str, findings: list[Finding], code: str) -> Any:
    """The file's tables, None and a finding when they cannot be had, or not in time."""

    def refuse(told: str, line: int, remedy: str) -> None:
        findings.append(Finding(code, "error", path, told, line, remedy=remedy))

    if len(text) > MOST_BYTES:
        told = f"the file has {len(text):,} characters, {MOST_BYTES:,} are the most: split it"
        refuse(told, 0, "Split the file into several.")
        return None
    if text.startswith("\ufeff"):
        refuse("the file begins with a byte order mark", 1, "Save it as UTF-8 without a byte order mark.")
        return None
    many = _MANY_PARTS.search(text)
    if many is not None:
        line = text.count("\n", 0, many.start()) + 1
        refuse(f"a name of more than {MOST_PARTS} parts joined by dots", line, "Write a shorter name.")
        return None
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        refuse("tables or lists lie too deep in one another", _deepest(text), "Correct the brackets.")
        return None
    except ValueError as error:  # TOMLDecodeError, and numbers of thousands of digits
        at = _TOML_LINE.search(str(error))
        last = text.count("\n") + 1 if "at end of document" in str(error) else 0
        line = int(at[1]) if at else last
        refuse(f"this is not TOML: {shown(str(error))}", line, "Correct the line; a text stands in quotes.")
        return None
    fault = _too_deep(raw)
    if fault:
        refuse(fault, _deepest(text), "Correct the entry.")
        return None
    return raw


def _too_deep(raw: Any) -> str:
    """Why what was read cannot be walked: nesting, or a number that is no number of TOML."""
    level: list[Any] = [raw]
    for _ in range(MOST_DEPTH):
        below: list[Any] = []
        for each in level:
            below += each.values() if isinstance(each, dict) else each
        for value in below:
            if isinstance(value, int) and not -MOST_NUMBER <= value < MOST_NUMBER:
                return "a whole number is larger than 64 bits"
        level = [value for value in below if isinstance(value, dict | list)]
        if not level:
            return ""
    return f"tables or lists lie more than {MOST_DEPTH} deep in one another"


def _deepest(text: str) -> int:
    """The line where the most brackets open: the likely one when nesting is at fault."""
    lines = text.split("\n")
    most = max(range(len(lines)), key=lambda number: lines[number].count("[") + lines[number].count("{"))
    return most + 1


def _faults(raw: Any, kind: Any, at: str) -> Iterator[tuple[str, str, str]]:
    """Every (place, fault, what to do) of a value that should be of a type."""
    origin, given = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        fitting = [each for each in given if _is_alike(raw, each)]
        if len(fitting) == 1:
            yield from _faults(raw, fitting[0], at)
            return
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(raw, dict):
        yield from _struct_faults(raw, kind, at)
        return
    elif origin is list and isinstance(raw, list):
        for number, each in enumerate(raw):
            yield from _faults(each, given[0], f"{at}[{number}]")
        return
    elif origin is dict and isinstance(raw, dict):
        for name, each in raw.items():
            place = f"{at}.{name}".lstrip(".")
            if given[0] is not str:
                yield from _faults(name, given[0], place)
            yield from _faults(each, given[1], place)
        return
    try:
        msgspec.convert(raw, kind)
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        yield at, shown(str(error).partition(" - at `")[0]), _remedy(raw, kind, str(error))


def _struct_faults(raw: dict[str, Any], kind: type[msgspec.Struct], at: str) -> Iterator[tuple[str, str, str]]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in raw:
        if name not in fields:
            remedy = nearest(name, sorted(set(fields) - set(raw)) or sorted(fields))
            yield f"{at}.{name}".lstrip("."), f"Object contains unknown field `{shown(name)}`", remedy
    for name, field in fields.items():
        if name in raw:
            yield from _faults(raw[name], field.type, f"{at}.{name}".lstrip("."))
        elif field.required:
            yield at, f"Object missing required field `{name}`", f"Give `{name}` a value."


def _is_alike(raw: Any, kind: Any) -> bool:
    """Whether a value is of the sort that a type asks for: table for table, list for list, text for text."""
    origin = get_origin(kind) or kind
    if isinstance(raw, dict):
        return origin is dict or (isinstance(kind, type) and issubclass(kind, msgspec.Struct))
    return origin is type(raw)


def _remedy(raw: Any, kind: Any, told: str) -> str:
    if get_origin(kind) is Literal:
        known = [str(each) for each in get_args(kind)]
        return nearest(raw, known) if isinstance(raw, str) else nearest("", known)
    expected = _EXPECTED.search(told)
    if expected is None:
        return "Correct the value."
    return f"Write {' or '.join(_WORDS.get(each, each) for each in expected[1].split(' | '))}."
