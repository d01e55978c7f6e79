"""What every order to the control must pass: nothing in it that nobody reads; refusals as JSON, each by its name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

#: so far ahead the clock jumps at most: each run of each day between takes place
MOST_AHEAD = timedelta(days=3660)
#: the longest time that an order may name, seconds
LONGEST_S = 31_622_400
#: the largest number that an order may name
LARGEST = 1_000_000_000


def _told(description: str, detail: dict[str, Any]) -> dict[str, Any]:
    # a schema in words: models would be built anew for every route
    schema = {"type": "object", "required": ["detail"], "properties": {"detail": detail}}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_FAULT = {
    "type": "object",
    "required": ["type", "loc", "msg"],
    "properties": {"type": {"type": "string"}, "loc": {"type": "array", "items": {}}, "msg": {"type": "string"}},
}
#: how every order may be refused
REFUSALS: dict[int | str, dict[str, Any]] = {
    404: _told("What it names is not there", {"type": "string"}),
    409: _told("It cannot be done now", {"type": "string"}),
    422: _told(
        "It is no order of this form: all that is wrong",
        {"anyOf": [{"type": "array", "items": _FAULT}, {"type": "string"}]},
    ),
}


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
