"""The arithmetic of call limits, and the queue before it, with a clock that moves only when told."""

import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.exchange.turns import Turn
from pg_bridge.ocp.limits import ARRIVAL_SHARE, MOST_HOLD_S, UNSAID_HOLD_S, Allowance, CallLimits, Limit
from tests.doubles.ocp_world import FakeClock

COMPANY = Limit(480, 60)
#: how much longer than said a window of OCP's is taken to be
WINDOW = 1 + ARRIVAL_SHARE


def test_without_limits_calls_go_at_once() -> None:
    allowance = Allowance([Limit(0, 60)], 0.0)

    for _ in range(10_000):
        assert allowance.wait_s(0.0) == 0
        allowance.take(0.0)


def test_half_a_window_goes_at_once_then_calls_are_spaced() -> None:
    allowance = Allowance([COMPANY], 0.0)
    for _ in range(240):
        assert allowance.wait_s(0.0) == 0
        allowance.take(0.0)

    assert allowance.wait_s(0.0) == pytest.approx(0.25 * WINDOW)
    assert allowance.wait_s(0.25 * WINDOW) == 0


def test_the_narrowest_limit_decides() -> None:
    allowance = Allowance([COMPANY, Limit(2, 60)], 0.0)
    allowance.take(0.0)

    assert allowance.wait_s(0.0) == pytest.approx(60.0 * WINDOW)


def test_a_hold_is_never_shortened() -> None:
    allowance = Allowance([], 0.0)
    allowance.hold(7.0)
    allowance.hold(3.0)

    assert allowance.wait_s(5.0) == pytest.approx(2.0)
    assert allowance.wait_s(7.0) <= 0


@settings(max_examples=60, deadline=None)
@given(
    calls=st.integers(2, 60),
    pauses=st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_no_window_ever_holds_more_calls_than_the_limit(calls: int, pauses: list[float]) -> None:
    """Whenever calls are wanted, and wherever OCP's window starts, it never holds too many."""
    allowance = Allowance([Limit(calls, 10.0)], 0.0)
    now, went = 0.0, []
    for pause in pauses:
        now += pause
        for _ in range(3):
            now += max(0.0, allowance.wait_s(now))
            allowance.take(now)
            went.append(now)

    for index in range(calls, len(went)):
        assert went[index] - went[index - calls] > 10.0 - 1e-3


async def test_a_free_way_is_taken_without_waiting() -> None:
    clock = FakeClock()
    limits = CallLimits([COMPANY], clock.monotonic)

    assert limits.try_slot()
    await limits.slot()


async def _queue(limits: CallLimits, gone: list[str], *waiters: tuple[str, int]) -> list[asyncio.Task[None]]:
    async def wait(name: str, priority: int) -> None:
        await limits.slot(priority)
        gone.append(name)

    tasks = []
    for name, priority in waiters:
        tasks.append(asyncio.create_task(wait(name, priority)))
        await asyncio.sleep(0)
    return tasks


async def _release(limits: CallLimits, clock: FakeClock, seconds: float) -> None:
    clock.forward(seconds)
    limits.release()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_earlier_priorities_go_first_then_the_order_of_asking() -> None:
    clock = FakeClock()
    limits = CallLimits([Limit(2, 60)], clock.monotonic)
    assert limits.try_slot()
    gone: list[str] = []
    tasks = await _queue(limits, gone, ("input 1", 2), ("input 2", 2), ("revoke", 0), ("hold", 0))
    assert gone == []

    for _ in range(4):
        await _release(limits, clock, 62)

    assert gone == ["revoke", "hold", "input 1", "input 2"]
    await asyncio.gather(*tasks)
    limits.close()


async def test_no_turn_is_starved_by_another() -> None:
    """Urgent calls go first, three in a row; questions and input take turns behind them."""
    clock = FakeClock()
    limits = CallLimits([Limit(2, 60)], clock.monotonic)
    assert limits.try_slot()
    gone: list[str] = []
    names = {0: "u", 1: "q", 2: "i"}
    many = [(names[turn], turn) for turn in (2, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)]
    tasks = await _queue(limits, gone, *many)
    assert {Turn.URGENT: 7, Turn.QUESTION: 3, Turn.INPUT: 3} == limits.waiting()

    for _ in many:
        await _release(limits, clock, 62)

    assert "uuuquuuiuqiqi" == "".join(gone)
    await asyncio.gather(*tasks)
    limits.close()


async def test_a_limit_of_one_call_lets_one_go_a_window() -> None:
    clock = FakeClock()
    limits = CallLimits([Limit(1, 60)], clock.monotonic)
    went = []
    for _ in range(200):
        if limits.try_slot():
            went.append(clock.monotonic())
        clock.forward(1.0)

    assert 4 == len(went)
    assert all(later - earlier >= 60 for earlier, later in itertools.pairwise(went))


@settings(max_examples=60, deadline=None)
@given(late=st.lists(st.floats(0, 2.0), min_size=500, max_size=900))
def test_windows_hold_too_when_calls_take_unequal_times_to_arrive(late: list[float]) -> None:
    """Each call arrives up to 2 s after it went: no minute at OCP holds more than 480."""
    allowance = Allowance([COMPANY], 0.0)
    now, arrived = 0.0, []
    for delay in late:
        now += max(0.0, allowance.wait_s(now))
        allowance.take(now)
        arrived.append(now + delay)
    arrived.sort()

    assert all(arrived[index] - arrived[index - 480] > 60 - 1e-3 for index in range(480, len(arrived)))


async def test_while_shut_only_a_trial_goes() -> None:
    clock = FakeClock()
    limits = CallLimits([COMPANY], clock.monotonic)
    limits.shut(is_shut=True)
    gone: list[str] = []
    tasks = await _queue(limits, gone, ("waits", 0))
    assert not limits.try_slot()
    await limits.trial()
    assert [] == gone
    limits.shut(is_shut=False)
    await asyncio.gather(*tasks)

    assert ["waits"] == gone
    assert 238 == round(limits.left()[0][1])


async def test_nobody_overtakes_those_who_wait() -> None:
    clock = FakeClock()
    limits = CallLimits([Limit(2, 60)], clock.monotonic)
    limits.try_slot()
    gone: list[str] = []
    tasks = await _queue(limits, gone, ("first", 1))
    clock.forward(62)

    assert not limits.try_slot(0)
    await _release(limits, clock, 0)
    assert gone == ["first"]
    await asyncio.gather(*tasks)
    limits.close()


async def test_who_gives_up_uses_no_slot() -> None:
    clock = FakeClock()
    limits = CallLimits([Limit(2, 60)], clock.monotonic)
    limits.try_slot()
    gone: list[str] = []
    first, second = await _queue(limits, gone, ("gives up", 0), ("stays", 1))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    await _release(limits, clock, 62)

    assert gone == ["stays"]
    await second
    limits.close()


@pytest.mark.parametrize(("said", "held_s"), [(7.0, 7.0), (0.0, 0.0), (None, UNSAID_HOLD_S), (1e9, MOST_HOLD_S)])
async def test_retry_after_holds_every_call_back(said: float | None, held_s: float) -> None:
    clock = FakeClock()
    limits = CallLimits([COMPANY], clock.monotonic)
    limits.hold(said)

    if held_s:
        clock.forward(held_s - 0.01)
        assert not limits.try_slot()
        clock.forward(0.02)
    assert limits.try_slot()


async def test_the_timer_lets_waiters_go_by_itself() -> None:
    loop = asyncio.get_running_loop()
    limits = CallLimits([Limit(200, 1.0)], loop.time)
    for _ in range(100):
        assert limits.try_slot()
    began = loop.time()

    await asyncio.gather(*(limits.slot() for _ in range(5)))

    assert 0.03 < loop.time() - began < 1.0
    limits.close()


async def test_other_limits_hold_at_once_and_give_no_second_burst() -> None:
    clock = FakeClock()
    limits = CallLimits([Limit(480, 60.0)], clock.monotonic)
    taken = sum(limits.try_slot() for _ in range(300))
    limits.change([Limit(60, 60.0)])
    at_once = limits.try_slot()
    clock.forward(2.1)
    later = [limits.try_slot(), limits.try_slot()]

    assert 240 == taken
    assert not at_once
    assert [True, False] == later
    limits.close()


async def test_who_waits_for_a_slot_gets_it_under_other_limits() -> None:
    clock = FakeClock()
    limits = CallLimits([Limit(2, 3600.0)], clock.monotonic)
    assert limits.try_slot()
    waiting = asyncio.ensure_future(limits.slot())
    await asyncio.sleep(0)
    limits.change([])
    await waiting
    limits.close()


async def test_same_limits_again_cost_no_slot() -> None:
    limits = CallLimits([COMPANY], FakeClock().monotonic)
    limits.change([COMPANY])

    assert limits.try_slot()
