"""What every order to the control must pass: nothing in it that nobody reads; refusals as JSON, each by its name."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute


async def refuse_what_nobody_reads(request: Request) -> None:
    """Raise RequestValidationError for parameters that the route does not know, and for a body where it takes none."""
    route = request.scope["route"]
    if not isinstance(route, APIRoute):
        return
    known = {parameter.alias for parameter in route.dependant.query_params}
    faults = [_fault("query", name) for name in request.query_params if name not in known]
    takes_body = route.body_field is not None or "requestBody" in (route.openapi_extra or {})
    if not takes_body:
        try:
            given = msgspec.json.decode(await request.body() or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            given = None
        if given is None or not isinstance(given, dict):
            faults.append(_fault("body"))
        else:
            faults += [_fault("body", name) for name in given]
    if faults:
        raise RequestValidationError(faults)


def _fault(*loc: str) -> dict[str, Any]:
    return {"type": "extra_forbidden", "loc": loc, "msg": "nobody reads this here"}


async def tell_faults(_: Request, error: Exception) -> Response:
    """Tell what is wrong with an order without its values: not every one of them can be told."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    found = [{name: fault[name] for name in ("type", "loc", "msg")} for fault in error.errors()]
    return Response(msgspec.json.encode({"detail": found}), 422, media_type="application/json")
