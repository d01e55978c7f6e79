"""What the dispatcher has others do: calls and questions to OCP, and the judging of whole files.

An errand never decides: what it brings back is offered to the dispatcher as an event. It goes by the mapping set of the
call or enquiry that it is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from pg_bridge import telemetry
from pg_bridge.dispatcher.chores import Chores
from pg_bridge.dispatcher.patience import slot_unless_shut
from pg_bridge.dispatcher.sets import Sets
from pg_bridge.errors import OcpDenied, OcpError, OcpOutcomeUnknown, OcpRefused, OcpUnavailable
from pg_bridge.exchange import events as e
from pg_bridge.exchange.call_outcome import OCP_DENIED
from pg_bridge.exchange.exchange import Stage
from pg_bridge.exchange.judging import Judgement, judge
from pg_bridge.exchange.looking import Look, look_at, take
from pg_bridge.exchange.lost_calls import pause_after
from pg_bridge.exchange.ports import Slots
from pg_bridge.exchange.reference_use import beside_reference
from pg_bridge.exchange.seeking import named_by
from pg_bridge.exchange.state import LaneKey, State
from pg_bridge.exchange.turns import Turn, turn_of
from pg_bridge.profiles.concepts import Operation


class Errands:
    """Goes to OCP. `offer` takes the event that an errand brings back; `lane_freed` hears which lane may go on."""

    def __init__(
        self,
        *,
        state: State,
        sets: Sets,
        slots: Slots,
        chores: Chores,
        offer: Callable[[e.Event], None],
        lane_freed: Callable[[LaneKey], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._sets = sets
        self._slots = slots
        self._chores = chores
        self._offer = offer
        self._lane_freed = lane_freed
        self._clock = clock
        self._log = telemetry.logger()

    async def call(self, request_id: str) -> None:
        """Make a call, the first time or again; what became of it is offered."""
        batch = self._state.batches.get(request_id)
        if batch is None:
            return
        if batch.is_unknown or batch.failures:
            await self._slots.slot(turn_of(batch.operation))  # the first call's slot was taken when its batch closed
        at_work = self._sets.of_batch(batch)
        terms = at_work.terms
        try:
            entries = await at_work.ocp.write(Operation(batch.operation), batch.participant, request_id, batch.body)
        except OcpUnavailable as error:
            self._log.warning(telemetry.OCP_FAILED, request_id=request_id, error=str(error))
            self._offer(e.CallFailed(request_id, error.code, str(error), error.retry_after_s))
        except OcpRefused as error:
            self._offer(e.CallRefused(request_id, terms.faults_of_ocp(error.refusals)))
        except OcpDenied as error:
            self._log.error(telemetry.OCP_FAILED, request_id=request_id, error=str(error))
            self._offer(e.CallDenied(request_id, terms.fault(error.ocp_code or error.code, OCP_DENIED, str(error))))
        except OcpOutcomeUnknown as error:
            self._log.warning(telemetry.OUTCOME_UNKNOWN, request_id=request_id, error=str(error))
            self._offer(e.CallLost(request_id, str(error)))
        else:
            self._offer(e.CallAnswered(request_id, entries))
        self._lane_freed((batch.participant, batch.operation))

    async def look(self, request_id: str, begun: Look | None = None) -> None:
        """Ask OCP what became of the open members of a lost call. begun: a look that could not be finished before."""
        batch = self._state.batches.get(request_id)
        if batch is None:
            return
        at_work = self._sets.of_batch(batch)
        terms = at_work.terms
        look = begun or look_at(self._state, batch, terms)
        try:
            while look.questions:
                await self._slots.slot(0)
                look.asked += 1
                question = terms.ocp.write("query", look.questions[0].concepts)
                entries = await at_work.ocp.ask(Operation.SI_QUERY, batch.participant, question)
                take(self._state, batch, terms, look, entries)
                look.failures = 0
        except OcpError as error:
            # What was asked before it stays: of hundreds of questions one fails often enough.
            self._log.warning(telemetry.OCP_FAILED, request_id=request_id, error=str(error))
            pause_s = getattr(error, "retry_after_s", None) or pause_after(terms.options, look.failures)
            look.failures += 1
            self._chores.later(pause_s, lambda: self._chores.spawn(self.look(request_id, look)))
            return
        self._offer(e.Looked(request_id, look.found, look.seen, look.asked))
        self._lane_freed((batch.participant, batch.operation))

    async def judge(self, file: e.FileArrived) -> None:
        """Judge a whole file by the set in force, step by step, so that nothing else waits for all of it."""
        judgement = Judgement()
        at_work = None
        while at_work is not self._sets.in_force:  # another one may come into force meanwhile
            at_work = self._sets.in_force
            terms = at_work.terms
            context = terms.context(file.participant, file.terminal, self._clock())
            lenient = file.participant in terms.options.lenient_participants
            steps = judge(
                terms,
                file.content,
                context,
                is_lenient=lenient,
                beside=partial(beside_reference, state=self._state, terms=terms),
            )
            for judgement in steps:  # noqa: B007 - the last one counts
                await asyncio.sleep(0)
        self._offer(e.FileJudged(file, judgement))

    async def ask(self, exchange_id: str) -> None:
        """Ask OCP an enquiry."""
        exchange = self._state.exchanges.get(exchange_id)
        if exchange is None or exchange.stage is Stage.ANSWERED:
            return
        terms = self._sets.of_exchange(exchange).terms
        if not await slot_unless_shut(self._slots, terms.options.retry_first_s):
            self._offer(e.EnquiryFailed(exchange_id, "it does not answer, and is not called until it does"))
            return
        at_work = self._sets.of_exchange(exchange)
        terms = at_work.terms
        try:
            document = msgspec.json.decode(exchange.document)
            entries = await at_work.ocp.ask(Operation(exchange.operation), exchange.participant, document)
        except OcpRefused as error:
            faults = terms.faults_of_ocp(error.refusals)
            self._offer(e.EnquiryFailed(exchange_id, str(error), faults[0] if faults else None))
        except OcpDenied as error:
            fault = terms.fault(error.ocp_code or error.code, OCP_DENIED, str(error))
            self._offer(e.EnquiryFailed(exchange_id, str(error), fault))
        except OcpError as error:
            retry_after_s = getattr(error, "retry_after_s", None)
            self._offer(e.EnquiryFailed(exchange_id, str(error), None, retry_after_s))
        else:
            self._offer(e.EnquiryAnswered(exchange_id, entries))

    async def seek(self, exchange_id: str) -> None:
        """Ask OCP for the SIs that fit what a request names its SI by."""
        exchange = self._state.exchanges.get(exchange_id)
        if exchange is None or not exchange.sought:
            return
        await self._slots.slot(min(Turn.QUESTION, turn_of(exchange.operation)))  # what is urgent waits for it
        at_work = self._sets.of_exchange(exchange)
        terms = at_work.terms
        try:
            question = terms.ocp.write("query", named_by(terms, exchange))
            entries = await at_work.ocp.ask(Operation.SI_QUERY, exchange.participant, question)
        except OcpRefused as error:
            faults = terms.faults_of_ocp(error.refusals)
            self._offer(e.SeekFailed(exchange_id, faults[0] if faults else None))
        except OcpDenied as error:
            fault = terms.fault(error.ocp_code or error.code, OCP_DENIED, str(error))
            self._offer(e.SeekFailed(exchange_id, fault))
        except OcpError as error:
            self._log.warning(telemetry.OCP_FAILED, participant=exchange.participant, error=str(error))
            self._offer(e.SeekFailed(exchange_id, None, getattr(error, "retry_after_s", None)))
        else:
            self._offer(e.SiSought(exchange_id, entries))
