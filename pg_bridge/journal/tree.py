"""RFC 6962 Merkle trees: hashes of leaves and nodes, an append-only frontier, proofs and their verification.

Pure functions over SHA-256 digests of 32 bytes. Source: RFC 6962 section 2.1 (public).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """A tree's right edge: the roots of its perfect subtrees, largest first. Appending costs O(log n) at most."""

    __slots__ = ("_edge", "size")

    def __init__(self, size: int = 0, edge: Sequence[bytes] = ()) -> None:
        if len(edge) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} perfect subtrees, not {len(edge)}")
        self.size = size
        self._edge = list(edge)

    @property
    def edge(self) -> tuple[bytes, ...]:
        """The subtree roots, largest first."""
        return tuple(self._edge)

    def append(self, leaf: bytes) -> None:
        """Take the hash of one more leaf."""
        size = self.size
        while size & 1:
            leaf = sha256(b"\1" + self._edge.pop() + leaf).digest()
            size >>= 1
        self._edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The tree's root."""
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def _split(size: int) -> int:
    """The largest power of two below `size` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of the leaf at `index` (from 0), nearest first. Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    if len(leaves) == 1:
        return []
    at = _split(len(leaves))
    if index < at:
        return [*inclusion_proof(leaves[:at], index), root_of(leaves[at:])]
    return [*inclusion_proof(leaves[at:], index - at), root_of(leaves[:at])]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """The leaf hash stands at `index` of the tree of `size` with `root` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last = index, size - 1
    current = leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and current == root


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """The proof that the tree of the first `first` leaves is a prefix of the whole."""
    if not 0 < first <= len(leaves):
        raise IndexError(f"tree of {first} in {len(leaves)}")
    return _subproof(leaves, first, whole=True)


def _subproof(leaves: Sequence[bytes], first: int, *, whole: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [root_of(leaves)]
    at = _split(len(leaves))
    if first <= at:
        return [*_subproof(leaves[:at], first, whole=whole), root_of(leaves[at:])]
    return [*_subproof(leaves[at:], first - at, whole=False), root_of(leaves[:at])]


def verify_consistency(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """The tree of `first` leaves is a prefix of that of `second` (RFC 9162 section 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    node, last = first - 1, second - 1
    while node & 1:
        node >>= 1
        last >>= 1
    left = right = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            left = node_hash(sibling, left)
            right = node_hash(sibling, right)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            right = node_hash(right, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and left == first_root and right == second_root
