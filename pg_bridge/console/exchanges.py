"""Commands about exchanges by the control door: what is not over, and a person's word on one in doubt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol, cast, get_args

import msgspec
from fastapi import FastAPI, Request, Response

from pg_bridge.console.answers import document, words
from pg_bridge.errors import Finding, JournalError
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.exchange.standing import Listing, Which

EXCHANGES_PATH = "/exchanges"
RESOLUTIONS_PATH = "/exchanges/resolutions"
#: exchanges in one listing
MOST_LISTED = 10_000
_KINDS: tuple[Which, ...] = get_args(Which)


class ResolutionAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's word on the exchange that `key` names: it was done (si_number), or it was not.

    is_preview: only say what would follow. is_unchecked: also where OCP gives no answer. by, reason: as the person
    states.
    """

    key: str
    is_done: bool
    si_number: str = ""
    is_preview: bool = False
    is_unchecked: bool = False
    by: str = ""
    reason: str = ""


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a person's word, or (would_resolve) would become.

    exchange: its id, empty where none was found. why: why it is in doubt. told: what its PSS is told, in words.
    position: of the journal's last entry about it; 0: none.
    """

    verdict: Literal["resolved", "would_resolve", "refused"]
    exchange: str = ""
    participant: str = ""
    reference: str = ""
    function: str = ""
    why: str = ""
    is_done: bool = False
    si_number: str = ""
    told: str = ""
    position: int = 0
    findings: Sequence[Finding] = ()


class ExchangesPort(Protocol):
    """Who knows the exchanges. Raises JournalError when nothing can be made durable."""

    def listing(self, which: frozenset[Which], participant: str, most: int) -> Listing:
        """What is not over, of the kinds named."""
        ...

    async def resolve(self, asked: ResolutionAsked, who: Who) -> Resolution:
        """Take a person's word, if nothing that is known says otherwise."""
        ...


#: reads a command of a type, and who gives it; a response says what is wrong with it
Reading = Callable[[Request, type[ResolutionAsked], str], Awaitable[tuple[ResolutionAsked, Who] | Response]]


def add_exchanges(app: FastAPI, port: ExchangesPort, read: Reading) -> None:
    """Add `GET /exchanges?which=...&participant=...&most=...` and `POST /exchanges/resolutions`."""

    @app.get(EXCHANGES_PATH)
    async def listed(request: Request) -> Response:
        asked = request.query_params
        which = asked.getlist("which") or list(_KINDS)
        most = asked.get("most", "200")
        if not set(which) <= set(_KINDS) or not (most.isascii() and most.isdigit()) or int(most) > MOST_LISTED:
            return words(400, f"which is {', '.join(_KINDS)}; most is a number up to {MOST_LISTED}")
        kinds = frozenset(cast(list[Which], which))
        return document(200, port.listing(kinds, asked.get("participant", ""), int(most)))

    @app.post(RESOLUTIONS_PATH)
    async def resolve(request: Request) -> Response:
        command = await read(request, ResolutionAsked, "the word is")
        if isinstance(command, Response):
            return command
        asked, who = command
        if asked.is_done != bool(asked.si_number):
            return words(400, "done goes with the number of the SI, not done with none")
        if not asked.reason:
            return words(400, "say why")
        try:
            resolution = await port.resolve(asked, who)
        except JournalError as error:
            return words(503, str(error))
        return document(422 if resolution.verdict == "refused" else 200, resolution)
