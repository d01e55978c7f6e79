"""Captures of a network, pcap and pcapng -> what each side of each TCP connection sent, in order.

Strategy: packets are read one after another down to TCP; each direction is put together by sequence numbers, so that
packets sent again or out of order do no harm; what is missing cuts a stream in pieces. What is no TCP, and whatever a
short capture has cut off, is left out. Follows: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_PCAP = {b"\xd4\xc3\xb2\xa1": ("<", 1e6), b"\xa1\xb2\xc3\xd4": (">", 1e6),
         b"\x4d\x3c\xb2\xa1": ("<", 1e9), b"\xa1\xb2\x3c\x4d": (">", 1e9)}  # fmt: skip
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _SIMPLE, _PACKET = 0x0A0D0D0A, 1, 3, 6
_RESOLUTION = 9
_NULL, _ETHERNET, _RAW, _LOOP, _SLL, _RAW4, _RAW6, _SLL2 = 0, 1, 101, 108, 113, 228, 229, 276
_IPV4, _IPV6, _VLANS = 0x0800, 0x86DD, (0x8100, 0x88A8, 0x9100)
_TCP = 6
_EXTENSIONS = (0, 43, 60)
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_HALF = 1 << 31
#: bytes of one direction that wait for a missing packet; more, and it counts as lost
_MOST_WAITING = 1 << 20

End = tuple[bytes, int]


class Packet(NamedTuple):
    """One packet: when, in seconds since 1970 UTC; the link type; its bytes."""

    at: float
    link: int
    data: bytes


class Segment(NamedTuple):
    """One TCP segment."""

    source: End
    target: End
    sequence: int
    flags: int
    payload: bytes


class Run(NamedTuple):
    """Bytes without a gap, with the offsets at which segments began and when they came."""

    data: bytes
    times: tuple[tuple[int, float], ...]


@dataclass(slots=True)
class TcpStream:
    """One direction of a connection. dialled: it is the side that opened the connection, None where that was not seen.

    connection: counts from 0, the same for both directions. source, target: `address:port`.
    """

    connection: int
    source: str
    target: str
    dialled: bool | None
    runs: list[Run] = field(default_factory=list)


def is_capture(data: bytes) -> bool:
    """The bytes begin as pcap or pcapng do."""
    return data[:4] in _PCAP or data[:4] == _PCAPNG


def read_tcp(data: bytes) -> list[TcpStream]:
    """Every TCP stream of a capture that carries bytes; nothing for what is no capture."""
    open_flows: dict[tuple[End, End], _Flow] = {}
    flows: list[_Flow] = []
    connections = 0
    for packet in packets(data):
        segment = _segment(packet)
        if segment is None:
            continue
        way = (segment.source, segment.target)
        back = (segment.target, segment.source)
        is_opening = segment.flags & (_SYN | _ACK) == _SYN
        known = open_flows.get(way)
        if known is None or (is_opening and known.is_another(segment.sequence)):
            pair = (_Flow(connections, *way), _Flow(connections, *back))
            connections += 1
            open_flows[way], open_flows[back] = pair
            flows += pair
        flow = open_flows[way]
        if segment.flags & _SYN:
            flow.dialled = is_opening
            open_flows[back].dialled = not is_opening
        flow.take(segment, packet.at)
    return [flow.stream() for flow in flows if flow.has_bytes]


class _Flow:
    """One direction, put together as its segments come."""

    def __init__(self, connection: int, source: End, target: End) -> None:
        self.connection, self.source, self.target = connection, source, target
        self.dialled: bool | None = None
        self._first: int | None = None
        self._next: int | None = None
        self._waiting: dict[int, tuple[bytes, float]] = {}
        self._runs: list[tuple[bytearray, list[tuple[int, float]]]] = [(bytearray(), [])]

    @property
    def has_bytes(self) -> bool:
        """Something came."""
        return bool(self._waiting) or any(data for data, _ in self._runs)

    def is_another(self, sequence: int) -> bool:
        """A SYN with this number opens another connection between the same ports."""
        return self._next is not None and sequence != self._first

    def take(self, segment: Segment, at: float) -> None:
        """Take a segment, in whatever order."""
        sequence = segment.sequence
        if segment.flags & _SYN:
            self._first = sequence
            sequence = (sequence + 1) % (1 << 32)
            if self._next is None:
                self._next = sequence
        if not segment.payload:
            return
        if self._next is None:
            self._next = sequence
        held = self._waiting.get(sequence)
        if held is None or len(held[0]) < len(segment.payload):
            self._waiting[sequence] = (segment.payload, at)
        self._join()
        if sum(len(payload) for payload, _ in self._waiting.values()) > _MOST_WAITING:
            self._skip()

    def _join(self) -> None:
        """Put what follows behind what is there."""
        moved = True
        while moved and self._waiting:
            moved = False
            for sequence in sorted(self._waiting, key=self._behind):
                behind = self._behind(sequence)
                if behind > 0:
                    break
                payload, at = self._waiting.pop(sequence)
                fresh = payload[-behind:] if behind else payload
                if -behind < len(payload) and fresh:
                    data, times = self._runs[-1]
                    times.append((len(data), at))
                    data += fresh
                    self._next = ((self._next or 0) + len(fresh)) % (1 << 32)
                    moved = True

    def _behind(self, sequence: int) -> int:
        """How many bytes after the next due one a sequence number lies; negative: before it."""
        return (sequence - (self._next or 0) + _HALF) % (1 << 32) - _HALF

    def _skip(self) -> None:
        """What is missing was lost: go on in a new run."""
        self._runs.append((bytearray(), []))
        self._next = min(self._waiting, key=self._behind)
        self._join()

    def stream(self) -> TcpStream:
        """All that came."""
        while self._waiting:
            self._skip()
        runs = [Run(bytes(data), tuple(times)) for data, times in self._runs if data]
        return TcpStream(self.connection, _end(self.source), _end(self.target), self.dialled, runs)


def _end(end: End) -> str:
    address, port = end
    if len(address) == 4:
        return f"{'.'.join(map(str, address))}:{port}"
    groups = [address[at : at + 2].hex().lstrip("0") or "0" for at in range(0, 16, 2)]
    return f"[{':'.join(groups)}]:{port}"


# --- packets -------------------------------------------------------------------------------------------------


def packets(data: bytes) -> Iterator[Packet]:
    """The packets of a capture; what was cut off at its end is left out."""
    if data[:4] in _PCAP:
        yield from _pcap(data)
    elif data[:4] == _PCAPNG:
        yield from _pcapng(data)


def _pcap(data: bytes) -> Iterator[Packet]:
    order, unit = _PCAP[data[:4]]
    if len(data) < 24:
        return
    link = struct.unpack_from(order + "I", data, 20)[0] & 0x0FFFFFFF
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, size, _ = struct.unpack_from(order + "4I", data, at)
        at += 16
        yield Packet(seconds + fraction / unit, link, data[at : at + size])
        at += size


def _pcapng(data: bytes) -> Iterator[Packet]:
    order, at = "<", 0
    interfaces: list[tuple[int, float]] = []
    while at + 12 <= len(data):
        if data[at : at + 4] == _PCAPNG:
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(order + "2I", data, at)
        if size < 12 or at + size > len(data):
            return
        body = data[at + 8 : at + size - 4]
        if kind == _INTERFACE and len(body) >= 8:
            link = struct.unpack_from(order + "H", body)[0]
            interfaces.append((link, _unit(order, body[8:])))
        elif kind == _PACKET and len(body) >= 20:
            interface, high, low, kept = struct.unpack_from(order + "4I", body)
            if interface < len(interfaces):
                link, unit = interfaces[interface]
                yield Packet(((high << 32) | low) / unit, link, body[20 : 20 + kept])
        elif kind == _SIMPLE and interfaces and len(body) >= 4:
            yield Packet(0.0, interfaces[0][0], body[4:])
        at += size + -size % 4


def _unit(order: str, options: bytes) -> float:
    """How many ticks of an interface's clock make a second."""
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from(order + "2H", options, at)
        if code == _RESOLUTION and size >= 1 and at + 4 < len(options):
            exponent = options[at + 4]
            return float(2 ** (exponent & 0x7F)) if exponent & 0x80 else float(10**exponent)
        if code == 0:
            break
        at += 4 + size + -size % 4
    return 1e6


def _segment(packet: Packet) -> Segment | None:
    """The TCP segment in a packet, None where there is none, or not the whole of its headers."""
    try:
        return _tcp(*_ip(packet.link, packet.data))
    except (struct.error, IndexError):
        return None


def _ip(link: int, data: bytes) -> tuple[bytes, bytes, bytes]:
    """Source and target address and the TCP segment; the last is empty where there is none."""
    start = {_NULL: 4, _LOOP: 4, _RAW: 0, _RAW4: 0, _RAW6: 0, _SLL: 16, _SLL2: 20}.get(link)
    if link == _ETHERNET:
        start = 14
        (kind,) = struct.unpack_from(">H", data, 12)
        while kind in _VLANS:
            (kind,) = struct.unpack_from(">H", data, start + 2)
            start += 4
        if kind not in (_IPV4, _IPV6):
            start = None
    if start is None:
        return b"", b"", b""
    packet = data[start:]
    version = packet[0] >> 4
    if version == 4:
        size, offset = struct.unpack_from(">2xH2xH", packet)
        # pieces of a packet that was cut up on its way are not put together
        if packet[9] != _TCP or offset & 0x3FFF:
            return b"", b"", b""
        # a size of 0 is what a card that cuts packets itself leaves
        return packet[12:16], packet[16:20], packet[(packet[0] & 15) * 4 : size or len(packet)]
    if version != 6:
        return b"", b"", b""
    (size,) = struct.unpack_from(">H", packet, 4)
    kind, at = packet[6], 40
    while kind in _EXTENSIONS:
        kind, at = packet[at], at + 8 + packet[at + 1] * 8
    return packet[8:24], packet[24:40], packet[at : 40 + size if size else len(packet)] if kind == _TCP else b""


def _tcp(source: bytes, target: bytes, data: bytes) -> Segment | None:
    if not data:
        return None
    source_port, target_port, sequence, offset, flags = struct.unpack_from(">HHI4xBB", data)
    payload = data[(offset >> 4) * 4 :]
    return Segment((source, source_port), (target, target_port), sequence, flags, payload)
