"""Webhook pushes: deliveries of status events to subscribers, signed, repeated until they are taken.

A subscriber's deliveries go one at a time, of 1 to 100 events each; what happens meanwhile waits for the next one.
Each try has an id and a timestamp of its own. Waits between tries are seconds of the wall, shorter where the pretend
OCP's clock goes faster, and over at once when that jumps across; what nobody took for a day of its clock is given up.
Faults of the push kinds are worked here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

import httpx
import msgspec

from pg_bridge.profiles.concepts import EventType
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.clock import SimulatedClock
from pg_bridge.simulator.faults import PUSH, FaultKind, Faults
from pg_bridge.simulator.feed import Feed
from pg_bridge.simulator.keys import SigningKey

MOST_EVENTS = 100
#: how many tries are remembered for those who ask
KEPT_TRIES = 10_000
#: no try follows another sooner, seconds of the wall, however fast the clock goes
LEAST_WAIT_S = 0.05


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a delivery. status 0: no answer. at_ms: epoch milliseconds of the wall."""

    delivery_id: str
    url: str
    at_ms: int
    events: int
    status: int


class Offered(NamedTuple):
    """One event for a subscriber; number: which of all that it was ever offered, from 1."""

    number: int
    document: msgspec.Raw


@dataclass(slots=True, eq=False)
class Delivery:
    """One delivery that nobody took yet: its number, its events, since when (of the pretend OCP's clock) and how often
    it was tried. again_at: when the next try is due by that clock."""

    number: int
    events: list[Offered]
    since: datetime
    tries: int = 0
    again_at: datetime | None = None


@dataclass(slots=True, eq=False)
class Subscriber:
    """One subscription: where to, of which event types (empty: all), what waits for it and what is on its way."""

    company: str
    url: str
    event_types: frozenset[EventType]
    key_id: str | None
    feed: Feed[Offered]
    offered: int = 0
    delivery: Delivery | None = None
    try_now: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Pusher:
    """Delivers events to the subscribers of a participant's companies."""

    def __init__(
        self,
        profile: OcpProfile,
        key: SigningKey,
        faults: Faults,
        clock: SimulatedClock,
        wall: Callable[[], datetime],
        seed: int,
        waits_s: Sequence[float],
        gives_up_s: float,
    ) -> None:
        self._profile = profile
        self.key = key
        self._faults = faults
        self._clock = clock
        self._wall = wall
        self.seed = seed
        self.deliveries = 0
        #: called before each try of a delivery
        self.on_begun: Callable[[Subscriber, Delivery], None] = lambda *_: None
        #: called when a subscriber took these events (by number), or they were given up
        self.on_taken: Callable[[Subscriber, list[int]], None] = lambda *_: None
        #: called when an event (by number) is lost by order
        self.on_lost: Callable[[Subscriber, int], None] = lambda *_: None
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
            self.begin(subscriber)
        subscriber.event_types, subscriber.key_id = event_types, key_id
        subscriber.try_now.set()
        return subscriber

    def begin(self, subscriber: Subscriber) -> None:
        """Deliver to a subscriber, first what is on its way to it."""
        self._subscribers[(subscriber.company, subscriber.url)] = subscriber
        self._of_company[subscriber.company].append(subscriber)
        subscriber.task = asyncio.create_task(self._deliver_all(subscriber))

    def look_again(self) -> None:
        """Try what is due by the pretend OCP's clock."""
        for subscriber in self._subscribers.values():
            delivery = subscriber.delivery
            if delivery is not None and delivery.again_at is not None and delivery.again_at <= self._clock.now():
                subscriber.try_now.set()

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
        for company in sorted(companies):  # a set has another order in each process
            for subscriber in self._of_company.get(company, ()):
                if subscriber.event_types and event_type not in subscriber.event_types:
                    continue
                subscriber.offered += 1
                if not subscriber.feed.offer(Offered(subscriber.offered, event)):
                    self.on_lost(subscriber, subscriber.offered)

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
            delivery = subscriber.delivery
            if delivery is None:
                events = await subscriber.feed.take(MOST_EVENTS)
                self.deliveries += 1
                delivery = subscriber.delivery = Delivery(self.deliveries, events, self._clock.now())
            documents = [event.document for event in delivery.events]
            body = msgspec.json.encode(self._profile.write("delivery", {"events": documents}))
            await self._deliver(subscriber, delivery, body)
            if self._faults.next_push(FaultKind.PUSH_REPEAT):
                await self._deliver(subscriber, delivery, body)
            subscriber.delivery = None
            self.on_taken(subscriber, [event.number for event in delivery.events])

    def _try_id(self, delivery: Delivery) -> str:
        # they must repeat from the seed, however many tries other deliveries take
        chance = Random(f"{self.seed} delivery {delivery.number} try {delivery.tries}")  # noqa: S311
        return str(UUID(int=chance.getrandbits(128), version=4))

    async def _deliver(self, subscriber: Subscriber, delivery: Delivery, body: bytes) -> None:
        """Try until it is taken, or for so long that it is given up."""
        while True:
            delivery.again_at = None
            subscriber.try_now.clear()
            try_id = self._try_id(delivery)
            delivery.tries += 1
            self.on_begun(subscriber, delivery)
            status = await self._try(subscriber.url, try_id, body, len(delivery.events))
            now = self._clock.now()
            if 200 <= status < 300 or (now - delivery.since).total_seconds() > self._gives_up_s:
                return
            wait_s = self._waits_s[min(delivery.tries, len(self._waits_s)) - 1]
            delivery.again_at = now + timedelta(seconds=wait_s)
            fast = max(1.0, self._clock.rate)
            try:
                # who subscribes again is there again
                await asyncio.wait_for(subscriber.try_now.wait(), min(wait_s, max(LEAST_WAIT_S, wait_s / fast)))
            except TimeoutError:
                continue

    async def _try(self, url: str, delivery_id: str, body: bytes, events: int) -> int:
        at_ms = int(self._wall().timestamp() * 1000)
        old = self._faults.next_push(FaultKind.PUSH_OLD_TIMESTAMP)
        dated_ms = at_ms - int(old.delay_s * 1000) if old is not None else at_ms
        signed = f"{delivery_id}.{dated_ms}.".encode() + body
        if self._faults.next_push(FaultKind.PUSH_BAD_SIGNATURE):
            signed += b" "
        values = (delivery_id, str(dated_ms), self.key.sign_detached(signed))
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
