"""The files of reports/ as typed values: how what OCP tells of the market becomes records of a legacy file.

Shape: mappings/README.md. Sources are concepts of the OCP profile's binding, so that the same file serves any profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.profiles.template_file import Source
from pg_bridge.typed_toml import read_toml

REPORTS_FOLDER = "reports/"
#: the group of trades: of its entries the last state of each trade counts, and a report is of one market and day
TRADE = "trade"
GroupName = Literal["trade", "participant", "stock", "calendar_day", "ncp_mapping"]


class ReportColumn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """From a concept, or a `report.` source, to a column of the layout. Exactly one of `from` and `constant`.

    codes: the text of the file for each meaning (of a flag: yes, no); an empty text leaves the column empty.
    default: where OCP gives no value.
    """

    to: str
    from_: str = ""
    constant: str | None = None
    use: Literal["", "hours_and_minutes"] = ""
    codes: dict[str, str] = {}
    default: str | None = None


class ReportRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The columns of one kind of record that are given values."""

    columns: list[ReportColumn]


class ReportFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One report. of: whose entries are its records. report: the id under which it is downloaded.

    report_of: ids of the reports of single markets, by meaning. left_out: concepts that no column has, and why.
    """

    name: str
    meaning: str
    of: GroupName
    layout: str
    record: str
    report: str
    source: Source
    header: ReportRecord
    detail: ReportRecord
    report_of: dict[str, str] = {}
    left_out: dict[str, str] = {}


def read_report_files(files: Mapping[str, str], findings: list[Finding]) -> dict[str, ReportFile]:
    """The report files of a set by their path; what cannot be read becomes findings."""
    found: dict[str, ReportFile] = {}
    for path in sorted(files):
        if path.startswith(REPORTS_FOLDER) and path.endswith(".toml"):
            file: ReportFile | None = read_toml(path, files[path], ReportFile, findings)
            if file is not None:
                found[path] = file
    return found
