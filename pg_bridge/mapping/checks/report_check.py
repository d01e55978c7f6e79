"""Whether the parts of a report fit the frames that bring them: what no file of a set can tell by itself."""

from __future__ import annotations

from collections.abc import Mapping

from pg_bridge.errors import Finding
from pg_bridge.link.parts import PartsForm, piece_size
from pg_bridge.link.profile import link_profile_of
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault
from pg_bridge.mapping.rule_set import RuleSet
from pg_bridge.profiles.layouts import PARTS_FILE
from pg_bridge.typed_toml import Lines

#: characters of a message around its lines of data, at most
_AROUND = 500


def report_findings(files: Mapping[str, str], rules: RuleSet, form: PartsForm | None) -> list[Finding]:
    """What is wrong with reports in parts, in a set whose link profile is good."""
    asks = any(located.file.request is not None and located.file.request.report for located in rules.files)
    if form is None or not asks:
        return []
    characters = piece_size(form) // 3 * 4
    lines = characters // form.line
    most = characters + lines * (len(form.keys["data"]) + len("/\r\n")) + _AROUND
    largest = link_profile_of(files).text.largest
    if most <= largest:
        return []
    text = f"a part of {form.part:,} characters becomes a text of up to {most:,}, and a frame holds {largest:,}"
    return [Fault(f.DOES_NOT_FIT, text).finding(PARTS_FILE, Lines(files[PARTS_FILE]).of("parts.part"))]
