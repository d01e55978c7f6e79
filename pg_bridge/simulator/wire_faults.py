"""Faults on demand of the pretend PG's wire: which connection, request or frame goes wrong next, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Annotated

import msgspec


class WireFaultKind(StrEnum):
    """What goes wrong."""

    # a connection, or its log-on
    TURNED_AWAY = "turned_away"  # the connection is closed as soon as it is made
    LOG_ON_REFUSED = "log_on_refused"
    LOG_ON_UNANSWERED = "log_on_unanswered"
    # a request
    CUT_BEFORE = "cut_before"  # the connection is cut, nothing was done
    CUT_AFTER = "cut_after"  # the connection is cut, the work was done
    BUSY = "busy"  # refused as busy, nothing was done
    LATE = "late"  # done; the answer is given delay_s later (0: when the faults are cleared)
    STOP_READING = "stop_reading"  # done; nothing more is read for delay_s (0: until the faults are cleared)
    # a frame that goes out
    CUT_WITHIN = "cut_within"  # the connection is cut in the middle of it
    SLOW = "slow"  # its bytes leave one after the other within delay_s
    SILENCE = "silence"  # from it on nothing leaves for delay_s (0: until the faults are cleared)
    LOST = "lost"  # it is never sent; the next one gets its number
    BAD_CHECKSUM = "bad_checksum"
    BAD_LENGTH = "bad_length"
    BAD_SEQUENCE = "bad_sequence"  # a number is left out
    TWICE = "twice"  # its bytes come twice, with one number
    AGAIN = "again"  # it comes a second time, with the next number and no mark
    # at once, when ordered
    CUT = "cut"  # every session that fits is cut
    AWAY = "away"  # no session, no connection for delay_s (0: until the faults are cleared)


OF_A_CONNECTION = frozenset({WireFaultKind.TURNED_AWAY})
OF_A_LOG_ON = frozenset({WireFaultKind.LOG_ON_REFUSED, WireFaultKind.LOG_ON_UNANSWERED})
OF_A_REQUEST = frozenset(
    {
        WireFaultKind.CUT_BEFORE,
        WireFaultKind.CUT_AFTER,
        WireFaultKind.BUSY,
        WireFaultKind.LATE,
        WireFaultKind.STOP_READING,
    }
)
AT_ONCE = frozenset({WireFaultKind.CUT, WireFaultKind.AWAY})
OF_A_FRAME = frozenset(WireFaultKind) - OF_A_CONNECTION - OF_A_LOG_ON - OF_A_REQUEST - AT_ONCE


class WireFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault ordered.

    participant, terminal: whose (empty: anyone's). template: of a request, its own; of a frame that goes out, that
    frame's (empty: of any message of business; one of a control message must be named). skip: let so many pass first;
    count: then so many go wrong (0: all); share: of those behind `skip`, by chance that follows from the seed.
    delay_s: seconds of the wall.
    """

    kind: WireFaultKind
    participant: str = ""
    terminal: str = ""
    template: str = ""
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    count: Annotated[int, msgspec.Meta(ge=0)] = 1
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 1.0

    def concerns(self, participant: str, terminal: str) -> bool:
        """Whether it is about this session."""
        return self.participant in ("", participant) and self.terminal in ("", terminal)


@dataclass(slots=True)
class _Order:
    """A fault ordered: its number, how many it met, how many went wrong."""

    fault: WireFault
    number: int
    met: int = 0
    wrong: int = 0


class WireFaults:
    """The faults that are still to come, the oldest order first. What share goes wrong follows from the seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._orders: list[_Order] = []
        self._ordered = 0
        self._when_cleared: list[Callable[[], None]] = []

    def order(self, fault: WireFault) -> None:
        """Have this go wrong."""
        self._ordered += 1
        self._orders.append(_Order(fault, self._ordered))

    def clear(self) -> None:
        """Let nothing go wrong any more; what waits for that goes on."""
        self._orders.clear()
        waiting, self._when_cleared = self._when_cleared, []
        for go_on in waiting:
            go_on()

    def when_cleared(self, go_on: Callable[[], None]) -> None:
        """Call this once when the faults are cleared."""
        self._when_cleared.append(go_on)

    def orders(self) -> list[tuple[WireFault, int, int]]:
        """Every order with how many it has met, and how many of those went wrong."""
        return [(order.fault, order.met, order.wrong) for order in self._orders]

    def next_of(
        self,
        kinds: frozenset[WireFaultKind],
        participant: str = "",
        terminal: str = "",
        template: str = "",
        *,
        is_control: bool = False,
    ) -> WireFault | None:
        """How this goes wrong in one of these ways, None when it does not."""
        if not self._orders:
            return None
        for index, order in enumerate(self._orders):
            fault = order.fault
            if fault.kind not in kinds or not fault.concerns(participant, terminal):
                continue
            if fault.template != template and (fault.template or is_control):
                continue
            order.met += 1
            if order.met <= fault.skip or not self._chosen(order):
                continue
            order.wrong += 1
            if fault.count and order.wrong >= fault.count:
                del self._orders[index]
            return fault
        return None

    def _chosen(self, order: _Order) -> bool:
        if order.fault.share >= 1:
            return True
        # what goes wrong must repeat from the seed
        return Random(f"{self._seed} {order.number} {order.met}").random() < order.fault.share  # noqa: S311
