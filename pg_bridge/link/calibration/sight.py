"""Frames found in a stream, whatever stands between them.

Strategy: anything of the shape `{id:...}{id:<line end>...-}{id:...}` is a frame seen; the shape seen most often is the
layout; the streams are then searched again for exactly that layout, so that a frame cut short swallows no other.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from pg_bridge.link.calibration.stream import Piece, Side, Stream

_SEEN = re.compile(
    rb"((?:\{[A-Z0-9]{1,16}:[^{}\r\n]{1,256}\}){1,9})"
    rb"\{([A-Z0-9]{1,16}):(\r\n|\n|\r)([^{}]*?)(?<=[\r\n])-\}\{([A-Z0-9]{1,16}):([^{}\r\n]{1,256})\}"
)
_ANY_END = re.compile(rb"\r\n|\n|\r")
_LINE_ENDS: dict[str, Literal["CRLF", "LF", "CR"]] = {"\r\n": "CRLF", "\n": "LF", "\r": "CR"}
_BLOCK = re.compile(r"\{([A-Z0-9]{1,16}):([^{}]*)\}")


class Layout(NamedTuple):
    """The blocks of a frame: (id, width) of each header block, the text's id, the trailer, the line end."""

    header: tuple[tuple[str, int], ...]
    text: str
    trailer: tuple[str, int]
    line_end: str

    @property
    def text_open(self) -> int:
        """Where the text block begins, in bytes from the frame's first."""
        return sum(width + len(name) + 3 for name, width in self.header)

    @property
    def body_open(self) -> int:
        """Where the body begins, in bytes from the frame's first."""
        return self.text_open + len(self.text) + 2 + len(self.line_end)

    @property
    def line_end_name(self) -> Literal["CRLF", "LF", "CR"]:
        """The line end as the framing file names it."""
        return _LINE_ENDS[self.line_end]

    def agrees_in_lines(self, body: bytes) -> bool:
        """Every line of a text ends as the one that opens it."""
        return set(_ANY_END.findall(body)) <= {self.line_end.encode()}


class Row(NamedTuple):
    """One frame. header: the contents of its header blocks, one behind the other; time: seconds since 1970, or None."""

    stream: int
    side: Side
    header: str
    trailer: str
    body: bytes
    raw: bytes
    time: float | None


class Sighting(NamedTuple):
    """What was found: the layout (None without any frame), how many of the frames seen have it, the frames, the rest.

    between: how many bytes stand outside the frames, without the CR and LF that are tolerated there.
    """

    layout: Layout | None
    agree: int
    seen: int
    others: tuple[Layout, ...]
    rows: list[Row]
    between: int


def sight(streams: Sequence[Stream]) -> Sighting:
    """Find the frames of all streams."""
    layouts: Counter[Layout] = Counter()
    for stream in streams:
        for piece in stream.pieces:
            layouts.update(_layouts(piece.data))
    if not layouts:
        return Sighting(None, 0, 0, (), [], sum(len(piece.data) for stream in streams for piece in stream.pieces))
    (layout, agree), *others = layouts.most_common(4)
    rows: list[Row] = []
    between = 0
    for number, stream in enumerate(streams):
        for piece in stream.pieces:
            found = _rows(layout, number, stream.side, piece)
            taken = sum(len(row.raw) for row in found)
            between += len(piece.data) - taken - (_tolerated(piece.data) - sum(_tolerated(row.raw) for row in found))
            rows += found
    return Sighting(layout, agree, layouts.total(), tuple(other for other, _ in others), rows, between)


def _layouts(data: bytes) -> Iterator[Layout]:
    end = 0
    for seen in _SEEN.finditer(data):
        # behind a brace that closes no frame stands the rest of one whose beginning was cut off
        if seen.start() == end or data[seen.start() - 1 : seen.start()] != b"}":
            yield _layout(seen)
        end = seen.end()


def _tolerated(data: bytes) -> int:
    return data.count(b"\r") + data.count(b"\n")


def _layout(seen: re.Match[bytes]) -> Layout:
    blocks = _BLOCK.findall(seen[1].decode("latin-1"))
    return Layout(
        tuple((name, len(content)) for name, content in blocks),
        seen[2].decode("ascii"),
        (seen[5].decode("ascii"), len(seen[6])),
        seen[3].decode("ascii"),
    )


def _rows(layout: Layout, stream: int, side: Side, piece: Piece) -> list[Row]:
    data = piece.data
    blocks = "".join(rf"\{{{name}:([^{{}}\r\n]{{{width}}})\}}" for name, width in layout.header)
    opening = re.compile((rf"{blocks}\{{{layout.text}:" + re.escape(layout.line_end)).encode())
    end_mark = f"{layout.line_end}-}}{{{layout.trailer[0]}:".encode()
    trailer = re.compile(rb"([^{}\r\n]{%d})\}" % layout.trailer[1])
    offsets = [offset for offset, _ in piece.times]
    openings = list(opening.finditer(data))
    rows: list[Row] = []
    for number, opened in enumerate(openings):
        limit = openings[number + 1].start() if number + 1 < len(openings) else len(data)
        # the line end that opens an empty text is the one before its `-}`
        mark = data.find(end_mark, opened.end() - len(layout.line_end), limit)
        closed = trailer.match(data, mark + len(end_mark)) if mark >= 0 else None
        if closed is None:
            continue
        body = data[opened.end() : mark + len(layout.line_end)]
        header = b"".join(opened.groups()).decode("latin-1")
        at = bisect_right(offsets, opened.start()) - 1
        time = piece.times[at][1] if at >= 0 else None
        raw = data[opened.start() : closed.end()]
        rows.append(Row(stream, side, header, closed[1].decode("latin-1"), body, raw, time))
    return rows
