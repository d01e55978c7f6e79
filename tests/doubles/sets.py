"""Mapping sets beside the shipped one."""

from __future__ import annotations

from functools import cache

from pg_bridge.mapping.book import MappingBook, load
from tests.doubles.mapping_files import shipped

SET_FILE, CODES_FILE = "rules/set.toml", "legacy/codes.toml"
#: where the edited code table says another market than the shipped one
EDITED_STOCK = "07001"
#: OCP's name for the settlement date in `other_ocp`
OTHER_MEMBER = "settlesOn"


def versioned(version: str, files: dict[str, str] | None = None) -> dict[str, str]:
    """Files under another version: the shipped ones, or those given."""
    files = dict(files or shipped())
    files[SET_FILE] = files[SET_FILE].replace("2026.11", version)
    return files


@cache
def _edited() -> tuple[tuple[str, str], ...]:
    files = versioned("edited")
    old = "ranges = [\n"
    assert 1 == files[CODES_FILE].count(old)
    line = f'    {{ from = "{EDITED_STOCK}", to = "{EDITED_STOCK}", code = "MAMK" }},\n'
    files[CODES_FILE] = files[CODES_FILE].replace(old, old + line)
    return tuple(files.items())


def edited() -> dict[str, str]:
    """The shipped files with an edited code table: EDITED_STOCK is in another market."""
    return dict(_edited())


def broken() -> dict[str, str]:
    """A set with a rule and a framing that do not check."""
    files = versioned("broken")
    files["rules/si-input.toml"] = files["rules/si-input.toml"].replace("FIAC/36B:SETT", "FIAC/36B:SEET")
    files["legacy/framing.toml"] = files["legacy/framing.toml"].replace("max_in_flight = ", "max_in_flight = -")
    return files


def other_ocp() -> dict[str, str]:
    """A set whose OCP profile calls the settlement date otherwise."""
    return {path: text.replace("settlementDate", OTHER_MEMBER) for path, text in versioned("other").items()}


@cache
def edited_book() -> MappingBook:
    """The set with the edited code table, loaded."""
    return load(edited())


@cache
def other_ocp_book() -> MappingBook:
    """The set with the other OCP profile, loaded."""
    return load(other_ocp())
