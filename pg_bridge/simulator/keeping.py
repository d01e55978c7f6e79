"""Taking the pretend OCP's state as an image, going on from one, and keeping it in the state file."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from pg_bridge.simulator.image import (
    ClockRecord,
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
from pg_bridge.simulator.register import Use
from pg_bridge.simulator.si_book import SiBook
from pg_bridge.simulator.state_file import StateFile

if TYPE_CHECKING:
    from pg_bridge.simulator.platform import Platform
    from pg_bridge.simulator.push import Subscriber


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


def subscription_records(ocp: Platform, *, whole: bool) -> list[SubscriptionRecord]:
    """The subscriptions; `whole`: with what waits for them."""
    return [
        SubscriptionRecord(
            company=one.company,
            url=one.url,
            event_types=sorted(one.event_types),
            key_id=one.key_id,
            waiting=_waiting(one) if whole else [],
        )
        for one in ocp.pusher.subscribers()
    ]


def _waiting(subscriber: Subscriber) -> list[msgspec.Raw]:
    return [*subscriber.in_flight, *subscriber.feed.untaken()]


def whole_image(ocp: Platform) -> Image:
    """All of its state."""
    return Image(
        profile=ocp.profile.name,
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
        subscriptions=subscription_records(ocp, whole=True),
        deliveries=ocp.pusher.deliveries,
    )


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
    book.set_rules(
        match_at_once=settings.match_at_once,
        revoke_by_both=settings.revoke_by_both,
        dvp_shares_on_hold=settings.dvp_shares_on_hold,
        maker_checker=frozenset(settings.maker_checker),
    )
    sequences = Counter((event.participant, event.business_date) for event in image.events)
    uses = [Use(use.reference, use.day, use.number, use.operation) for use in image.uses]
    try:
        book.restore(build_sis(image.sis), uses, sequences)
    except KeyError as error:
        raise ValueError(f"a reference is used by SI {error}, which is not there") from error
    ocp.take_over(book, image.caught_up)
    ocp.clock.restore(image.clock.at, image.clock.wall if after_restart else ocp.wall(), image.clock.rate)
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
    # a delivery that was under way may have been taken: its id is not given again
    ocp.pusher.deliveries = image.deliveries + len(image.subscriptions or ())
    ocp.to_resume = image.subscriptions or []


class Keeper:
    """Writes to the state file what changed since it last wrote."""

    def __init__(self, ocp: Platform, file: StateFile) -> None:
        self._ocp = ocp
        self._file = file
        self.begin_anew()

    def begin_anew(self) -> None:
        """The state became another one: write it whole."""
        ocp = self._ocp
        self._told: list[EventRecord] = []
        self._taken: list[TakenRecord] = []
        self._seen()
        forget(ocp)
        self._file.rewrite(ocp.key.pem(), whole_image(ocp))

    def told(self, event: EventRecord) -> None:
        """One more event was told."""
        self._told.append(event)

    def taken(self, subscriber: Subscriber, count: int) -> None:
        """A subscriber took its next events."""
        self._taken.append(TakenRecord(company=subscriber.company, url=subscriber.url, count=count))
        self.keep()

    def keep(self) -> None:
        """Write what changed, if anything did. Raises OSError: what cannot be kept must not be answered."""
        ocp = self._ocp
        settings, subscriptions = self._settings, self._subscriptions
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
        self._subscriptions = subscription_records(ocp, whole=False)
        self._counterparties = ocp.counterparties.orders()
        self._faults = ocp.faults.orders()
        self._clock = _clock_record(ocp)
        self._done = len(ocp.ledger)


def forget(ocp: Platform) -> None:
    """Let nothing count as new any longer."""
    ocp.book.touched.clear()
    ocp.book.register.fresh_uses.clear()
    ocp.request_ids.fresh.clear()


def _says_something(image: Image) -> bool:
    empty = Image(caught_up=image.caught_up, deliveries=image.deliveries)
    return empty != image
