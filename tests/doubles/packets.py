"""Captures written by hand: packets of a few connections as pcap or pcapng."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Literal

SYN, ACK, FIN = 2, 16, 1


def tcp(
    source: tuple[str, int], target: tuple[str, int], sequence: int, payload: bytes = b"", flags: int = ACK
) -> bytes:
    """A TCP segment in an IPv4 packet."""
    segment = struct.pack(">HHIIBBHHH", source[1], target[1], sequence % 2**32, 0, 5 << 4, flags, 65535, 0, 0) + payload
    ends = bytes(map(int, source[0].split("."))) + bytes(map(int, target[0].split(".")))
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + ends + segment


def tcp6(source: int, target: int, sequence: int, payload: bytes = b"", flags: int = ACK) -> bytes:
    """A TCP segment in an IPv6 packet with a hop-by-hop extension, between ports of ::1 and ::2."""
    segment = struct.pack(">HHIIBBHHH", source, target, sequence, 0, 5 << 4, flags, 65535, 0, 0) + payload
    extension = bytes((6, 0, 1, 4, 0, 0, 0, 0))
    one, two = bytes(15) + b"\x01", bytes(15) + b"\x02"
    ends = one + two if source > target else two + one
    return struct.pack(">IHBB", 6 << 28, 8 + len(segment), 0, 64) + ends + extension + segment


def ethernet(packet: bytes, *, vlan: bool = False) -> bytes:
    """The packet in an Ethernet frame, filled to its least size as cards do."""
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    tag = b"\x81\x00\x00\x07" if vlan else b""
    return (bytes(12) + tag + kind + packet).ljust(60, b"\0")


def pcap(
    packets: Iterable[tuple[float, bytes]], *, order: Literal["<", ">"] = "<", nano: bool = False, link: int = 1
) -> bytes:
    """A pcap file."""
    unit = 10**9 if nano else 10**6
    out = struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for at, data in packets:
        out += struct.pack(order + "4I", int(at), int(at % 1 * unit), len(data), len(data)) + data
    return out


def pcapng(
    packets: Iterable[tuple[float, bytes]], *, order: Literal["<", ">"] = "<", resolution: int = 9, link: int = 1
) -> bytes:
    """A pcapng file of one interface whose clock counts 10^-resolution of a second."""
    out = _block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += _block(
        order, 1, struct.pack(order + "HHI", link, 0, 0) + struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    )
    for at, data in packets:
        ticks = round(at * 10**resolution)
        out += _block(
            order, 6, struct.pack(order + "5I", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)) + data
        )
    return out


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size
