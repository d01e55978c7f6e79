"""The records of a message that was received: one a part, whether it came by itself or in a batch file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import part_suffix
from pg_bridge.exchange.terms import Terms
from pg_bridge.mapping.translated import Request
from pg_bridge.profiles.concepts import Operation

_encode = msgspec.json.Encoder().encode


class Receipt(NamedTuple):
    """From whom a message came, where and when. business_date: Hong Kong, YYYY-MM-DD.

    file, number: of a record of a batch file, the exchange of the file and which record it is, from 1.
    """

    participant: str
    terminal: str
    session: str
    sequence: int
    business_date: str
    file: str = ""
    number: int = 0


def received(
    terms: Terms, receipt: Receipt, request: Request, first_id: str, *, legacy: str, fingerprint: str
) -> Iterator[r.RequestReceived]:
    """A record a part of the message; only the first holds `legacy`, the text as it came."""
    for at, part in enumerate(request.parts, 1):
        si_number, si_reference = names_in(part, terms)
        yield r.RequestReceived(
            exchange=f"{first_id}{part_suffix(at)}",
            participant=receipt.participant,
            effect=part.effect,
            function=part.function,
            operation=part.operation.value if part.operation is not None else "",
            template=part.template,
            message_type=part.message_type,
            reference=part.reference,
            business_date=receipt.business_date,
            fingerprint=fingerprint,
            terminal=receipt.terminal,
            session=receipt.session,
            sequence=receipt.sequence,
            legacy=legacy if at == 1 else "",
            document=msgspec.Raw(_encode(part.document)),
            carried=part.carried,
            lineage=part.lineage,
            findings=part.findings,
            mapping=part.mapping,
            sought=part.sought,
            part=at,
            parts=len(request.parts),
            si_number=si_number,
            si_reference=si_reference,
            file=receipt.file,
            number=receipt.number,
        )


def names_in(request: Request, terms: Terms) -> tuple[str, str]:
    """The number and the participant reference of the SI that an instruct is about or enters, empty where not known."""
    if request.effect != "instruct":
        return "", ""
    reference = str(terms.ocp.get("si", "participant_reference", request.document) or "")
    if request.operation is Operation.SI_ADD:
        return "", reference
    return str(terms.ocp.get("si", "si_number", request.document) or ""), reference
