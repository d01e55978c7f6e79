"""RFC 6962 trees: the published vectors, and proofs of every size up to 32, taken and refused."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.journal.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The reference tree of the certificate-transparency project (merkletree tests): leaves, and the root of each prefix.
LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
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
MANY = [leaf_hash(bytes([number])) for number in range(33)]
OTHER = sha256(b"other").digest()


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    assert ROOTS[size] == root_of(LEAVES[:size]).hex()


def test_frontier_has_every_prefix_root_on_its_way() -> None:
    frontier = Frontier()
    roots = [frontier.root().hex()]
    for leaf in LEAVES:
        frontier.append(leaf)
        roots.append(frontier.root().hex())

    assert roots == ROOTS
    assert frontier.size == 8


def test_empty_tree() -> None:
    assert root_of([]) == EMPTY_ROOT
    assert sha256(b"").digest() == EMPTY_ROOT


def test_leaves_and_nodes_are_told_apart() -> None:
    assert leaf_hash(b"ab") == sha256(b"\x00ab").digest()
    assert node_hash(b"a", b"b") == sha256(b"\x01ab").digest()


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
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
    ],
)
def test_known_inclusion_proofs(index: int, size: int, proof: list[str]) -> None:
    assert proof == [node.hex() for node in inclusion_proof(LEAVES[:size], index)]


@pytest.mark.parametrize(
    ("first", "second", "proof"),
    [
        (1, 1, []),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_known_consistency_proofs(first: int, second: int, proof: list[str]) -> None:
    assert proof == [node.hex() for node in consistency_proof(LEAVES[:second], first)]


@pytest.mark.parametrize("size", range(1, 33))
def test_inclusion_of_every_leaf(size: int) -> None:
    leaves = MANY[:size]
    root = root_of(leaves)
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        leaf = leaves[index]

        assert verify_inclusion(leaf, index, size, proof, root)
        assert not verify_inclusion(OTHER, index, size, proof, root)
        assert not verify_inclusion(leaf, index, size, proof, OTHER)
        assert not verify_inclusion(leaf, index, size, [*proof, OTHER], root)
        assert not verify_inclusion(leaf, size, size, proof, root)
        assert not verify_inclusion(leaf, -1, size, proof, root)
        for at in range(len(proof)):
            assert not verify_inclusion(leaf, index, size, [*proof[:at], OTHER, *proof[at + 1 :]], root)
            assert not verify_inclusion(leaf, index, size, [*proof[:at], *proof[at + 1 :]], root)
        for wrong in range(size):
            assert (wrong == index) == verify_inclusion(leaf, wrong, size, proof, root)


@pytest.mark.parametrize("second", range(1, 33))
def test_consistency_with_every_prefix(second: int) -> None:
    leaves = MANY[:second]
    root = root_of(leaves)
    for first in range(1, second + 1):
        proof = consistency_proof(leaves, first)
        old = root_of(leaves[:first])

        assert verify_consistency(first, old, second, root, proof)
        assert not verify_consistency(first, OTHER, second, root, proof)
        assert not verify_consistency(first, old, second, OTHER, proof)
        assert not verify_consistency(first, old, second, root, [*proof, OTHER])
        assert not verify_consistency(0, old, second, root, proof)
        assert not verify_consistency(second + 1, old, second, root, proof)
        for at in range(len(proof)):
            assert not verify_consistency(first, old, second, root, [*proof[:at], OTHER, *proof[at + 1 :]])
            assert not verify_consistency(first, old, second, root, [*proof[:at], *proof[at + 1 :]])


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_proof_of_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(MANY[:3], index)


@pytest.mark.parametrize("first", [-1, 0, 4])
def test_proof_of_a_prefix_that_is_none(first: int) -> None:
    with pytest.raises(IndexError):
        consistency_proof(MANY[:3], first)


@given(st.lists(st.binary(max_size=8), max_size=80), st.data())
def test_frontier_may_be_laid_down_and_taken_up_anywhere(leaves: list[bytes], data: st.DataObject) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    at = data.draw(st.integers(0, len(hashes)))
    first = Frontier()
    for leaf in hashes[:at]:
        first.append(leaf)
    second = Frontier(first.size, first.edge)
    for leaf in hashes[at:]:
        second.append(leaf)

    assert second.root() == root_of(hashes)
    assert first.size == at
    assert first.root() == root_of(hashes[:at])


def test_frontier_refuses_an_edge_of_another_size() -> None:
    with pytest.raises(ValueError, match="perfect subtrees"):
        Frontier(3, [OTHER])


@given(st.lists(st.binary(max_size=4), min_size=2, max_size=40), st.data())
def test_any_change_of_the_leaves_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    at = data.draw(st.integers(0, len(hashes) - 1))

    assert root_of(hashes) != root_of([*hashes[:at], OTHER, *hashes[at + 1 :]])
    assert root_of(hashes) != root_of([*hashes[:at], *hashes[at + 1 :]])
    assert root_of(hashes) != root_of([*hashes[:at], OTHER, *hashes[at:]])
