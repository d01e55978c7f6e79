"""What Python understands of the link: the concepts that a link profile must bind to names and codes."""

from __future__ import annotations

#: of a header; each must be bound, or the frame cannot be used
HEADER_CONCEPTS = frozenset(
    {
        "participant",
        "terminal",
        "session_id",
        "sequence",
        "length",
        "direction",
        "message_type",
        "template",
        "timestamp",
        "possible_duplicate",
    }
)
#: concept of a header whose codes have meanings -> these
CODED = {"direction": ("to_pg", "to_pss"), "possible_duplicate": ("no", "yes")}
CHECKSUM = "checksum"
#: control -> the sub-message types that it must have
SUB_TYPES = {
    "logon": ("request", "answer"),
    "logoff": ("request", "answer"),
    "heartbeat": ("request", "answer"),
    "acknowledge": ("request",),
    "refusal": ("answer",),
}
CONTROLS = frozenset(SUB_TYPES)
CONTROL_TAGS = ("reference", "sub_type", "content")
CONTROL_KEYS = ("user", "credential", "status", "text", "sequence", "code")
CONTROL_VALUES = ("accepted", "refused")
#: of refusal codes
MEANINGS = frozenset({"frame", "size", "sequence", "session", "length", "checksum", "character", "template", "busy"})
#: in a frame, in their order
PLACES = ("frame_open", "text_open", "body_open", "body_close", "text_close")
