"""The checksum algorithms that a link profile may name; all run in C, because every frame passes here."""

from __future__ import annotations

import zlib
from collections.abc import Callable

#: bytes whose sum stays below Adler-32's modulus of 65,521, whatever they are: 256 * 255 + 1
_EXACT = 256


def byte_sum(data: bytes | bytearray) -> int:
    """The sum of the unsigned values of all bytes.

    The low half of Adler-32 is 1 plus the sum of the bytes, exact for short pieces, and far faster than sum().
    """
    adler32 = zlib.adler32
    if len(data) <= _EXACT:
        return (adler32(data) & 0xFFFF) - 1
    total = 0
    for start in range(0, len(data), _EXACT):
        total += (adler32(data[start : start + _EXACT]) & 0xFFFF) - 1
    return total


def byte_xor(data: bytes | bytearray) -> int:
    """All bytes xored: the number that they are, folded in halves."""
    number, size = int.from_bytes(data, "big"), len(data)
    while size > 1:
        half = (size + 1) // 2
        number = (number >> (8 * half)) ^ (number & ((1 << (8 * half)) - 1))
        size = half
    return number


def mod97(data: bytes | bytearray) -> int:
    """The bytes as one big-endian number, modulo 97."""
    return int.from_bytes(data, "big") % 97


def nothing(data: bytes | bytearray) -> int:
    """Zero, whatever is covered."""
    return 0


ALGORITHMS: dict[str, Callable[[bytes | bytearray], int]] = {
    "sum": byte_sum,
    "xor": byte_xor,
    "crc32": zlib.crc32,
    "mod97": mod97,
    "none": nothing,
}
