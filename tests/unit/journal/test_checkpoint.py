"""Signed notes against the known vector of the note format, and what a reader of checkpoints refuses."""

from __future__ import annotations

import base64

import pytest

from pg_bridge.errors import JournalCorrupt, JournalError
from pg_bridge.journal.checkpoint import Checkpoint, PublicKey, SigningKey, key_name

# The example of the Go note package, on which C2SP signed-note rests.
KNOWN_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
KNOWN_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
KNOWN_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
KNOWN_NOTE = (
    KNOWN_TEXT + "\n\N{EM DASH} PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

KEY = SigningKey("pg-bridge/n1", bytes(range(32)))
ROOT = bytes(range(32, 64))


def test_key_and_signature_are_those_of_the_known_vector() -> None:
    key = SigningKey.parse(KNOWN_PRIVATE)

    assert str(key.public) == KNOWN_PUBLIC
    assert key.written() == KNOWN_PRIVATE
    assert key.sign_note(KNOWN_TEXT) == KNOWN_NOTE
    assert PublicKey.parse(KNOWN_PUBLIC).open_note(KNOWN_NOTE) == KNOWN_TEXT


def test_checkpoint_is_origin_size_and_root() -> None:
    note = KEY.sign_checkpoint(1000, ROOT)

    assert ["pg-bridge/n1", "1000", base64.b64encode(ROOT).decode(), ""] == note.split("\n")[:4]
    assert Checkpoint("pg-bridge/n1", 1000, ROOT) == KEY.public.open_checkpoint(note)


def test_one_flipped_bit_anywhere_in_a_note_is_refused() -> None:
    note = KEY.sign_checkpoint(1000, ROOT).encode()
    accepted = []
    for place in range(len(note) * 8):
        flipped = bytearray(note)
        flipped[place // 8] ^= 1 << place % 8
        try:
            KEY.public.open_checkpoint(flipped.decode("utf-8", "replace"))
        except JournalCorrupt:
            continue
        accepted.append(place)

    assert accepted == []


@pytest.mark.parametrize(
    "text",
    [
        "pg-bridge/n1\n1000\n",
        "pg-bridge/n1\n01000\nAAAA\n",
        "pg-bridge/n1\n-1\nAAAA\n",
        "pg-bridge/n1\n\N{ARABIC-INDIC DIGIT ONE}\nAAAA\n",
        f"pg-bridge/n1\n{'9' * 5000}\nAAAA\n",
        "pg-bridge/n1\n1000\nnot base64\n",
        "pg-bridge/other\n1000\nAAAA\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_ours_is_refused(text: str) -> None:
    with pytest.raises(JournalCorrupt):
        KEY.public.open_checkpoint(KEY.sign_note(text))


def test_a_note_of_another_key_of_the_same_name_is_refused() -> None:
    forged = SigningKey("pg-bridge/n1", bytes(32)).sign_checkpoint(1000, ROOT)

    with pytest.raises(JournalCorrupt, match="not signed by"):
        KEY.public.open_checkpoint(forged)


@pytest.mark.parametrize("text", ["", "a text\n", "a\n\nb\n", "a\n\n\N{EM DASH} name\n", "a\n\n\N{EM DASH} name ***\n"])
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(JournalCorrupt):
        KEY.public.open_note(text)


@pytest.mark.parametrize(
    "text", ["", "pg-bridge/n1", "n+00000000+AAAA", "n+00000000+***", KNOWN_PUBLIC.replace("c74f20a3", "c74f20a4")]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(JournalError):
        PublicKey.parse(text)


@pytest.mark.parametrize("text", ["", KNOWN_PUBLIC, KNOWN_PRIVATE.replace("c74f20a3", "c74f20a4"), "PRIVATE+KEY+a+b+c"])
def test_what_is_no_signing_key_is_refused(text: str) -> None:
    with pytest.raises(JournalError):
        SigningKey.parse(text)


@pytest.mark.parametrize("node", ["", "a b", "a+b", "a\nb", "a\N{NO-BREAK SPACE}b"])
def test_a_node_name_that_no_note_can_carry_is_refused(node: str) -> None:
    with pytest.raises(JournalError):
        key_name(node)
