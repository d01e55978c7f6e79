"""Webhook pushes: deliveries of status events to subscribers, signed, repeated until they are taken.

A subscriber's deliveries go one at a time, of 1 to 100 events each; what happens meanwhile waits for the next one.
Faults of the push kinds are worked here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import UUID

import httpx
import msgspec

from pg_bridge.profiles.concepts import EventType
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.faults import PUSH, FaultKind, Faults
from pg_bridge.simulator.feed import Feed
from pg_bridge.simulator.keys import SigningKey

MOST_EVENTS = 100
#: how many tries are remembered for those who ask
KEPT_TRIES = 10_000


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a delivery. status 0: no answer. at_ms: epoch milliseconds of the wall."""

    delivery_id: str
    url: str
    at_ms: int
    events: int
    status: int


@dataclass(slots=True, eq=False)
class Subscriber:
    """One subscription: where to, of which event types (empty: all), and what waits for it."""

    company: str
    url: str
    event_types: frozenset[EventType]
    key_id: str | None
    feed: Feed[msgspec.Raw]
    in_flight: list[msgspec.Raw] = field(default_factory=list)
    try_now: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Pusher:
    """Delivers events to the subscribers of a participant's companies."""

    def __init__(
        self,
        profile: OcpProfile,
        key: SigningKey,
        faults: Faults,
        wall: Callable[[], datetime],
        seed: int,
        waits_s: Sequence[float],
        gives_up_s: float,
    ) -> None:
        self._profile = profile
        self._key = key
        self._faults = faults
        self._wall = wall
        self._seed = seed
        self.deliveries = 0
        #: called when a subscriber took so many events, or they were given up
        self.on_taken: Callable[[Subscriber, int], None] = lambda *_: None
        #: called with each try: where to, headers, body, and the status of the answer (0: none)
        self.on_try: Callable[[str, dict[str, str], bytes, int], None] = lambda *_: None
        self._waits_s = tuple(waits_s)
        self._gives_up_s = gives_up_s
        self._subscribers: dict[tuple[str, str], Subscriber] = {}
        self._of_company: defaultdict[str, list[Subscriber]] = defaultdict(list)
        self._client: httpx.AsyncClient | None = None
        self.tries: deque[Try] = deque(maxlen=KEPT_TRIES)

    def subscribe(self, company: str, url: str, event_types: frozenset[EventType], key_id: str | None) -> Subscriber:
        """Begin, or change, the deliveries to `url`; what waits there is tried at once."""
        subscriber = self._subscribers.get((company, url))
        if subscriber is None:
            subscriber = Subscriber(company, url, event_types, key_id, Feed(self._faults, PUSH))
            self._subscribers[(company, url)] = subscriber
            self._of_company[company].append(subscriber)
            subscriber.task = asyncio.create_task(self._deliver_all(subscriber))
        subscriber.event_types, subscriber.key_id = event_types, key_id
        subscriber.try_now.set()
        return subscriber

    def unsubscribe(self, company: str, url: str) -> Subscriber | None:
        """End the deliveries to `url`; what waits is dropped."""
        subscriber = self._subscribers.pop((company, url), None)
        if subscriber is not None:
            self._of_company[company].remove(subscriber)
            if subscriber.task is not None:
                subscriber.task.cancel()
        return subscriber

    def unsubscribe_all(self) -> None:
        """End all deliveries."""
        for company, url in list(self._subscribers):
            self.unsubscribe(company, url)

    def subscribers(self, company: str | None = None) -> list[Subscriber]:
        """All subscriptions (of one company)."""
        return [one for one in self._subscribers.values() if company in (None, one.company)]

    def offer(self, companies: Collection[str], event_type: EventType, event: msgspec.Raw) -> None:
        """Have `event` delivered to every subscriber of these companies that wants its type."""
        for company in companies:
            for subscriber in self._of_company.get(company, ()):
                if not subscriber.event_types or event_type in subscriber.event_types:
                    subscriber.feed.offer(event)

    async def aclose(self) -> None:
        """End all deliveries and close the connections."""
        tasks = [one.task for one in self._subscribers.values() if one.task is not None]
        self._subscribers.clear()
        self._of_company.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _deliver_all(self, subscriber: Subscriber) -> None:
        while True:
            subscriber.in_flight = events = await subscriber.feed.take(MOST_EVENTS)
            delivery_id = self._next_delivery_id()
            body = msgspec.json.encode(self._profile.write("delivery", {"events": events}))
            await self._deliver(subscriber, delivery_id, body, len(events))
            if self._faults.next_push(FaultKind.PUSH_REPEAT):
                await self._deliver(subscriber, delivery_id, body, len(events))
            subscriber.in_flight = []
            self.on_taken(subscriber, len(events))

    def _next_delivery_id(self) -> str:
        self.deliveries += 1
        # ids of deliveries must repeat from the seed
        chance = Random(f"{self._seed} delivery {self.deliveries}")  # noqa: S311
        return str(UUID(int=chance.getrandbits(128), version=4))

    async def _deliver(self, subscriber: Subscriber, delivery_id: str, body: bytes, events: int) -> None:
        """Try until it is taken, or for so long that it is given up."""
        began = self._wall()
        tries = 0
        while True:
            status = await self._try(subscriber.url, delivery_id, body, events)
            if 200 <= status < 300 or (self._wall() - began).total_seconds() > self._gives_up_s:
                return
            wait_s = self._waits_s[min(tries, len(self._waits_s) - 1)]
            tries += 1
            subscriber.try_now.clear()
            try:
                # who subscribes again is there again
                await asyncio.wait_for(subscriber.try_now.wait(), wait_s)
            except TimeoutError:
                continue

    async def _try(self, url: str, delivery_id: str, body: bytes, events: int) -> int:
        at_ms = int(self._wall().timestamp() * 1000)
        old = self._faults.next_push(FaultKind.PUSH_OLD_TIMESTAMP)
        dated_ms = at_ms - int(old.delay_s * 1000) if old is not None else at_ms
        signed = f"{delivery_id}.{dated_ms}.".encode() + body
        if self._faults.next_push(FaultKind.PUSH_BAD_SIGNATURE):
            signed += b" "
        values = (delivery_id, str(dated_ms), self._key.sign_detached(signed))
        headers = {
            "Content-Type": "application/json",
            **dict(zip(self._profile.headers.of_delivery, values, strict=True)),
        }
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._profile.limits.push_answer_s, trust_env=False)
        try:
            status = (await self._client.post(url, content=body, headers=headers)).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            status = 0
        self.on_try(url, headers, body, status)
        self.tries.append(Try(delivery_id=delivery_id, url=url, at_ms=at_ms, events=events, status=status))
        return status
