"""Which schema of the OpenAPI document an answer or a pushed body must fit; the document itself says so."""

from __future__ import annotations

from typing import Any

from pg_bridge.errors import ConfigError
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile

_SCHEMAS = "#/components/schemas/"


def answer_schema(profile: OcpProfile, operation: Operation) -> str:
    """The name of the schema of the operation's answer. Raises ConfigError when the document names none."""
    spec = profile.operations[operation]
    described = profile.openapi["paths"][spec.path][spec.method.lower()]
    return _named(profile, described.get("responses", {}).get("200", {}), f"the answer of {operation}")


def delivery_schema(profile: OcpProfile) -> str:
    """The name of the schema of a pushed body: the document has one webhook. Raises ConfigError otherwise."""
    hooks = [hook["post"] for hook in profile.openapi.get("webhooks", {}).values() if "post" in hook]
    return _named(profile, hooks[0].get("requestBody", {}) if len(hooks) == 1 else {}, "a pushed delivery")


def page_limit(profile: OcpProfile, operation: Operation, place: tuple[str, ...]) -> int | None:
    """The largest page that the operation's request schema allows at `place`, None where it does not say."""
    spec = profile.operations[operation]
    node: Any = profile.schema(spec.entry) if spec.entry else None
    for member in place:
        node = _resolved(profile, node)
        node = node.get("properties", {}).get(member) if isinstance(node, dict) else None
    node = _resolved(profile, node)
    most = node.get("maximum") if isinstance(node, dict) else None
    return most if isinstance(most, int) else None


def _named(profile: OcpProfile, body: Any, what: str) -> str:
    schema = _resolved(profile, body).get("content", {}).get("application/json", {}).get("schema", {})
    reference = str(schema.get("$ref", ""))
    if not reference.startswith(_SCHEMAS):
        raise ConfigError(f"reading the OpenAPI document: {what} names no schema")
    return reference.removeprefix(_SCHEMAS)


def _resolved(profile: OcpProfile, node: Any) -> Any:
    """The node itself, or what it refers to inside the document."""
    while isinstance(node, dict) and "$ref" in node:
        found: Any = profile.openapi
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node
