"""Receivers of every participant's pushed events, as one app: they check each signature and keep count."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter, defaultdict

import jwt
import msgspec

_SIGNATURE, _STAMP, _ID = b"x-ocp-signature", b"x-ocp-timestamp", b"x-ocp-delivery-id"


class Event(msgspec.Struct):
    """What is looked at of one event."""

    participantId: str  # noqa: N815
    businessDate: str  # noqa: N815
    sequence: int
    siNumber: str  # noqa: N815
    status: str


class Delivery(msgspec.Struct):
    """The body of one delivery."""

    data: list[Event]


class DayReceivers:
    """An ASGI app; whose subscriptions end in `/<participant>`. It trusts one key.

    sequences: those that came, by participant and day; repeated: how many came again; wrong: deliveries with a bad
    signature or another participant's events.
    """

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(Delivery).decode
        self.sequences: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        self._last: dict[str, tuple[str, int, str]] = {}
        self.deliveries = 0
        self.repeated = 0
        self.wrong = 0
        self._count = 0
        self._came = asyncio.Event()

    def trust(self, jwk: dict) -> None:
        """The key that must have signed every delivery."""
        self._key = jwt.PyJWK(jwk).key
        self._algorithm = jwt.get_algorithm_by_name(jwk["alg"])

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self._take(scope["path"].rpartition("/")[2], dict(scope["headers"]), body)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _take(self, participant: str, headers: dict[bytes, bytes], body: bytes) -> None:
        self.deliveries += 1
        events = self._decode(body).data
        if not self._is_signed(headers, body) or any(event.participantId != participant for event in events):
            self.wrong += 1
            return
        for event in events:
            seen = self.sequences[(participant, event.businessDate)]
            if event.sequence in seen:
                self.repeated += 1
                continue
            seen.add(event.sequence)
            self._count += 1
            place = (event.businessDate, event.sequence, event.status)
            self._last[event.siNumber] = max(place, self._last.get(event.siNumber, place))
        self._came.set()

    def _is_signed(self, headers: dict[bytes, bytes], body: bytes) -> bool:
        head, _, signature = headers[_SIGNATURE].partition(b"..")
        signed = head + b"." + headers[_ID] + b"." + headers[_STAMP] + b"." + body
        raw = base64.urlsafe_b64decode(signature + b"=" * (-len(signature) % 4))
        return self._algorithm.verify(signed, self._key, raw)

    def statuses(self) -> dict[str, int]:
        """How many SIs stand where, by what was pushed alone."""
        return dict(Counter(status for _, _, status in self._last.values()))

    def gaps(self) -> int:
        """How many sequences are missing below the highest of their participant's day."""
        return sum(max(seen) - len(seen) for seen in self.sequences.values())

    async def until(self, events: int, wait_s: float) -> int:
        """Return when so many different events came, or none comes any more for `wait_s`; gives how many."""
        while self._count < events:
            self._came.clear()
            try:
                await asyncio.wait_for(self._came.wait(), wait_s)
            except TimeoutError:
                break
        return self._count
