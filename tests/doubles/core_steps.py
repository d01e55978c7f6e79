"""Whatever may happen to the core, step by step: what the laws of the fold and of retranslation are held against."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from pg_bridge.exchange import events as e
from pg_bridge.exchange.records import Fault
from tests.doubles.core import Core

Step = tuple[str, int]

#: of the life of a call; they need one that is open
_OF_A_CALL = ("answer", "refuse", "lose", "find", "miss", "used")


def steps(*more: str) -> st.SearchStrategy[list[Step]]:
    """Up to 25 steps, each with a number that varies it. more: those of a call that are wanted besides the common ones."""
    common = ["request", "repeat", "faulty", "open", "answer", "refuse", "lose", "find", "overdue", "event", "wait"]
    return st.lists(st.tuples(st.sampled_from([*common, *more]), st.integers(0, 7)), max_size=25)


def walked(taken: Sequence[Step]) -> Core:
    """A core to which these steps happened; one of a call that is not open is left out."""
    core = Core()
    count = sequence = 0
    for step, number in taken:
        batches = list(core.state.batches.values())
        batch = batches[number % len(batches)] if batches else None
        if step in _OF_A_CALL:
            if batch is not None:
                core.offer(_of_a_call(core, step, batch.request_id, batch.members))
            continue
        match step:
            case "request":
                count += 1
                core.request(f"R{count}", sequence=count + 1, stock=f"{number}0005")
            case "repeat":
                core.request(f"R{number}", sequence=100 + number, quantity=f"{number + 1},")
            case "faulty":
                core.request(f"F{number}", quantity="0,")
            case "open":
                core.offer(e.LaneOpen("B01234", "si_add"))
            case "overdue":
                core.offer(e.Overdue(f"X{number}"))
            case "wait":
                core.wait(3_600 * number + 0.000_001)
            case "event":
                sequence += 1 + number % 2
                kind = "SETTLED" if number == 7 else "MATCHED"
                core.offer(e.UpdatesArrived([core.event(f"I0000000{number}", sequence, kind, kind)]))
    return core


def _of_a_call(core: Core, step: str, request_id: str, members: Sequence[str]) -> e.Event:
    match step:
        case "answer":
            return e.CallAnswered(request_id, [core.accepted(each, f"I{n:08d}") for n, each in enumerate(members)])
        case "refuse":
            return e.CallRefused(request_id, (Fault("400002", "field_malformed", "no", "NARR"),))
        case "used":
            return e.CallRefused(request_id, (Fault("411002", "request_id_repeated", "no", "NARR"),))
        case "lose":
            return e.CallLost(request_id, "cut")
        case "find":
            return e.Looked(request_id, {members[0]: core.event("I00000005", 1, "CREATED", "UNMATCHED")})
        case _:
            return e.Looked(request_id, {})
