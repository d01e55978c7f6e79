"""Instructions about one SI are called in the order in which they came, whatever their operations.

Lanes are per operation and go side by side; so one that may be about the same SI as an earlier one waits outside of its
lane until that one is over. What an instruction names tells: a number is one SI; two references are two SIs; a
reference and a number are one SI unless the bridge knows better. So it waits

- for those about the same number;
- named by a reference, before its SI is sought: for those under the same reference, the input among them;
- named by a number: for those whose SI is still sought, by the reference that the number has where that is known;
- an input: for those whose SI is still sought under its reference, lest they find this one.

Each waits only for what came before it: nothing can wait in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.state import State
from pg_bridge.profiles.concepts import Operation


def enter(state: State, exchange: Exchange) -> None:
    """An instruction was received: it waits for its turn, or may go."""
    known = state.instructions.get((exchange.participant, exchange.si_number)) if exchange.si_number else None
    if known is not None:
        exchange.si_reference = exchange.si_reference or known.reference
    elif exchange.operation == Operation.SI_ADD:
        key = (exchange.participant, exchange.si_reference)
        if key not in state.precedence.by_reference:  # nearly always: nothing came before it
            state.precedence.by_reference[key] = {exchange.id: None}
            state.lane(exchange.participant, exchange.operation).waiting.append(exchange.id)
            return
    _keep(state, exchange)
    if not (exchange.sought and exchange.si_number):  # by its number it is sought at once
        _line_up(state, exchange)


def name(state: State, exchange: Exchange, number: str, reference: str) -> None:
    """The SI of an instruction was found: those that waited to know which one it is are looked at again."""
    _let_go(state, exchange)
    exchange.si_number = number
    exchange.si_reference = reference or exchange.si_reference
    _keep(state, exchange)
    _line_up(state, exchange)
    _look_again(state, exchange)


def end(state: State, exchange: Exchange) -> None:
    """Nothing is awaited of an instruction any more: those behind it are looked at again."""
    if exchange.awaits:
        state.precedence.behind[exchange.awaits].remove(exchange.id)
        exchange.awaits = ""
    _let_go(state, exchange)
    _look_again(state, exchange)


def behind(state: State, exchange: Exchange) -> list[Exchange]:
    """Those that wait for this one, and those only that wait for nothing else behind it."""
    return [state.exchanges[id_] for id_ in state.precedence.behind.get(exchange.id, ())]


def _look_again(state: State, exchange: Exchange) -> None:
    waiting = state.precedence.behind.pop(exchange.id, None)
    if waiting:
        for one in sorted((state.exchanges[id_] for id_ in waiting), key=_received):
            _line_up(state, one)
            if not one.awaits:
                state.freed.append(one.id)


def _line_up(state: State, exchange: Exchange) -> None:
    # The last of those before it: the others are most likely over by then, too.
    last = max(_before(state, exchange), key=_received, default=None)
    exchange.awaits = last.id if last is not None else ""
    if last is not None:
        state.precedence.behind.setdefault(last.id, []).append(exchange.id)
    elif not exchange.sought:
        state.lane(exchange.participant, exchange.operation).waiting.append(exchange.id)


def _before(state: State, exchange: Exchange) -> Iterator[Exchange]:
    """What came before it and may be about the same SI."""
    precedence, participant = state.precedence, exchange.participant
    is_input = exchange.operation == Operation.SI_ADD
    named: Iterable[str]
    if exchange.si_number and not is_input:
        yield from _earlier(state, exchange, precedence.by_number.get((participant, exchange.si_number), ()))
        if exchange.si_reference:
            named = precedence.by_reference.get((participant, exchange.si_reference), ())
        else:
            named = precedence.nameless.get(participant, ())
    else:
        named = precedence.by_reference.get((participant, exchange.si_reference), ())
    for one in _earlier(state, exchange, named):
        if not (exchange.si_number or is_input) or _is_nameless(one):
            yield one


def _earlier(state: State, exchange: Exchange, ids: Iterable[str]) -> Iterator[Exchange]:
    for id_ in ids:
        one = state.exchanges[id_]
        if one.received < exchange.received:
            yield one


def _is_nameless(exchange: Exchange) -> bool:
    """Whether it is about an SI whose number is not known yet."""
    return not exchange.si_number and exchange.operation != Operation.SI_ADD


def _received(exchange: Exchange) -> int:
    return exchange.received


def _keep(state: State, exchange: Exchange) -> None:
    precedence, participant = state.precedence, exchange.participant
    if exchange.si_number:
        precedence.by_number.setdefault((participant, exchange.si_number), {})[exchange.id] = None
    elif exchange.operation != Operation.SI_ADD:
        precedence.nameless.setdefault(participant, {})[exchange.id] = None
    if exchange.si_reference:
        precedence.by_reference.setdefault((participant, exchange.si_reference), {})[exchange.id] = None


def _let_go(state: State, exchange: Exchange) -> None:
    precedence, participant = state.precedence, exchange.participant
    _remove(precedence.by_reference, (participant, exchange.si_reference), exchange.id)
    if exchange.operation != Operation.SI_ADD:
        _remove(precedence.by_number, (participant, exchange.si_number), exchange.id)
        _remove(precedence.nameless, participant, exchange.id)


def _remove(kept: dict[Any, dict[str, None]], key: Any, id_: str) -> None:
    ids = kept.get(key)
    if ids is not None:
        ids.pop(id_, None)
        if not ids:
            del kept[key]
