"""A typing error in framing.toml is named with its place, and no profile comes of it."""

from __future__ import annotations

import pytest

from pg_bridge.errors import MappingInvalid
from pg_bridge.link.concepts import CONTROLS, HEADER_CONCEPTS, MEANINGS
from pg_bridge.link.profile import read_link_profile
from tests.doubles import framing_file


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('concept = "session_id"', 'concept = "sesion_id"', "header: session_id is not bound"),
        ('concept = "session_id"', 'concept = "sesion_id"', "header: there is no concept sesion_id"),
        ('concept = "terminal"', 'concept = "sequence"', "header: sequence is bound twice"),
        ('concept = "terminal", width = 4', 'concept = "terminal", width = 0', "1.terminal: the width"),
        ('value = "01"', 'value = "001"', "1.version: a constant"),
        ('to_pg = "I"', 'to_pg = "IN"', "2.direction: a value is longer"),
        ('yes = "Y"', 'yea = "Y"', "possible_duplicate: its values must name no and yes"),
        ('concept = "checksum"', 'concept = "sum"', "trailer: the checksum must be bound once"),
        ("digits = 10", "digits = 8", "checksum.digits"),
        ('to = "text_close"\nadd', 'to = "frame_open"\nadd', "length: `from` must lie before `to`"),
        ('"20-7A"', '"20-ZZ"', "text.characters"),
        ('meaning = "sequence"', 'meaning = "squence"', "refusals: no code means sequence"),
        ('meaning = "sequence"', 'meaning = "squence"', "refusals: there is no meaning squence"),
        ("logoff = {", "logof = {", "control: logoff is not bound"),
        ("window = 16", "window = 0", "limits.window"),
        ("heartbeat_s = 30", "heartbeat_s = -30", "limits.heartbeat_s"),
        ('algorithm = "sum"', 'algorithm = "add"', "'add'"),
        ('answer_order = "request"', 'answer_order = "requests"', "'requests'"),
        ("max_in_flight = 64", 'max_in_flight = "64"', "max_in_flight"),
        ("resend_rounds = 3\n", "", "resend_rounds"),
        ("resend_rounds = 3", "resend_rounds = 3\nrounds = 3", "rounds"),
        ("[length]\nfrom", "[lenght]\nfrom", "lenght"),
        ('name = "pg-default"', "name = pg-default", "line"),
    ],
)
def test_typing_error_is_named(old: str, new: str, named: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        read_link_profile(framing_file.edited((old, new)))

    assert any(named in str(finding) for finding in caught.value.findings), caught.value.findings
    assert {"error"} == {finding.severity for finding in caught.value.findings}
    assert all(finding.path.startswith("legacy/framing.toml") for finding in caught.value.findings)


def test_shipped_profile_binds_everything() -> None:
    profile = framing_file.profile()
    bound = {field.concept for block in profile.header for field in block.fields if field.concept}

    assert bound == HEADER_CONCEPTS
    assert set(profile.control.templates) == CONTROLS
    assert {refusal.meaning for refusal in profile.refusals.values()} == MEANINGS
    assert [profile.code("busy"), profile.code("frame")] == ["BUSY", "FRAM"]


def test_every_shipped_entry_names_its_source() -> None:
    text = framing_file.TEXT

    assert text.count('source = "public"') == 4
    assert text.count('source = "assumed"') > 30
