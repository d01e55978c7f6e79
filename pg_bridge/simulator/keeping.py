"""Taking the pretend OCP's state as an image, going on from one, and keeping it in the state file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from pg_bridge.errors import ConfigError
from pg_bridge.simulator.feed import Feed, Held
from pg_bridge.simulator.image import (
    AcknowledgedRecord,
    ClockRecord,
    DeliveryRecord,
    EventRecord,
    Image,
    SettingsRecord,
    SubscriptionRecord,
    TakenRecord,
    UsedRecord,
    UseRecord,
    build_sis,
    si_record,
)
from pg_bridge.simulator.keys import SigningKey
from pg_bridge.simulator.life_cycle import Si
from pg_bridge.simulator.push import Delivery, Offered, Subscriber
from pg_bridge.simulator.register import Use
from pg_bridge.simulator.si_book import SiBook
from pg_bridge.simulator.state_file import StateFile
from pg_bridge.simulator.streams import Place

if TYPE_CHECKING:
    from pg_bridge.simulator.platform import Platform


def settings_record(ocp: Platform) -> SettingsRecord:
    """What control has set."""
    rules = ocp.book.rules
    return SettingsRecord(
        match_at_once=rules.match_at_once,
        revoke_by_both=rules.revoke_by_both,
        dvp_shares_on_hold=rules.dvp_shares_on_hold,
        maker_checker=sorted(rules.maker_checker),
        keeps_hours=ocp.day.keeps_hours,
        weather=ocp.day.spells,
        company_calls=ocp.company_limit.calls,
        machine_calls=ocp.machine_limit.calls,
        functions=ocp.entitled_by_control(),
        transaction_limits=ocp.transaction_limits if ocp.transaction_limits != ocp.options.transaction_limits else None,
    )


def subscription_records(ocp: Platform) -> list[SubscriptionRecord]:
    """The subscriptions, without what waits for them."""
    return [
        SubscriptionRecord(company=one.company, url=one.url, event_types=sorted(one.event_types), key_id=one.key_id)
        for one in ocp.pusher.subscribers()
    ]


def _whole_subscription(subscriber: Subscriber, record: SubscriptionRecord) -> SubscriptionRecord:
    delivery = subscriber.delivery
    waiting, held = subscriber.feed.untaken()
    return msgspec.structs.replace(
        record,
        offered=subscriber.offered,
        untaken=[tuple(event) for event in [*(delivery.events if delivery is not None else ()), *waiting]],
        delivery=_delivery_record(delivery) if delivery is not None else None,
        silent_s=held.silent_s,
        kept_back=held.kept_back,
        late_s=dict(held.late_s),
    )


def _delivery_record(delivery: Delivery) -> DeliveryRecord:
    return DeliveryRecord(
        number=delivery.number,
        events=[event.number for event in delivery.events],
        since=delivery.since,
        tries=delivery.tries,
    )


def build_subscriber(record: SubscriptionRecord, feed: Feed[Offered]) -> Subscriber:
    """The subscriber as it stood, with a new feed."""
    on_its_way = frozenset(record.delivery.events if record.delivery is not None else ())
    untaken = [Offered(*event) for event in record.untaken]
    feed.restore(
        [event for event in untaken if event.number not in on_its_way],
        Held(record.silent_s, record.kept_back, record.late_s),
    )
    found = Subscriber(record.company, record.url, frozenset(record.event_types), record.key_id, feed, record.offered)
    events = [event for event in untaken if event.number in on_its_way]
    if record.delivery is not None and events:
        found.delivery = Delivery(record.delivery.number, events, record.delivery.since, record.delivery.tries)
    return found


def whole_image(ocp: Platform) -> Image:
    """All of its state."""
    return Image(
        profile=ocp.profile.name,
        seed=ocp.options.seed,
        signing_key=ocp.key.pem(),
        caught_up=ocp.caught_up,
        clock=ClockRecord(at=ocp.clock.now(), wall=ocp.wall(), rate=ocp.clock.rate),
        settings=settings_record(ocp),
        counterparties=ocp.counterparties.orders(),
        faults=ocp.faults.orders(),
        sis=[si_record(si) for si in ocp.book.register],
        uses=[_use_record(use) for use in ocp.book.register.uses()],
        events=ocp.told(),
        done=ocp.ledger.after(0),
        used=[_used_record(used) for used in ocp.request_ids.used()],
        assertions=ocp.tokens.used(),
        company_counts=ocp.company_limit.counted(),
        machine_counts=ocp.machine_limit.counted(),
        acknowledged=_acknowledged_records(ocp),
        subscriptions=[
            _whole_subscription(subscriber, record)
            for subscriber, record in zip(ocp.pusher.subscribers(), subscription_records(ocp), strict=True)
        ],
        deliveries=ocp.pusher.deliveries,
    )


def _acknowledged_records(ocp: Platform) -> list[AcknowledgedRecord]:
    return [
        AcknowledgedRecord(company=company, participant=participant, day=after.day, sequence=after.sequence)
        for company, participant, after in ocp.streams.positions()
    ]


def _clock_record(ocp: Platform) -> ClockRecord:
    at, wall, rate = ocp.clock.record
    return ClockRecord(at=at, wall=wall, rate=rate)


def _use_record(use: Use) -> UseRecord:
    return UseRecord(reference=use.reference, day=use.day, number=use.number, operation=use.operation)


def _used_record(used: tuple[str, str, float, bytes]) -> UsedRecord:
    company, request_id, at, answer = used
    return UsedRecord(company=company, request_id=request_id, at=at, answer=answer.decode())


def restore(ocp: Platform, image: Image, *, after_restart: bool) -> None:
    """Go on where the image was taken. Raises ValueError, with nothing changed, for one that does not fit.

    after_restart: a running clock ran on meanwhile; else it goes on from where it was.
    """
    if image.profile != ocp.profile.name:
        raise ValueError(f"it is of the profile {image.profile!r}, not {ocp.profile.name!r}")
    if image.clock is None or image.settings is None:
        raise ValueError("it is not whole: clock or settings are missing")
    settings = image.settings
    book = SiBook(ocp.book_rules())
    naive = [spell for spell in settings.weather if None in (spell.since.tzinfo, (spell.until or spell.since).tzinfo)]
    if naive:
        raise ValueError("the times of the weather have no zone")
    try:
        key = SigningKey(image.signing_key, ocp.key.algorithm) if image.signing_key else None
    except ConfigError as error:
        raise ValueError(str(error)) from error
    sequences = Counter((event.participant, event.business_date) for event in image.events)
    uses = [Use(use.reference, use.day, use.number, use.operation) for use in image.uses]
    try:
        sis = build_sis(image.sis)
        _check_told(ocp, sis)
        book.restore(sis, uses, sequences)
    except KeyError as error:
        raise ValueError(f"a reference is used by SI {error}, which is not there") from error
    if image.seed is not None and image.seed != ocp.options.seed:
        ocp.plant(image.seed)
        book.rules = ocp.book_rules()
    book.set_rules(
        match_at_once=settings.match_at_once,
        revoke_by_both=settings.revoke_by_both,
        dvp_shares_on_hold=settings.dvp_shares_on_hold,
        maker_checker=frozenset(settings.maker_checker),
    )
    if key is not None:
        ocp.sign_with(key)
    ocp.clock.restore(image.clock.at, image.clock.wall if after_restart else ocp.wall(), image.clock.rate)
    ocp.take_over(book, image.caught_up)
    for event in image.events:
        ocp.log(event.participant, event.business_date).append(event.document)
    ocp.ledger.restore(image.done)
    ocp.request_ids.restore((one.company, one.request_id, one.at, one.answer.encode()) for one in image.used)
    ocp.faults.restore(image.faults or ())
    ocp.day.keeps_hours, ocp.day.spells = settings.keeps_hours, list(settings.weather)
    ocp.company_limit.calls, ocp.machine_limit.calls = settings.company_calls, settings.machine_calls
    # who is no company of these options has nothing to be entitled to
    ocp.functions |= {name: few for name, few in (settings.functions or {}).items() if name in ocp.functions}
    if settings.transaction_limits is not None:
        ocp.transaction_limits = dict(settings.transaction_limits)
    ocp.counterparties.restore(image.counterparties or ())
    ocp.tokens.restore(image.assertions)
    # calls count for so many seconds of the wall: those of a snapshot go on counting as they did when it was taken
    later_s = 0.0 if after_restart else (ocp.wall() - image.clock.wall).total_seconds()
    ocp.company_limit.restore((name, at + later_s) for name, at in image.company_counts)
    ocp.machine_limit.restore((name, at + later_s) for name, at in image.machine_counts)
    ocp.streams.forget()
    for one in image.acknowledged:
        ocp.streams.acknowledged(one.company, one.participant).take(Place(one.day, one.sequence))
    ocp.pusher.deliveries = image.deliveries
    ocp.to_resume = image.subscriptions or []


def _check_told(ocp: Platform, sis: Iterable[Si]) -> None:
    """Raises ValueError for an SI that OCP's documents have no words for."""
    for si in sis:
        try:
            ocp.binding.write_si(si.values())
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"SI {si.number} cannot be told: {error}") from error


class Keeper:
    """Writes to the state file what changed since it last wrote."""

    def __init__(self, ocp: Platform, file: StateFile) -> None:
        self._ocp = ocp
        self._file = file
        self.begin_anew()

    def begin_anew(self) -> None:
        """The state became another one: write it whole."""
        self._is_behind = True
        ocp = self._ocp
        self._told: list[EventRecord] = []
        self._taken: list[TakenRecord] = []
        self._seen()
        forget(ocp)
        self._file.rewrite(ocp.key.pem(), whole_image(ocp))
        self._is_behind = False

    def told(self, event: EventRecord) -> None:
        """One more event was told."""
        self._told.append(event)

    def taken(self, subscriber: Subscriber, numbers: list[int]) -> None:
        """A subscriber took these events."""
        self._taken.append(TakenRecord(company=subscriber.company, url=subscriber.url, numbers=numbers))
        self.keep()

    def lost(self, subscriber: Subscriber, number: int) -> None:
        """A subscriber will never get this event; kept with what it is an event of."""
        self._taken.append(TakenRecord(company=subscriber.company, url=subscriber.url, numbers=[number]))

    def begun(self, subscriber: Subscriber, delivery: Delivery) -> None:
        """A delivery is tried now."""
        record = _delivery_record(delivery)
        self._taken.append(TakenRecord(company=subscriber.company, url=subscriber.url, delivery=record))
        self.keep()

    def keep(self) -> None:
        """Write what changed, if anything did. Raises OSError: what cannot be kept must not be answered."""
        if self._is_behind:
            # what was written last may be cut, and what is behind it could not be read
            self.begin_anew()
            return
        self._is_behind = True
        self._append()
        self._is_behind = False

    def _append(self) -> None:
        ocp = self._ocp
        settings, subscriptions, positions = self._settings, self._subscriptions, self._positions
        counterparties, faults, clock, done = self._counterparties, self._faults, self._clock, self._done
        self._seen()
        image = Image(
            caught_up=ocp.caught_up,
            clock=self._clock if self._clock != clock else None,
            settings=self._settings if self._settings != settings else None,
            counterparties=self._counterparties if self._counterparties != counterparties else None,
            faults=self._faults if self._faults != faults else None,
            sis=[si_record(si) for si in ocp.book.touched.values()],
            uses=[_use_record(use) for use in ocp.book.register.fresh_uses],
            events=self._told,
            done=ocp.ledger.after(done),
            used=[_used_record(used) for used in ocp.request_ids.used(ocp.request_ids.fresh)],
            assertions=ocp.tokens.fresh,
            company_counts=ocp.company_limit.fresh,
            machine_counts=ocp.machine_limit.fresh,
            acknowledged=self._moved(positions),
            subscriptions=self._subscriptions if self._subscriptions != subscriptions else None,
            taken=self._taken,
            deliveries=ocp.pusher.deliveries,
        )
        if _says_something(image):
            self._file.append(image)
            self._told, self._taken = [], []
        forget(ocp)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _seen(self) -> None:
        ocp = self._ocp
        self._settings = settings_record(ocp)
        self._subscriptions = subscription_records(ocp)
        self._positions = _acknowledged_records(ocp)
        self._counterparties = ocp.counterparties.orders()
        self._faults = ocp.faults.orders()
        self._clock = _clock_record(ocp)
        self._done = len(ocp.ledger)

    def _moved(self, before: list[AcknowledgedRecord]) -> list[AcknowledgedRecord]:
        return [record for record in self._positions if record not in before]


def forget(ocp: Platform) -> None:
    """Let nothing count as new any longer."""
    ocp.book.touched.clear()
    ocp.book.register.fresh_uses.clear()
    ocp.request_ids.fresh.clear()
    ocp.tokens.fresh.clear()
    ocp.company_limit.fresh.clear()
    ocp.machine_limit.fresh.clear()


def _says_something(image: Image) -> bool:
    empty = Image(caught_up=image.caught_up, deliveries=image.deliveries)
    return empty != image
