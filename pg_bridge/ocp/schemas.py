"""Which schema of the OpenAPI document an answer or a pushed body must fit; the document itself says so."""

from __future__ import annotations

from pg_bridge.errors import ConfigError
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.openapi import answer_name, delivery_name


def answer_schema(profile: OcpProfile, operation: Operation) -> str:
    """The name of the schema of the operation's answer. Raises ConfigError when the document names none."""
    spec = profile.operations[operation]
    return _named(answer_name(profile.openapi, spec.path, spec.method), f"the answer of {operation}")


def delivery_schema(profile: OcpProfile) -> str:
    """The name of the schema of a pushed body: the document has one webhook. Raises ConfigError otherwise."""
    return _named(delivery_name(profile.openapi), "a pushed delivery")


def _named(schema: str, what: str) -> str:
    if not schema:
        raise ConfigError(f"reading the OpenAPI document: {what} names no schema")
    return schema
