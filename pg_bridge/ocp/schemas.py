"""Which schema of the OpenAPI document an answer or a pushed body must fit; the document itself says so."""

from __future__ import annotations

from typing import Any

from pg_bridge.errors import ConfigError
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.openapi import answer_name, delivery_name, resolved


def answer_schema(profile: OcpProfile, operation: Operation) -> str:
    """The name of the schema of the operation's answer. Raises ConfigError when the document names none."""
    spec = profile.operations[operation]
    return _named(answer_name(profile.openapi, spec.path, spec.method), f"the answer of {operation}")


def delivery_schema(profile: OcpProfile) -> str:
    """The name of the schema of a pushed body: the document has one webhook. Raises ConfigError otherwise."""
    return _named(delivery_name(profile.openapi), "a pushed delivery")


def page_limit(profile: OcpProfile, operation: Operation, place: tuple[str, ...]) -> int | None:
    """The largest page that the operation's request schema allows at `place`, None where it does not say."""
    spec = profile.operations[operation]
    node: Any = profile.schema(spec.entry) if spec.entry else None
    for member in place:
        node = resolved(profile.openapi, node)
        members = node.get("properties") if isinstance(node, dict) else None
        node = members.get(member) if isinstance(members, dict) else None
    node = resolved(profile.openapi, node)
    most = node.get("maximum") if isinstance(node, dict) else None
    return most if isinstance(most, int) else None


def _named(schema: str, what: str) -> str:
    if not schema:
        raise ConfigError(f"reading the OpenAPI document: {what} names no schema")
    return schema
