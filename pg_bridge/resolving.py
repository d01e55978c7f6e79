"""What the control door is told of exchanges, and a person's word on one in doubt: fulfils console's port."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pg_bridge import telemetry
from pg_bridge.console.exchanges import Resolution, ResolutionAsked
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.dispatcher.sets import SetAtWork
from pg_bridge.errors import Finding, JournalFull, OcpError
from pg_bridge.exchange import doubts
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.kinds.doubts import ResolutionRefused
from pg_bridge.exchange.ports import Slots
from pg_bridge.exchange.standing import Listing, Which, listing
from pg_bridge.profiles.concepts import Operation


class Resolving:
    """Lists what is not over, checks a person's word against what the bridge and OCP know, and has it take effect."""

    def __init__(self, dispatcher: Dispatcher, slots: Slots) -> None:
        self._dispatcher = dispatcher
        self._slots = slots
        self._log = telemetry.logger()

    def listing(self, which: frozenset[Which], participant: str, most: int) -> Listing:
        """The exchanges and deliveries that are not over."""
        return listing(self._dispatcher.state, which, participant=participant, most=most)

    async def resolve(self, asked: ResolutionAsked, who: r.Who) -> Resolution:
        """Resolve an exchange in doubt, or say what would follow. Raises JournalError; JournalFull: nothing changed."""
        dispatcher = self._dispatcher
        if dispatcher.is_full:
            raise JournalFull("resolving an exchange: the journal is busy, nothing changed")
        found = doubts.find(dispatcher.state, asked.key)
        if isinstance(found, Finding):
            return await self._refused(asked, who, None, [found])
        with dispatcher.sets.using() as at_work:
            entry, is_checked, findings = await self._check(asked, found, at_work)
        if any(finding.severity == "error" for finding in findings):
            return await self._refused(asked, who, found, findings)
        # OCP took its time to answer: another person may have been quicker.
        again = doubts.find(dispatcher.state, found.id)
        if isinstance(again, Finding):
            return await self._refused(asked, who, found, [again])
        told = Resolution(
            verdict="would_resolve",
            exchange=found.id,
            participant=found.participant,
            reference=found.reference,
            function=found.function,
            why=found.doubt,
            is_done=asked.is_done,
            si_number=asked.si_number,
            told=_what_is_told(dispatcher.state.answered_with(found), found, is_done=asked.is_done),
            findings=findings,
        )
        if asked.is_preview:
            return told
        dispatcher.offer(
            e.DoubtResolved(
                found.id, asked.is_done, asked.si_number, entry, who, is_checked=is_checked, findings=tuple(findings)
            )
        )
        is_told = found.stage is Stage.ANSWERED
        position = await dispatcher.durable()
        self._log.warning(telemetry.DOUBT_RESOLVED, exchange=found.id, user=who.user, by=who.by, done=asked.is_done)
        if not is_told:
            text = "nothing yet: its outcome cannot be written, a mapping file needs correction"
            return msgspec.structs.replace(told, verdict="resolved", position=position, told=text)
        return msgspec.structs.replace(told, verdict="resolved", position=position)

    async def _check(
        self, asked: ResolutionAsked, exchange: Exchange, at_work: SetAtWork
    ) -> tuple[e.Json | None, bool, list[Finding]]:
        """OCP's entry of the SI, whether OCP was asked, and every finding against the person's word."""
        is_done, number = asked.is_done, asked.si_number
        findings = doubts.against(self._dispatcher.state, exchange, is_done=is_done, si_number=number)
        if findings:
            return None, False, findings
        terms = at_work.terms
        concepts = doubts.question(terms, exchange, is_done=is_done, si_number=number)
        try:
            await self._slots.slot(0)
            document = terms.ocp.write("query", concepts)
            entries = await at_work.ocp.ask(Operation.SI_QUERY, exchange.participant, document)
        except OcpError as error:
            return None, False, [doubts.not_checked(str(error), is_allowed=asked.is_unchecked)]
        if at_work is not self._dispatcher.sets.in_force:
            return None, False, [doubts.not_checked("another mapping set came into force", is_allowed=False)]
        entry, against = doubts.told_by_ocp(terms, exchange, said_done=is_done, si_number=number, entries=entries)
        return entry, True, against

    async def _refused(
        self, asked: ResolutionAsked, who: r.Who, exchange: Exchange | None, findings: Sequence[Finding]
    ) -> Resolution:
        position = 0
        if not asked.is_preview:
            self._dispatcher.note(
                ResolutionRefused(
                    exchange=exchange.id if exchange is not None else "",
                    participant=exchange.participant if exchange is not None else "",
                    key=asked.key,
                    is_done=asked.is_done,
                    si_number=asked.si_number,
                    who=who,
                    findings=tuple(findings),
                )
            )
            position = await self._dispatcher.durable()
        return Resolution(
            verdict="refused",
            exchange=exchange.id if exchange is not None else "",
            participant=exchange.participant if exchange is not None else "",
            reference=exchange.reference if exchange is not None else "",
            why=exchange.doubt if exchange is not None else "",
            is_done=asked.is_done,
            si_number=asked.si_number,
            position=position,
            findings=findings,
        )


def _what_is_told(answered: Exchange, exchange: Exchange, *, is_done: bool) -> str:
    outcome = "accepted" if is_done else "refused"
    if exchange.is_awaited:
        return f"{outcome}, as a status change: it was told before that the outcome is awaited"
    if answered is not exchange:
        return f"{outcome}, by the report of its file"
    return f"{outcome}, as the answer to its request"
