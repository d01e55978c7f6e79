"""How many entries OCP gives in one page of a listing; its OpenAPI document says so."""

from __future__ import annotations

from typing import Any

from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.openapi import resolved


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
