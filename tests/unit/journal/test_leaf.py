"""The leaf, pinned by hand: a change of these bytes breaks every journal that was ever written."""

from __future__ import annotations

import hashlib

import pytest

from pg_bridge.journal import leaf


def test_leaf_is_this_array() -> None:
    digest = hashlib.sha256(b"0123456789abcdef" + b'{"a":1}').digest()
    made = leaf.leaf_bytes(
        7,
        1_772_415_000_000_001,
        "n1",
        "instruction_received",
        "x1",
        "C00019",
        leaf.references_json({"si_number": "SI1", "reference": 'quote " and é'}),
        "si-input@0123",
        leaf.findings_json(("PGB-MSG-003",)),
        digest,
    )

    expected = (
        '[7,1772415000000001,"n1","instruction_received","x1","C00019",'
        '{"reference":"quote \\" and é","si_number":"SI1"},"si-input@0123",["PGB-MSG-003"],'
        f'"{digest.hex()}"]'
    )
    assert expected.encode() == made
    assert digest == leaf.payload_hash(b"0123456789abcdef", b'{"a":1}')


def test_nothing_is_written_as_empty() -> None:
    assert leaf.references_json({}) == b"{}"
    assert leaf.findings_json(()) == b"[]"


def test_text_that_is_no_unicode_has_no_leaf() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        leaf.references_json({"reference": "\ud800"})
