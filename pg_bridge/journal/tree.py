"""The Merkle tree of RFC 6962 section 2.1: hashes, the right edge that grows, proofs and their check.

A complete subtree is named by (level, number): it covers the 2**level leaves from number * 2**level on. Only
complete subtrees ever need keeping; every root and proof is made of them. `Hashes` gives the hash of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

Hashes = Callable[[int, int], bytes]
"""(level, number) -> hash of that complete subtree."""

TILE_LEVELS = 8
"""Subtrees at each multiple of this level are kept by the journal: roots of 256, 65536, ... leaves."""

_sha256 = hashlib.sha256

EMPTY_ROOT = _sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return _sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return _sha256(b"\x01" + left + right).digest()


class RightEdge:
    """A tree that grows, as the hashes of its largest complete subtrees, left to right: one for each 1-bit of size."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} edge hashes, not {len(hashes)}")
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash. Gives the kept subtrees (level, number, hash) that it completed, mostly none."""
        size = self.size
        hashes = self.hashes
        completed: list[tuple[int, int, bytes]] = []
        level = 0
        while size >> level & 1:
            leaf = _sha256(b"\x01" + hashes.pop() + leaf).digest()
            level += 1
            if not level % TILE_LEVELS:
                completed.append((level, size >> level, leaf))
        hashes.append(leaf)
        self.size = size + 1
        return completed

    def root(self) -> bytes:
        """The tree head's hash."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            root = node_hash(left, root)
        return root

    def copy(self) -> RightEdge:
        """The same, to grow apart."""
        return RightEdge(self.size, self.hashes)


def edge_of(size: int, hashes: Hashes) -> RightEdge:
    """The right edge of the tree of the first `size` leaves."""
    return RightEdge(size, _edge_hashes(0, size, hashes))


def _edge_hashes(start: int, stop: int, hashes: Hashes) -> list[bytes]:
    found = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append(hashes(level, start >> level))
        start += 1 << level
    return found


def _range_root(start: int, stop: int, hashes: Hashes) -> bytes:
    """MTH(D[start:stop]); `start` is where a split of the tree put it, so each part is a complete subtree."""
    edge = _edge_hashes(start, stop, hashes)
    root = edge[-1]
    for left in edge[-2::-1]:
        root = node_hash(left, root)
    return root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """PATH(index, D[size]): the audit path of the leaf `index` (from 0) in the tree of `size` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    start, stop = 0, size
    path: list[bytes] = []
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(_range_root(middle, stop, hashes))
            stop = middle
        else:
            path.append(_range_root(start, middle, hashes))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, hashes: Hashes) -> list[bytes]:
    """PROOF(old, D[new]): that the tree of `new` leaves begins with the tree of `old`. Both from 1 on."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new} leaves")
    start, stop = 0, new
    path: list[bytes] = []
    is_whole = True  # D[start:old] is the old tree itself, whose root the checker knows
    while stop != old:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append(_range_root(middle, stop, hashes))
            stop = middle
        else:
            path.append(_range_root(start, middle, hashes))
            start = middle
            is_whole = False
    if not is_whole:
        path.append(_range_root(start, stop, hashes))
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` shows that the leaf hash `leaf` is the leaf `index` under `root` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    number, last = index, size - 1
    found = leaf
    for sibling in path:
        if last == 0:
            return False
        if number & 1 or number == last:
            found = node_hash(sibling, found)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        number >>= 1
        last >>= 1
    return last == 0 and found == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` shows that the new tree begins with the old one (RFC 9162 section 2.1.4.2)."""
    if old == new:
        return old > 0 and not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    number, last = old - 1, new - 1
    while number & 1:
        number >>= 1
        last >>= 1
    found_old = found_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            found_old = node_hash(sibling, found_old)
            found_new = node_hash(sibling, found_new)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            found_new = node_hash(found_new, sibling)
        number >>= 1
        last >>= 1
    return last == 0 and found_old == old_root and found_new == new_root
