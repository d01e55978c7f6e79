"""Mutated mapping sets: `python -m tests.fuzz.mapping_files --seconds N [--seed S] [--keep FOLDER]`.

Each set is the shipped one with a few random edits. Whatever they are, `check` gives findings or none, raises nothing,
takes less than a second; each finding names a file of the set, a line that it has, a severity, a known code and what
to do; `load` raises MappingInvalid or nothing, and a set without errors loads.
"""

from __future__ import annotations

import argparse
import random
import re
import time
import traceback
from collections import Counter
from pathlib import Path

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.link.framing import Framing
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.checks.check import check
from tests.doubles.mapping_files import shipped

Files = dict[str, str]

CODE = re.compile(r"PGB-(?:MAP|PRF)-\d{3}")
#: those of the OCP profile, whose findings are looked at in its own tests
OCP = re.compile(r"PGB-PRF-00\d")
#: what a finding may name that is no file of the set: what is missing, a folder that lacks a file
ABSENT = {*shipped(), "legacy/templates/", "rules/"}
LIMIT_S = 1.0

SCALARS = [
    '""', '"x"', '"é"', '"\\u0000"', '"a/b"', '"["', '"10*35x"', '"[1x][1x]"', '"SI01"', '"M"', "0", "-1", "1", "99999999999", "1e400", "nan",
    "true", "false", "[]", "{}", '[""]', "[[]]", "{ a = {} }", "2026-11-23", "1979-05-27T07:32:00Z", "07:32:00", '"null"', '"ocp.status"',
    '"GENL/20C:SEME"', '"@message_type"', '"value.x"', '"item.code"', '["a", "b"]', '{ present = true }', '{ shape = "16x" }',
    '{ after = "ocp.settlementDate" }', '"' + "x" * 300 + '"', '"a.b.c.d"', "'''\n'''",
]  # fmt: skip
SIGNS = [
    *list("\"'[]{}=.,:#/-|\\\n\t \r\x00"),
    "é",
    "\ufeff",
    "٣",
    "[[",
    "'''",
    '"""',
    "- ",
    "&a ",
    "*a ",
    "<<: ",
    "!!python/object ",
]


def mutated(chance: random.Random, files: Files) -> Files:
    """The set with one to four edits."""
    made = dict(files)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        path = chance.choice(sorted(made))
        edit = chance.choice(EDITS)
        edit(chance, made, path)
    return made


def _lines(chance: random.Random, files: Files, path: str) -> None:
    lines = files[path].split("\n")
    at = chance.randrange(len(lines))
    several = chance.choice((1, 1, 2, 5))
    match chance.randrange(5):
        case 0:
            del lines[at : at + several]
        case 1:
            lines[at:at] = lines[at : at + several] * chance.choice((1, 1, 3, 50))
        case 2:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            other_path = chance.choice(sorted(files))
            lines[at] = chance.choice(files[other_path].split("\n"))
        case _:
            block = lines[at : at + chance.randrange(1, 20)]
            where = chance.randrange(len(lines))
            lines[where:where] = block
    files[path] = "\n".join(lines)


def _characters(chance: random.Random, files: Files, path: str) -> None:
    text = files[path]
    at = chance.randrange(len(text) + 1)
    files[path] = text[:at] + chance.choice(SIGNS) * chance.choice((1, 1, 2, 100)) + text[at + chance.randrange(3) :]


def _values(chance: random.Random, files: Files, path: str) -> None:
    """One value, or one quoted text, for another."""
    pattern = chance.choice((r"= ([^\n]+)", r'("[^"\n]*")', r": ([^\n]+)", r'"([^"\n]*)"'))
    found = list(re.finditer(pattern, files[path]))
    if not found:
        return
    match = chance.choice(found)
    new = chance.choice(SCALARS)
    if chance.random() < 0.5:
        other = chance.choice(sorted(files))
        others = re.findall(pattern, files[other])
        new = chance.choice(others) if others else new
    files[path] = files[path][: match.start(1)] + new + files[path][match.end(1) :]


def _keys(chance: random.Random, files: Files, path: str) -> None:
    found = list(re.finditer(r"(?m)(?:^|[{,] )([\w\"/]+)(?= = )|^\s*(\w+):", files[path]))
    if not found:
        return
    match = chance.choice(found)
    group = 1 if match[1] else 2
    name = chance.choice(found)[0].strip("{, :") if chance.random() < 0.5 else match[group] + chance.choice("xs_9")
    files[path] = files[path][: match.start(group)] + name + files[path][match.end(group) :]


def _entries(chance: random.Random, files: Files, path: str) -> None:
    """A key taken out, or one put in."""
    found = list(re.finditer(r"(?m)^\w+ = [^\n]*\n|\b\w+ = (?:\"[^\"\n]*\"|\w+),? ?", files[path]))
    if not found:
        return
    match = chance.choice(found)
    new = match[0] + match[0] if chance.random() < 0.3 else ""
    files[path] = files[path][: match.start()] + new + files[path][match.end() :]


def _headers(chance: random.Random, files: Files, path: str) -> None:
    found = list(re.finditer(r"(?m)^\[+([\w.\"/]+)\]+", files[path]))
    if not found:
        return
    match = chance.choice(found)
    other = chance.choice(found)
    files[path] = files[path][: match.start()] + other[0] + files[path][match.end() :]


def _numbers(chance: random.Random, files: Files, path: str) -> None:
    found = list(re.finditer(r"\d+", files[path]))
    if not found:
        return
    match = chance.choice(found)
    new = chance.choice(("0", "1", "9", "99", "1000000", "9" * 30, "-5", "00"))
    files[path] = files[path][: match.start()] + new + files[path][match.end() :]


def _whole(chance: random.Random, files: Files, path: str) -> None:
    other = chance.choice(sorted(files))
    match chance.randrange(7):
        case 0:
            files[path], files[other] = files[other], files[path]
        case 1:
            files[path] = files[path][: chance.randrange(len(files[path]) + 1)]
        case 2:
            files.pop(path)
            files.setdefault(other, "")
        case 3:
            files[path] = ""
        case 4:
            files[path.replace(".", "2.", 1)] = files[path]
        case 5:
            files[path] = files[path].replace("\n", "\r\n")
        case _:
            files[path] += files[other]


EDITS = [
    _lines,
    _lines,
    _characters,
    _values,
    _values,
    _values,
    _values,
    _keys,
    _entries,
    _entries,
    _headers,
    _numbers,
    _whole,
]


def faults(files: Files) -> list[str]:
    """What does not hold for a set; empty: all does."""
    began = time.process_time()
    try:
        findings = check(files)
    except Exception as error:  # noqa: BLE001 - whatever it raises is what is looked for
        return [f"check raises {type(error).__name__}: {_where(error)}"]
    took = time.process_time() - began
    told = [text for finding in findings if (text := _wrong(finding, files))]
    if took > LIMIT_S:
        # the better of two
        began = time.process_time()
        check(files)
        took = min(took, time.process_time() - began)
        if took > LIMIT_S:
            told.append(f"check takes {took:.1f} s")
    book: MappingBook | None = None
    if any(finding.severity == "error" for finding in findings) and hash(findings[0].text) % 4:
        return told  # `check` has loaded it already; one in four of those that are refused is loaded again
    try:
        book = load(files)
    except MappingInvalid as error:
        if not any(finding.severity == "error" for finding in error.findings):
            told.append("load refuses without an error")
        elif list(error.findings) != findings:
            told.append("load and check tell different things")
    except Exception as error:  # noqa: BLE001
        told.append(f"load raises {type(error).__name__}: {_where(error)}")
    if book is None and not any(finding.severity == "error" for finding in findings):
        told.append("a set without errors does not load")
    if book is not None:
        try:
            Framing(read_link_profile(files[LINK_FILE]))
        except Exception as error:  # noqa: BLE001
            told.append(f"the framing of a good set raises {type(error).__name__}: {_where(error)}")
    return told


def _wrong(finding: Finding, files: Files) -> str:
    if OCP.fullmatch(finding.code):
        return ""
    if finding.path not in files and finding.path not in ABSENT:
        return f"{finding.code}: its path is no file: {finding.path[:80]!r}"
    lines = files[finding.path].count("\n") + 1 if finding.path in files else 0
    if not 0 <= finding.line <= lines:
        return f"{finding.code}: there is no line {finding.line} in {finding.path}"
    if finding.severity not in ("error", "warning"):
        return f"{finding.code}: the severity {finding.severity}"
    if not CODE.fullmatch(finding.code):
        return f"the code {finding.code}"
    if not finding.remedy:
        return f"{finding.code}: it does not say what to do: {finding.text[:60]}"
    return "" if finding.text else f"{finding.code}: it says nothing"


def _where(error: BaseException) -> str:
    """The error's words, and where of the product it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "pg_bridge" in frame.filename]
    at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{at} {str(error)[:100]}"


def main() -> None:
    """Fuzz for so long, and tell what was found, each kind once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    files = shipped()
    kinds: Counter[str] = Counter()
    ends = time.monotonic() + options.seconds
    count = good = 0
    while time.monotonic() < ends:
        count += 1
        made = mutated(chance, files)
        told = faults(made)
        good += not told
        for text in told:
            kind = re.sub(r"\d+\.\d s|line \d+|'[^']*'", "_", text)
            kinds[kind] += 1
            if kinds[kind] == 1:
                print(f"{options.seed}/{count}: {text}", flush=True)
                if options.keep:
                    _keep(options.keep / f"{options.seed}-{count}", made, files, text)
    print(f"{count} sets, {good} as due; " + "; ".join(f"{number} x {kind}" for kind, number in kinds.most_common()))


def _keep(folder: Path, made: Files, files: Files, text: str) -> None:
    """The files that differ from the shipped ones."""
    for path, content in made.items():
        if files.get(path) != content:
            at = folder / path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(content, "utf-8", errors="surrogatepass", newline="")
    folder.mkdir(parents=True, exist_ok=True)
    gone = sorted(set(files) - set(made))
    (folder / "told.txt").write_text("\n".join([text, *(f"gone: {path}" for path in gone)]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
