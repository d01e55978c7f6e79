"""Faults on demand: which call or push is to go wrong next, and how."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum

import msgspec

from pg_bridge.profiles.concepts import Refusal


class FaultKind(StrEnum):
    """What goes wrong. Where a call's work is done first is written beside it."""

    NO_ANSWER = "no_answer"  # by `work`, not done unless asked
    LATE = "late"  # done, then answered after delay_s
    SLOW = "slow"  # done, then answered a few bytes at a time, the last after delay_s
    DENIED = "denied"  # 401, not done
    THROTTLED = "throttled"  # 429 with Retry-After, not done
    BROKEN = "broken"  # 500, by `work`, not done unless asked
    CLOSED = "closed"  # 503 with an HTML body, not done
    TIMED_OUT = "timed_out"  # 504, done
    CUT_BEFORE = "cut_before"  # connection cut, not done
    CUT_AFTER = "cut_after"  # connection cut, done
    BROKEN_JSON = "broken_json"  # done
    WRONG_SHAPE = "wrong_shape"  # JSON that is not the schema, done
    REFUSED = "refused"  # the whole request, with `refusal`, not done
    ENTRIES_REFUSED = "entries_refused"  # each entry, with `refusal`, not done
    PUSH_REPEAT = "push_repeat"  # the delivery comes twice
    PUSH_BAD_SIGNATURE = "push_bad_signature"  # one try with a signature that is wrong
    PUSH_OLD_TIMESTAMP = "push_old_timestamp"  # one try dated delay_s ago (rightly signed)
    PUSH_GAP = "push_gap"  # one event is never delivered
    PUSH_REORDER = "push_reorder"  # one event comes after the next one
    PUSH_LATE = "push_late"  # one event comes delay_s late; those behind it do not wait for it
    PUSH_SILENCE = "push_silence"  # nothing comes for delay_s (0: until the faults are cleared), then everything
    PUSH_CUT = "push_cut"  # a stream or socket is cut before the next event


#: these leave the work done unless `work` says otherwise
WORK_DONE = frozenset(
    {
        FaultKind.LATE,
        FaultKind.SLOW,
        FaultKind.TIMED_OUT,
        FaultKind.CUT_AFTER,
        FaultKind.BROKEN_JSON,
        FaultKind.WRONG_SHAPE,
    }
)
#: these never do any
NO_WORK = frozenset({FaultKind.DENIED, FaultKind.THROTTLED, FaultKind.CLOSED, FaultKind.CUT_BEFORE, FaultKind.REFUSED})
#: the pretended operation of pushes, and that of the token door
PUSH, TOKEN = "push", "token"


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault ordered.

    operation: the concept's name, `token`, `push`, or empty for any operation but those two; of a push, that of a
    stream or socket, or empty or `push` for whichever pushes next. skip: let so many pass first; count: then so many
    go wrong (0: without end). share: of those met, this part goes wrong, evenly spread (above 0, at most 1). work: do
    the work before it goes wrong (None: as is usual for the kind). delay_s: for late and slow answers, late pushes,
    silences, and how old an old timestamp is. retry_after_s: for 429 and 503.
    """

    kind: FaultKind
    operation: str = ""
    skip: int = 0
    count: int = 1
    share: float = 1.0
    work: bool | None = None
    delay_s: float = 1.0
    retry_after_s: int = 1
    refusal: Refusal = Refusal.OUTSIDE_HOURS

    @property
    def does_work(self) -> bool:
        """Whether the call's work is done all the same."""
        if self.kind in NO_WORK:
            return False
        return self.kind in WORK_DONE if self.work is None else self.work

    def gone_wrong(self, met: int) -> int:
        """How many of the first `met` calls or pushes went wrong."""
        # rounded: 0.29 of a hundred is 29, which binary fractions just miss
        return math.floor(round(max(0, met - self.skip) * self.share, 9))

    @property
    def is_push(self) -> bool:
        """Whether it concerns pushes."""
        return self.kind.name.startswith("PUSH_")


class Faults:
    """The faults that are still to come, the oldest order first."""

    def __init__(self) -> None:
        self._orders: list[tuple[Fault, int]] = []
        self._cleared = asyncio.Event()
        #: called when a call is to go wrong
        self.on_met: Callable[[], None] = lambda: None

    def order(self, fault: Fault) -> None:
        """Have this go wrong."""
        self._orders.append((fault, 0))

    def restore(self, orders: Iterable[tuple[Fault, int]]) -> None:
        """Go on with these orders, each with how many calls it has met."""
        self._orders = list(orders)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._orders.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    def orders(self) -> list[tuple[Fault, int]]:
        """Every order with how many calls it has met."""
        return list(self._orders)

    def next_call(self, operation: str) -> Fault | None:
        """How this call goes wrong, None when it does not."""
        found = self._next(lambda fault: not fault.is_push and _concerns(fault, operation))
        if found is not None:
            self.on_met()
        return found

    def next_push(self, *kinds: FaultKind, channel: str = PUSH) -> Fault | None:
        """How this delivery goes wrong in one of these ways."""
        return self._next(lambda fault: fault.kind in kinds and fault.operation in ("", PUSH, channel))

    async def silence(self, seconds: float | None) -> None:
        """Return when a silence of so long is over, or when the faults are cleared (None: then only)."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._cleared.wait(), seconds)

    def _next(self, concerns: Callable[[Fault], bool]) -> Fault | None:
        if not self._orders:
            return None
        for index, (fault, met) in enumerate(self._orders):
            if not concerns(fault):
                continue
            before, gone_wrong = fault.gone_wrong(met), fault.gone_wrong(met + 1)
            if fault.count and gone_wrong >= fault.count:
                del self._orders[index]
            else:
                self._orders[index] = (fault, met + 1)
            if gone_wrong > before:
                return fault
        return None


def _concerns(fault: Fault, operation: str) -> bool:
    if fault.operation:
        return fault.operation == operation
    return operation != TOKEN
