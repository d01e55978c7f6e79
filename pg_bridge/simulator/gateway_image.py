"""The whole state of the pretend gateway as one document, and going on from it: for snapshots, and across restarts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from pg_bridge.simulator.counterparties import CounterpartyOrder
from pg_bridge.simulator.day import Spell
from pg_bridge.simulator.gateway_differences import DifferenceMade, DifferenceOrder
from pg_bridge.simulator.gateway_memory import Memory
from pg_bridge.simulator.gateway_notices import Notice
from pg_bridge.simulator.image import SiRecord, UseRecord, build_sis, si_record
from pg_bridge.simulator.register import Use
from pg_bridge.simulator.si_book import SiBook

if TYPE_CHECKING:
    from pg_bridge.simulator.gateway import Gateway


class GatewayImage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole state. differences: each order, its number, how often it was looked at and followed."""

    memory: Memory
    match_at_once: bool
    revoke_by_both: bool
    dvp_shares_on_hold: bool
    maker_checker: list[str]
    keeps_hours: bool
    weather: list[Spell]
    counterparties: list[CounterpartyOrder]
    differences: list[tuple[DifferenceOrder, int, int, int]]
    made: list[DifferenceMade]
    notices: list[Notice]
    behind: list[Notice]
    sis: list[SiRecord]
    uses: list[UseRecord]


def take_image(gateway: Gateway) -> GatewayImage:
    """The state now; files under way are left out, as their sessions are. It shares nothing with the gateway."""
    rules = gateway.book.rules
    notices, behind = gateway.notices.waiting()
    image = GatewayImage(
        memory=gateway.memory,
        match_at_once=rules.match_at_once,
        revoke_by_both=rules.revoke_by_both,
        dvp_shares_on_hold=rules.dvp_shares_on_hold,
        maker_checker=sorted(rules.maker_checker),
        keeps_hours=gateway.day.keeps_hours,
        weather=gateway.day.spells,
        counterparties=gateway.counterparties.orders(),
        differences=gateway.differences.standing(),
        made=gateway.differences.made,
        notices=notices,
        behind=behind,
        sis=[si_record(si) for si in gateway.book.register],
        uses=[
            UseRecord(reference=use.reference, day=use.day, number=use.number, operation=use.operation)
            for use in gateway.book.register.uses()
        ],
    )
    return read_image(msgspec.json.encode(image))


def read_image(document: bytes) -> GatewayImage:
    """The image that JSON holds. Raises ValueError naming what does not fit."""
    try:
        return msgspec.json.decode(document, type=GatewayImage)
    except msgspec.MsgspecError as error:
        raise ValueError(f"this is no state of the pretend gateway: {error}") from error


def restored_book(image: GatewayImage, book: SiBook) -> SiBook:
    """The empty `book` as the image has it. Raises ValueError for an image that does not fit together."""
    book.set_rules(
        match_at_once=image.match_at_once,
        revoke_by_both=image.revoke_by_both,
        dvp_shares_on_hold=image.dvp_shares_on_hold,
        maker_checker=frozenset(image.maker_checker),
    )
    uses: Sequence[Use] = [Use(use.reference, use.day, use.number, use.operation) for use in image.uses]
    try:
        # sequences of events are told to nobody here
        book.restore(build_sis(image.sis), uses, {})
    except KeyError as error:
        raise ValueError(f"a reference is used by SI {error}, which is not there") from error
    return book
