"""The law of the fold: the journal alone gives the state again; and what recovery makes of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hypothesis import given, settings

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.records import AnswersLeft
from pg_bridge.exchange.recovery import forget, recover, resume
from pg_bridge.exchange.state import State
from tests.doubles.core import Core
from tests.doubles.core_steps import Step, steps, walked

#: what a process knows beyond its journal, and forgets with it
_NOT_FOLDED = {"askers", "is_told", "is_sent", "held", "failures"}


def folded(state: State) -> dict[str, Any]:
    everything = asdict(state)
    for part in ("asked", "outboxes", "freed"):
        del everything[part]
    for part in ("exchanges", "batches"):
        for one in everything[part].values():
            for name in _NOT_FOLDED & one.keys():
                del one[name]
    return everything


def waiting(state: State) -> set[str]:
    held = {delivery.id for exchange in state.exchanges.values() for delivery in exchange.held}
    return held | {id_ for box in state.outboxes.values() for id_ in box.queue}


@settings(max_examples=60, deadline=None)
@given(steps("miss", "used"))
def test_replay_gives_the_same_state(taken: list[Step]) -> None:
    core = walked(taken)
    replayed = core.replayed()

    assert folded(core.state) == folded(replayed)
    assert waiting(core.state) <= waiting(replayed) | set(core.state.exchanges)


def test_recovery_sends_every_answer_not_known_to_have_left_marked() -> None:
    core = Core()
    for number in (1, 2, 3):
        core.request(f"R{number}", sequence=number + 1)
    entries = [core.accepted(f"R{n}", f"I0000000{n}") for n in (1, 2, 3)]
    core.offer(e.CallAnswered(core.call(), entries))
    core.offer(e.UpdatesArrived([core.event("I00000001", 1, "MATCHED", "MATCHED")]))
    state = core.replayed()
    from pg_bridge.exchange.fold import apply

    apply(state, AnswersLeft(exchanges=("X2",)), 0)
    recover(state)
    queue = list(state.outbox("B01234").queue.values())

    assert ["X1", "D1", "X3"] == [delivery.id for delivery in queue]
    assert all(delivery.is_copy for delivery in queue)


def test_open_call_is_looked_for_after_a_restart_never_called_anew() -> None:
    core = Core()
    core.request("R1")
    request_id = core.call()
    core.request("R2", sequence=3)
    state = core.replayed()
    recover(state)
    actions = resume(state)

    assert a.Look(request_id) in actions
    assert not [action for action in actions if isinstance(action, a.Call)]
    assert ["X2"] == list(state.lanes["B01234", "si_add"].waiting)


def test_days_gone_by_are_let_go_but_not_what_is_open() -> None:
    core = Core()
    core.request("R1")
    core.offer(e.CallAnswered(core.call(), [core.accepted("R1", "I00000001")]))
    core.request("R2", sequence=3)
    core.state.exchanges["X1"].has_left = True
    forget(core.state, "2026-11-25")

    assert ["X2"] == list(core.state.exchanges)
    assert {} == core.state.uses
    assert [("B01234", "I00000001")] == list(core.state.instructions)
