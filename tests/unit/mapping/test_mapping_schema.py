"""What rules learn from an OpenAPI schema."""

from __future__ import annotations

from typing import Any

import pytest

from pg_bridge.mapping.schema import Members


def openapi(**schemas: Any) -> dict[str, Any]:
    return {"components": {"schemas": schemas}}


NESTED = openapi(
    Amount={"type": ["string", "null"], "maxLength": 16},
    Money={
        "type": "object",
        "required": ["currency"],
        "properties": {
            "currency": {"enum": ["HKD", "CNY"]},
            "value": {"$ref": "#/components/schemas/Amount"},
        },
    },
    Base={"properties": {"id": {"type": "string", "maxLength": 9}}, "required": ["id"]},
    Entry={
        "allOf": [
            {"$ref": "#/components/schemas/Base"},
            {
                "required": ["money", "note"],
                "properties": {
                    "money": {"$ref": "#/components/schemas/Money"},
                    "note": {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]},
                },
            },
        ]
    },
)


def test_members_by_path_through_references_and_parts() -> None:
    members = Members(NESTED, "Entry")

    assert {"id", "money", "money.currency", "money.value", "note"} == {member.path for member in members}
    assert ("id", "money.currency") == members.required
    assert frozenset({"HKD", "CNY"}) == members["money.currency"].codes
    assert 16 == members["money.value"].most_characters
    assert members["money"].is_object
    assert not members["note"].is_required


def test_blank_documents_are_separate() -> None:
    blank = Members(NESTED, "Entry").blank()
    first = blank()
    first["money"]["currency"] = "HKD"

    assert {"id": None, "money": {"currency": None, "value": None}, "note": None} == blank()


def test_a_circle_is_told() -> None:
    circle = openapi(A={"properties": {"a": {"$ref": "#/components/schemas/A"}}})

    with pytest.raises(ValueError, match="circle"):
        Members(circle, "A")


def test_a_circle_of_references_is_told() -> None:
    circle = openapi(A={"$ref": "#/components/schemas/B"}, B={"$ref": "#/components/schemas/A"})

    with pytest.raises(ValueError, match="circle"):
        Members(circle, "A")


def test_an_unknown_schema_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Members(NESTED, "Nowhere")
