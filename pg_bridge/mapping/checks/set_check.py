"""What is wrong with a mapping set as files, before one of them is read: too much of it, or files that nobody reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pg_bridge.errors import Finding
from pg_bridge.link.profile import LINK_FILE
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.document import CASES_SUFFIX, RULES_FOLDER
from pg_bridge.mapping.report_document import REPORTS_FOLDER
from pg_bridge.profiles.hours import HOURS_FILE
from pg_bridge.profiles.layouts import FILES_FOLDER
from pg_bridge.profiles.legacy import CODES_FILE, GATEWAY_FILE, TEMPLATE_FOLDER
from pg_bridge.profiles.ocp_file import PROFILE_FILE
from pg_bridge.profiles.openapi import OPENAPI_FILE
from pg_bridge.profiles.standard_codes import STANDARD_CODES_FILE
from pg_bridge.typed_toml import nearest, shown

#: files that decide nothing: examples to play with
SAMPLES_FOLDER = "samples/"
#: Files of a set, and characters of its TOML files together, those of cases apart: more could not be checked within
#: a second. Cases are read only where all else is good.
MOST_FILES = 1000
MOST_CHARACTERS = 750_000
MOST_OF_CASES = 1_000_000
#: Findings that are named, and characters of one.
MOST_FINDINGS = 1000
MOST_TEXT = 1500

_FILES = (LINK_FILE, CODES_FILE, STANDARD_CODES_FILE, GATEWAY_FILE, PROFILE_FILE, OPENAPI_FILE, HOURS_FILE)
_FOLDERS = (TEMPLATE_FOLDER, FILES_FOLDER, RULES_FOLDER, REPORTS_FOLDER, SAMPLES_FOLDER)


def set_findings(files: Mapping[str, str]) -> list[Finding]:
    """Why a set (path below mappings/ to text) is not read at all, else a warning for each file that nobody reads.

    An error among them: do not read the set.
    """
    if len(files) > MOST_FILES:
        text = f"the set has {len(files):,} files, {MOST_FILES:,} are the most"
        return [f.Fault(f.TOO_MUCH, text).finding(max(files), 0)]
    tables = {path: len(text) for path, text in files.items() if path.endswith(".toml")}
    cases = {path: size for path, size in tables.items() if path.endswith(CASES_SUFFIX)}
    for what, sizes, most in (
        ("cases", cases, MOST_OF_CASES),
        ("other TOML files", {path: tables[path] for path in tables if path not in cases}, MOST_CHARACTERS),
    ):
        characters = sum(sizes.values())
        if characters > most:
            largest = max(sizes, key=lambda path: tables[path])
            text = f"the {what} of the set have {characters:,} characters together, {most:,} are the most"
            return [f.Fault(f.TOO_MUCH, f"{text}; this file has {sizes[largest]:,}").finding(largest, 0)]
    return list(_strangers(files))


def _strangers(files: Iterable[str]) -> Iterator[Finding]:
    for path in files:
        if path in _FILES or (
            path.startswith(_FOLDERS) and (path.endswith(".toml") or path.startswith(SAMPLES_FOLDER))
        ):
            continue
        remedy = f"{nearest(path, [*_FILES, *_FOLDERS])} Else take the file out."
        text = f"nobody reads the file {shown(path)}"
        yield Finding(f.UNUSED.code, f.UNUSED.severity, path, text, remedy=remedy)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings as a person can read them: by file, then by line, none twice, none endless, no more than MOST_FINDINGS.

    Those of one line come as they were found. Errors are kept before warnings.
    """
    told = sorted(dict.fromkeys(findings), key=lambda finding: (finding.path, finding.line))
    if len(told) > MOST_FINDINGS:
        kept = set(sorted(range(len(told)), key=lambda at: told[at].severity != "error")[:MOST_FINDINGS])
        more = f"{len(told) - MOST_FINDINGS:,} more findings are not named"
        told = [finding for at, finding in enumerate(told) if at in kept]
        remedy = "Correct those that are named, then check again."
        told.append(Finding(f.TOO_MUCH.code, "error", told[-1].path, more, told[-1].line, remedy=remedy))
    return [
        replace(finding, text=f"{finding.text[:MOST_TEXT]}...") if len(finding.text) > MOST_TEXT else finding
        for finding in told
    ]
