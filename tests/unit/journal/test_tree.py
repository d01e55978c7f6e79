"""RFC 6962: the tree against the certificate-transparency vectors, the RFC's own recursion, and its laws."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.journal.tree import (
    EMPTY_ROOT,
    TILE_LEVELS,
    Hashes,
    RightEdge,
    consistency_proof,
    edge_of,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

# The reference leaves and roots of the certificate-transparency log test suite.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# (leaf from 0, size, path) and (old, new, path) of the same suite.
INCLUSIONS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
]
CONSISTENCIES = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def hashes_of(leaves: list[bytes]) -> Hashes:
    def hash_of(level: int, number: int) -> bytes:
        if level == 0:
            return leaves[number]
        return node_hash(hash_of(level - 1, 2 * number), hash_of(level - 1, 2 * number + 1))

    return hash_of


def numbered(size: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_root_is_the_known_one(size: int) -> None:
    edge = RightEdge()
    for leaf in LEAVES[:size]:
        edge.append(leaf_hash(leaf))

    assert ROOTS[size] == edge.root().hex()


@pytest.mark.parametrize(("index", "size", "path"), INCLUSIONS)
def test_inclusion_path_is_the_known_one(index: int, size: int, path: list[str]) -> None:
    leaves = [leaf_hash(leaf) for leaf in LEAVES]

    made = inclusion_proof(index, size, hashes_of(leaves))

    assert path == [node.hex() for node in made]
    assert verify_inclusion(index, size, leaves[index], made, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCIES)
def test_consistency_path_is_the_known_one(old: int, new: int, path: list[str]) -> None:
    made = consistency_proof(old, new, hashes_of([leaf_hash(leaf) for leaf in LEAVES]))

    assert path == [node.hex() for node in made]
    assert verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), made)


def test_empty_tree_has_the_hash_of_nothing() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT == RightEdge().root()


@given(st.integers(0, 600))
@settings(max_examples=40, deadline=None)
def test_growing_gives_the_root_and_the_edge_of_the_definition(size: int) -> None:
    leaves = numbered(size)
    edge = RightEdge()
    kept = {}
    for leaf in leaves:
        kept |= {(level, number): subtree for level, number, subtree in edge.append(leaf)}

    assert naive_root(leaves) == edge.root()
    assert edge_of(size, hashes_of(leaves)).hashes == edge.hashes
    assert {
        (TILE_LEVELS, number): naive_root(leaves[256 * number : 256 * (number + 1)]) for number in range(size // 256)
    } == kept


@given(st.integers(1, 130), st.data())
@settings(max_examples=60, deadline=None)
def test_each_leaf_is_proven_and_nothing_else_is(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    root = naive_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(index, size, hashes_of(leaves))

    assert verify_inclusion(index, size, leaves[index], path, root)
    assert not verify_inclusion(index, size, leaf_hash(b"another"), path, root)
    assert not verify_inclusion(index, size, leaves[index], [*path, root], root)
    assert not verify_inclusion(index, size, leaves[index], path, EMPTY_ROOT)
    assert not verify_inclusion(size, size, leaves[index], path, root)
    if path:
        assert not verify_inclusion(index, size, leaves[index], path[:-1], root)
        assert not verify_inclusion(index ^ 1, size, leaves[index], path, root)


@given(st.integers(1, 130), st.data())
@settings(max_examples=60, deadline=None)
def test_a_tree_is_proven_to_begin_with_an_older_one_and_with_no_other(new: int, data: st.DataObject) -> None:
    leaves = numbered(new)
    old = data.draw(st.integers(1, new))
    old_root, new_root = naive_root(leaves[:old]), naive_root(leaves)
    path = consistency_proof(old, new, hashes_of(leaves))

    assert verify_consistency(old, new, old_root, new_root, path)
    assert not verify_consistency(old, new, old_root, new_root, [*path, new_root])
    if old < new:
        assert not verify_consistency(old, new, EMPTY_ROOT, new_root, path)
        assert not verify_consistency(old, new, old_root, EMPTY_ROOT, path)
        assert not verify_consistency(old, new, old_root, new_root, path[:-1])


def test_places_outside_the_tree_are_refused() -> None:
    hashes = hashes_of(numbered(4))

    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_proof(4, 4, hashes)
    with pytest.raises(ValueError, match="no consistency proof"):
        consistency_proof(0, 4, hashes)
    with pytest.raises(ValueError, match="edge hashes"):
        RightEdge(3, [EMPTY_ROOT])
    assert not verify_consistency(0, 4, EMPTY_ROOT, EMPTY_ROOT, [])
