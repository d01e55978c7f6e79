"""Recorded requests through another set: taken, refused, parked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pg_bridge.errors import Finding, MappingError
from pg_bridge.exchange import records as r
from pg_bridge.exchange.entries import Stored
from pg_bridge.exchange.given import body_of, message_type_of, references_in
from pg_bridge.exchange.rerun import (
    NO_REFERENCE,
    Json,
    Rerun,
    about_of,
    failure_of,
    findings_of,
    is_refused,
    outcome_of,
)
from pg_bridge.exchange.retranslated import (
    WHOLE,
    Difference,
    Retranslated,
    Way,
    document_differences,
    finding_differences,
    reply_differences,
    rules_of,
)
from pg_bridge.exchange.terms import answer_sources
from pg_bridge.mapping.translated import Request, Written

_decode = msgspec.json.Decoder().decode


def taken(run: Rerun, record: r.RequestReceived, stored: Stored) -> list[Retranslated]:
    """A request that was taken."""
    about = about_of(stored, Way.REQUEST, record.function, record.reference)
    if record.part > 1:  # the first block's entry has the frame
        run.further = run.further[1:]
        if not run.further:
            return [outcome_of(about, not_run="the message does not give this block any more")]
        return [outcome_of(about, _of_one_block(run, record, run.further[0]))]
    run.further = ()
    body = body_of(record.legacy)
    if body is None:
        return [outcome_of(about, not_run="the text block of its frame cannot be read again")]
    lenient = run.leniency.of_taken(record)
    run.reference.value = next(iter(references_in(record.lineage)), NO_REFERENCE)
    context = run.context(record.participant, record.terminal, stored.entry.at_us) | {
        "business_date": record.business_date
    }
    try:
        now = run.book.read_request(record.template, record.message_type, body, context, lenient=lenient)
    except MappingError as error:
        return [outcome_of(about, [Difference(what=WHOLE, was="taken", is_=failure_of(error))])]
    if is_refused(now):
        told = [
            Difference(what=WHOLE, was="taken", is_="refused"),
            *finding_differences(record.findings, now.findings),
        ]
        return [outcome_of(about, told)]
    run.further = now.parts
    return [outcome_of(about, _of_one_block(run, record, now))]


def _of_one_block(run: Rerun, record: r.RequestReceived, now: Request) -> list[Difference]:
    rules = rules_of(now.lineage)
    differences = [
        Difference(what=f"the {what}", was=was, is_=is_)
        for what, was, is_ in (
            ("operation", record.operation, now.operation.value if now.operation is not None else ""),
            ("function", record.function, now.function),
            ("effect", record.effect, now.effect),
            ("reference", record.reference, now.reference),
        )
        if was != is_
    ]
    differences += document_differences(_decode(record.document), now.document, rules)
    differences += document_differences(record.carried, now.carried, rules, "carried")
    differences += finding_differences(record.findings, now.findings)
    if now.carried != record.carried:
        run.carried[record.exchange] = now.carried
    return differences


def refused(run: Rerun, record: r.MessageRefused, stored: Stored) -> list[Retranslated]:
    """A message that was refused, and the refusal that answered it."""
    about = about_of(stored, Way.REFUSAL, record.function, record.reference)
    body = body_of(record.legacy)
    if body is None:
        return [outcome_of(about, not_run="the text block of its frame cannot be read again")]
    lenient = run.leniency.of_refused(record)
    at_us = stored.entry.at_us
    run.reference.value = NO_REFERENCE
    context = run.context(record.participant, record.terminal, at_us)
    try:
        now = run.book.read_request(record.template, record.message_type, body, context, lenient=lenient)
        findings = now.findings
        if not is_refused(now):
            repeated = run.book.duplicate_reference(record.template, record.message_type, now.reference)
            if [repeated.code] != [finding.code for finding in record.findings]:
                gone = finding_differences(record.findings, now.findings)
                return [outcome_of(about, [Difference(what=WHOLE, was="refused", is_="taken"), *gone])]
            findings = (repeated,)  # what made it one, another message of the day, is no mapping's
        written = run.written_again(
            record.reply,
            (),
            lambda: _refusal(
                run,
                run.context(record.participant, record.terminal, at_us),
                record.template,
                record.message_type,
                now,
                findings,
            ),
        )
    except MappingError as error:
        return [outcome_of(about, [Difference(what=WHOLE, was="refused", is_=failure_of(error))])]
    differences = finding_differences(record.findings, findings)
    return [outcome_of(about, differences + reply_differences(run.book, record.reply, written))]


def _refusal(
    run: Rerun, context: Json, template: str, message_type: str, now: Request, findings: Sequence[Finding]
) -> Written:
    """The answer to a message with faults. Raises MappingError."""
    carried: dict[str, str] = {}
    sources = answer_sources(
        context=context,
        request={
            "reference": now.reference or None,
            "message_type": message_type,
            "template": template,
            "carried": carried,
        },
        outcome="refused",
        faults=run.terms.faults_of_findings(findings),
    )
    return run.book.write_answer(now.function, sources)


def parked(run: Rerun, record: r.RequestParked, stored: Stored) -> list[Retranslated]:
    """A request that could be neither done nor answered."""
    about = about_of(stored, Way.PARKED_REQUEST, record.template, "")
    body = body_of(record.legacy)
    message_type = message_type_of(record, run.framing, run.book.legacy.request_templates)
    if body is None or not message_type:
        return [outcome_of(about, not_run="its frame cannot be read again, so its message type is not known")]
    run.reference.value = NO_REFERENCE
    terminal = run.terminals.get(record.session, "")
    context = run.context(record.participant, terminal, stored.entry.at_us)
    lenient = run.leniency.of_participant(record.participant)
    try:
        now = run.book.read_request(record.template, message_type, body, context, lenient=lenient)
        if not is_refused(now):
            return [outcome_of(about, [Difference(what=WHOLE, was="parked", is_="taken")])]
        _refusal(run, context, record.template, message_type, now, now.findings)
    except MappingError as error:
        return [outcome_of(about, finding_differences(record.findings, findings_of(error, record.template)))]
    told = [Difference(what=WHOLE, was="parked", is_="refused"), *finding_differences((), now.findings)]
    return [outcome_of(about, told)]
