"""The situations in which a message to the PSS is written: what the core has to tell, and so what its sources hold."""

from __future__ import annotations

from typing import NamedTuple

from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.template import Template

#: the function whose messages also tell outcomes after a request was answered "not known yet"
LATE_FUNCTION = "status_change"
OUTCOMES = frozenset({"accepted", "waits", "partly", "refused", "found", "nothing_found"})


class Situation(NamedTuple):
    """outcome: of the answer; None for an update. has_entry: OCP's entry is there. is_late: of it only what was asked
    and answered. has_request: a request of ours stands behind it, surely (True) or perhaps (None).
    """

    outcome: str | None
    has_entry: bool
    is_late: bool = False
    has_request: bool | None = True


_INSTRUCT = (
    Situation("accepted", has_entry=True),
    Situation("waits", has_entry=True),
    Situation("waits", has_entry=False),
    Situation("refused", has_entry=False),
)
_ENQUIRE = (
    Situation("found", has_entry=True),
    Situation("nothing_found", has_entry=False),
    Situation("refused", has_entry=False),
)
_REPORT = (Situation("found", has_entry=False), Situation("refused", has_entry=False))
_UPLOAD = (
    Situation("accepted", has_entry=False),
    Situation("partly", has_entry=False),
    Situation("refused", has_entry=False),
)
_UPDATE = (Situation(None, has_entry=True, has_request=None),)
_LATE = (
    Situation("accepted", has_entry=True, is_late=True),
    Situation("refused", has_entry=False, is_late=True),
)


def situations(
    function: str,
    part: str,
    template: Template,
    legacy: LegacyProfile,
    *,
    is_report: bool = False,
    is_upload: bool = False,
) -> tuple[Situation, ...]:
    """All situations of an answer or message section of a function.

    is_report: it brings a report, or says why not. is_upload: it answers files.
    """
    if is_report:
        return _REPORT
    if is_upload:
        return _UPLOAD
    if part == "message":
        return _UPDATE + _LATE if function == LATE_FUNCTION else _UPDATE
    effects = {other.effect for other in legacy.templates.values() if other.function == function}
    return _ENQUIRE if "enquire" in effects else _INSTRUCT
