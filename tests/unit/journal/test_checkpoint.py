"""Checkpoints: the form of the note, and which notes are not to be trusted."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.journal.checkpoint import Checkpoint, Signer, key_hash, read_checkpoint

SIGNER = Signer("pg-bridge/node1", bytes(range(32)))
ROOT = sha256(b"root").digest()
NOTE = SIGNER.sign(7, ROOT)


def test_note_has_the_c2sp_form() -> None:
    origin, size, root, blank, signature, end = NOTE.split("\n")

    assert [origin, size, blank, end] == ["pg-bridge/node1", "7", "", ""]
    assert base64.b64decode(root) == ROOT
    assert signature.startswith("\u2014 pg-bridge/node1 ")
    coded = base64.b64decode(signature.split(" ")[2])
    assert coded[:4] == key_hash("pg-bridge/node1", SIGNER.public_key)
    assert len(coded) == 4 + 64


def test_key_hash_is_that_of_the_signed_note_specification() -> None:
    assert key_hash("a", b"k" * 32) == sha256(b"a\n\x01" + b"k" * 32).digest()[:4]


def test_note_is_read_back() -> None:
    assert Checkpoint("pg-bridge/node1", 7, ROOT) == read_checkpoint(NOTE, SIGNER.public_key)


def test_signature_is_the_same_each_time() -> None:
    assert SIGNER.sign(7, ROOT) == NOTE


def test_seeds_differ() -> None:
    assert Signer.new_seed() != Signer.new_seed()
    assert len(Signer.new_seed()) == 32


def test_signatures_of_others_beside_ours_do_not_matter() -> None:
    text, _, ours = NOTE.partition("\n\n")
    theirs = "\u2014 witness.example AAAAAAAA"

    assert isinstance(read_checkpoint(f"{text}\n\n{theirs}\n{ours}", SIGNER.public_key), Checkpoint)
    assert isinstance(read_checkpoint(f"{text}\n\n{ours}{theirs}\n", SIGNER.public_key), Checkpoint)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "garbage",
        NOTE.replace("\n7\n", "\n8\n"),
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("\n7\n", "\n-7\n"),
        NOTE.replace("\n7\n", "\n\u00b2\n"),
        NOTE.replace("\n7\n", "\n\u0667\n"),
        NOTE.replace("node1", "node2"),
        NOTE.replace("node1", "node2", 1),
        NOTE.replace("\n7\n", "\n7\nmore\n"),
        NOTE.partition("\n\n")[0] + "\n\n",
        NOTE.partition("\n\n")[0] + "\n\n\u2014 pg-bridge/node1\n",
        NOTE.partition("\n\n")[0] + "\n\n\u2014 pg-bridge/node1 \u00e9\n",
        NOTE.partition("\n\n")[0] + "\n\n\u2014 pg-bridge/node1 !!!!\n",
        NOTE[:-8] + "\n",
        "pg-bridge/node1\n7\n\u00e9\n\n" + NOTE.partition("\n\n")[2],
        "pg-bridge/node1\n7\n!!!\n\n" + NOTE.partition("\n\n")[2],
        Signer("pg-bridge/node1", bytes(32)).sign(7, ROOT),
        Signer("pg-bridge/node2", bytes(range(32))).sign(7, ROOT).replace("node2", "node1"),
    ],
)
def test_note_not_to_be_trusted_says_why(note: str) -> None:
    why = read_checkpoint(note, SIGNER.public_key)

    assert isinstance(why, str)
    assert why


@pytest.mark.parametrize("key", [b"", b"short", bytes(32)])
def test_key_that_is_none_or_another_is_told(key: bytes) -> None:
    assert isinstance(read_checkpoint(NOTE, key), str)


def test_key_of_another_length_is_told_though_its_hash_fits() -> None:
    text = NOTE.partition("\n\n")[0]
    coded = base64.b64encode(key_hash("pg-bridge/node1", b"short") + bytes(64)).decode()

    assert (
        read_checkpoint(f"{text}\n\n\u2014 pg-bridge/node1 {coded}\n", b"short") == "the journal's public key is none"
    )


def test_short_signature_with_the_right_key_hash_is_told() -> None:
    text = NOTE.partition("\n\n")[0]
    coded = base64.b64encode(key_hash("pg-bridge/node1", SIGNER.public_key) + b"short").decode()

    assert isinstance(read_checkpoint(f"{text}\n\n\u2014 pg-bridge/node1 {coded}\n", SIGNER.public_key), str)


@given(st.integers(0, len(NOTE) - 1), st.characters())
def test_one_changed_character_is_never_trusted(at: int, character: str) -> None:
    changed = NOTE[:at] + character + NOTE[at + 1 :]
    read = read_checkpoint(changed, SIGNER.public_key)

    # base64 has spare bits at its end and a note its last line feed: what is read is then what was signed
    assert isinstance(read, str) or read == Checkpoint("pg-bridge/node1", 7, ROOT)


@given(st.text(max_size=60))
def test_any_text_is_told_without_raising(text: str) -> None:
    assert isinstance(read_checkpoint(text, SIGNER.public_key), str)
