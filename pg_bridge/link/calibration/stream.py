"""What was recorded: streams of bytes, and the answers that are sought in them."""

from __future__ import annotations

from typing import Literal, NamedTuple

Side = Literal["to_pg", "to_pss", ""]
Grade = Literal["sure", "likely", "open"]


#: the answer where what is optional never stands in the traffic
NOT_USED = "not used"


class Piece(NamedTuple):
    """Bytes without a gap. times: offset of a byte and when it came, seconds since 1970 UTC, ascending."""

    data: bytes
    times: tuple[tuple[int, float], ...] = ()


class Stream(NamedTuple):
    """One direction of one TCP connection. side: to whom it went, empty where unknown (or where both are mixed)."""

    name: str
    connection: str
    side: Side
    pieces: tuple[Piece, ...]


class Answer(NamedTuple):
    """One question about the framing.

    grade: `sure`; `likely` (rivals fit as well, or it rests on little); `open` (taken from the default).
    agree of frames: how many frames agree of those that could tell. record: what traffic would settle it.
    """

    question: str
    answer: str
    grade: Grade
    agree: int
    frames: int
    rivals: tuple[str, ...] = ()
    record: str = ""
