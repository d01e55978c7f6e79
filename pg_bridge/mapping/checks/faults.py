"""What the check of rules can find: each kind with its stable code and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pg_bridge.errors import Finding, Severity


class Kind(NamedTuple):
    """One kind of fault. remedy: what to do, one sentence."""

    code: str
    remedy: str
    severity: Severity = "error"


NO_SUCH_PROFILE_NAME = Kind(
    "PGB-MAP-030", "Name a template, operation, schema or shared file that the profiles and rules declare."
)
NO_SUCH_PLACE = Kind(
    "PGB-MAP-031", "Name a place of the template: its sequence path and field, as the template file has it."
)
NO_SUCH_MEMBER = Kind("PGB-MAP-032", "Name a member of the schema in openapi.yaml, `a.b` where it is nested.")
NO_SUCH_SOURCE = Kind("PGB-MAP-033", "Name a source that there is; mappings/README.md lists them.")
WRONG_FUNCTION = Kind("PGB-MAP-034", "Use a function with its options as mappings/README.md lists them.")
NO_SUCH_TABLE = Kind("PGB-MAP-035", "Name a table of codes.toml, or add it there.")
TABLE_INCOMPLETE = Kind("PGB-MAP-036", "Add the missing rows to the table in codes.toml, or take the wrong ones out.")
SAYS_TOO_MUCH = Kind("PGB-MAP-037", "Let the entry say one thing only, as mappings/README.md shows it.")
TWO_RULES = Kind("PGB-MAP-038", "Give both rules a `when` that never holds together, or take one out.")
NOT_FED = Kind(
    "PGB-MAP-039", "Add a rule for these messages, give one a `default`, make the field mandatory, or refuse them."
)
FORGOTTEN = Kind(
    "PGB-MAP-040", "Map it with `to`, or say `carried` or `refused` with the reason; in a message, `left_out`."
)
DOES_NOT_FIT = Kind("PGB-MAP-041", "Shorten the format or text on one side, widen it on the other, or use a function.")
NEVER_ACTS = Kind("PGB-MAP-042", "Correct the condition or the order, or take the entry out.")
WRONG_ORDER = Kind("PGB-MAP-043", "Follow the order and the sequences of the template.")
WRONG_CONDITION = Kind("PGB-MAP-044", "Write the condition as mappings/README.md shows it, with values that there are.")
TWICE = Kind("PGB-MAP-045", "Give each its own name, or take one out.")
NO_CASES = Kind("PGB-MAP-046", "Write a case for it in the .cases.toml file beside the rule file.")
TOO_MUCH = Kind("PGB-MAP-047", "Split it: no person could check so much in one place.")
UNUSED = Kind("PGB-MAP-048", "Use it or take it out.", "warning")


class Fault(NamedTuple):
    """One fault of a section: its kind, and what is wrong in words. at: the entry, as `request.rule[2]`."""

    kind: Kind
    text: str
    at: str = ""

    def finding(self, path: str, line: int) -> Finding:
        """The finding for a file and line."""
        kind = self.kind
        return Finding(kind.code, kind.severity, path, self.text, line, remedy=kind.remedy)


Faults = Iterator[Fault]
