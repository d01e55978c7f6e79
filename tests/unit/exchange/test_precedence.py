"""Instructions about one SI are called in the order in which they came, whatever their operations."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.exchange.actions import Seek
from pg_bridge.exchange.exchange import Stage
from pg_bridge.exchange.recovery import recover, resume
from pg_bridge.exchange.state import Precedence
from tests.doubles.si_world import WAYS, SiWorld
from tests.unit.exchange.test_fold import folded

#: entered elsewhere: under a reference of its own, and, on another day, under one that is entered again here
ELSEWHERE = {"I00000091": "E1", "I00000092": "R1"}
NAMES = ["R1", "R2", "E1", "I00000091", "I00000092", "I00000001"]
OPERATIONS = ["si_add", *WAYS]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("input"), st.sampled_from(["R1", "R2"])),
        st.tuples(st.just("about"), st.sampled_from(list(WAYS)), st.sampled_from(NAMES)),
        st.tuples(st.just("open"), st.sampled_from(OPERATIONS)),
        st.tuples(
            st.sampled_from(["seek", "answer", "answer", "refuse", "lose", "done", "find", "miss"]), st.integers(0, 3)
        ),
    ),
    max_size=40,
)


def take(world: SiWorld, step: tuple[object, ...]) -> None:
    match step:
        case ("input", str(reference)):
            world.input(reference)
        case ("about", str(operation), str(named)) if not named.startswith("I") or named in world.sis:
            world.about(operation, named)
        case ("open", str(operation)):
            world.open(operation)
        case ("seek", int(which)) if world.seeks:
            world.tell_seek(which)
        case ("answer", int(which)) if world.calls:
            world.answer(which)
        case ("refuse", int(which)) if world.calls:
            world.refuse(which)
        case ("lose" | "done" as how, int(which)) if world.calls:
            world.lose(which, is_done=how == "done")
        case ("find" | "miss" as how, int(which)) if world.looks:
            world.look(which, finds=how == "find")


@settings(deadline=None, max_examples=150)
@given(steps)
def test_any_interleaving_keeps_the_order_of_each_si_and_ends(taken: list[tuple[object, ...]]) -> None:
    world = SiWorld(ELSEWHERE)
    world.sis["I00000092"].is_open = False  # so that of two under its reference the new one is meant
    for step in taken:
        take(world, step)
    halfway = world.core.replayed()

    assert folded(halfway) == folded(world.core.state)

    world.settle()

    assert [] == world.open_exchanges()
    assert Precedence() == world.core.state.precedence
    assert Precedence() == world.core.replayed().precedence
    for first, second in combinations(world.lives(), 2):
        if first.number and first.number == second.number and second.called:
            assert first.ended < second.called
        # Who named an SI by a reference never meant one that was entered under it only later.
        assert not (second.is_input and first.number == second.number)


def test_change_and_deletion_sent_back_to_back_are_called_one_after_the_other() -> None:
    world = SiWorld(ELSEWHERE)
    world.about("si_hold", "I00000091")
    world.about("si_delete", "I00000091")
    opened = [world.open("si_delete"), world.open("si_hold"), world.open("si_delete")]
    world.answer(0)
    after = world.open("si_delete")

    assert [False, True, False] == opened
    assert after


def test_other_sis_are_not_held_up() -> None:
    world = SiWorld({"I00000091": "E1", "I00000092": "E2"})
    world.input("R1")
    world.about("si_hold", "I00000091")
    world.about("si_delete", "I00000091")
    world.about("si_delete", "I00000092")

    assert world.open("si_add")
    assert world.open("si_delete")
    assert ["X4"] == list(world.core.state.batches[world.calls[-1]].members)


def test_many_about_several_sis_still_go_in_one_call() -> None:
    elsewhere = {f"I000001{number:02d}": f"E{number}" for number in range(50)}
    world = SiWorld(elsewhere)
    for number in elsewhere:
        world.about("si_hold", number)
    world.open("si_hold")

    assert 50 == len(world.core.state.batches[world.calls[0]].members)


def test_a_number_that_the_bridge_knows_waits_for_no_other_reference() -> None:
    world = SiWorld(ELSEWHERE)
    world.input("R2")
    world.settle()
    world.about("si_delete", "E1")  # sought
    world.about("si_hold", "I00000001")  # R2's

    assert world.open("si_hold")


def test_a_number_that_may_be_the_one_that_is_sought_waits_until_it_is_found() -> None:
    world = SiWorld(ELSEWHERE)
    world.about("si_delete", "E1")
    world.about("si_hold", "I00000092")
    before = world.open("si_hold")
    world.tell_seek(0)

    assert not before
    assert world.open("si_hold")


def test_input_waits_for_a_request_that_is_sought_under_its_reference_lest_that_finds_the_new_one() -> None:
    world = SiWorld(ELSEWHERE)
    world.about("si_delete", "R1")
    world.input("R1")
    before = world.open("si_add")
    world.tell_seek(0)

    assert not before
    assert world.open("si_add")
    assert "I00000092" == world.core.state.exchanges["X1"].si_number


def test_after_a_restart_who_waits_for_others_still_does() -> None:
    world = SiWorld(ELSEWHERE)
    world.input("R2")
    world.about("si_change", "R2")
    world.about("si_delete", "R2")
    world.about("si_hold", "E1")
    state = world.core.replayed()
    recover(state)

    assert [Seek("X4")] == [action for action in resume(state) if isinstance(action, Seek)]
    assert ["X1", "X2"] == [state.exchanges[id_].awaits for id_ in ("X2", "X3")]


@pytest.mark.parametrize("named", ["I00000091", "E1"])
def test_what_waits_for_an_instruction_that_falls_in_doubt_is_refused_and_not_called(named: str) -> None:
    """It may rest on what nobody knows: release what was changed, for one."""
    world = SiWorld(ELSEWHERE)
    first = world.about("si_change", named)
    world.settle_until_called("si_change")
    world.about("si_hold", named)
    world.about("si_delete", named)
    world.lose(0, is_done=False)
    world.doubt(0)
    world.settle()
    held, deleted = (world.core.state.exchanges[id_] for id_ in ("X2", "X3"))

    assert Stage.IN_DOUBT is world.core.state.exchanges["X1"].stage
    assert ["refused", "refused"] == [held.outcome, deleted.outcome]
    assert held.reply is not None
    assert first in held.reply.body.replace("\r\n", " ")
    assert ("B01234", "si_hold") not in world.core.state.lanes
    assert Precedence() == world.core.state.precedence


def test_what_comes_after_the_doubt_is_the_participants_own_decision_and_is_called() -> None:
    world = SiWorld(ELSEWHERE)
    world.about("si_change", "I00000091")
    world.settle_until_called("si_change")
    world.lose(0, is_done=False)
    world.doubt(0)
    world.about("si_delete", "I00000091")

    assert world.open("si_delete")


def test_reference_of_an_input_in_doubt_is_never_taken_for_an_older_si() -> None:
    """OCP shows only the SI of another day under it: the one that is meant may come to light yet."""
    world = SiWorld(ELSEWHERE)
    world.input("R1")
    world.open("si_add")
    world.lose(0, is_done=False)
    world.doubt(0)
    world.about("si_delete", "R1")
    world.tell_seek(0)
    (deleted,) = [one for one in world.core.state.exchanges.values() if one.operation == "si_delete"]

    assert "refused" == deleted.outcome
    assert ("B01234", "si_delete") not in world.core.state.lanes
