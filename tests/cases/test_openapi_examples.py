"""The OpenAPI document in mappings/ocp holds to itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pg_bridge.profiles.concepts import CODE_TABLES, Operation
from tests.doubles.ocp_caller import shipped_profile

PROFILE = shipped_profile()
SCHEMAS = PROFILE.openapi["components"]["schemas"]


def contents(node: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every (path, schema name, example) below `node`."""
    if isinstance(node, list):
        for index, part in enumerate(node):
            yield from contents(part, f"{path}/{index}")
    elif isinstance(node, dict):
        schema = node.get("schema")
        name = schema.get("$ref", "").rsplit("/", 1)[-1] if isinstance(schema, dict) else ""
        if name:
            if "example" in node:
                yield path, name, node["example"]
            for label, example in node.get("examples", {}).items():
                yield f"{path}/{label}", name, example["value"]
        for member, part in node.items():
            yield from contents(part, f"{path}/{member}")


def references(node: Any) -> Iterator[str]:
    """Every $ref below `node`."""
    if isinstance(node, list):
        for part in node:
            yield from references(part)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for part in node.values():
            yield from references(part)


@pytest.mark.parametrize(("path", "name", "example"), list(contents(PROFILE.openapi["paths"])))
def test_an_example_fits_its_schema(path, name, example) -> None:
    assert [] == PROFILE.faults(name, example), path


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_values_own_examples_fit_it(name) -> None:
    for example in SCHEMAS[name].get("examples", []):
        assert [] == PROFILE.faults(name, example)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(PROFILE.openapi)):
        node = PROFILE.openapi
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_every_code_of_the_binding_is_in_the_schemas() -> None:
    tables = {
        "status": "Status",
        "event_type": "EventType",
        "direction": "Direction",
        "payment_instruction": "PaymentInstruction",
        "reason": "ReasonCode",
    }
    for table, name in tables.items():
        assert {PROFILE.code(table, meaning) for meaning in CODE_TABLES[table]} == set(SCHEMAS[name]["enum"])


def test_requests_take_no_unknown_member() -> None:
    for operation in Operation:
        entry = PROFILE.operations[operation].entry
        assert not entry or SCHEMAS[entry]["additionalProperties"] is False
