"""Records of the calls to OCP: made, refused whole, failed, lost."""

from __future__ import annotations

import msgspec

from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Fault, Record


class BatchCalled(Record, frozen=True, kw_only=True):
    """A call is about to be made; its members stay its members for ever."""

    kind = Kind.BATCH_CALLED
    request_id: str
    operation: str
    members: tuple[str, ...]
    body: msgspec.Raw
    payload_hash: str

    def references(self) -> dict[str, str]:
        """The request id."""
        return {"request_id": self.request_id}


class SeenSi(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An SI that OCP told when it was asked about a lost call, and that does not show that its member was done.

    exchange: the member. status, last_request_reference, version: OCP's own words.
    """

    exchange: str
    si_number: str = ""
    status: str = ""
    last_request_reference: str = ""
    version: str = ""


class CallConcluded(Record, frozen=True, kw_only=True):
    """What a call's end records share."""

    request_id: str
    text: str = ""

    def references(self) -> dict[str, str]:
        """The request id."""
        return {"request_id": self.request_id}


class BatchRefused(CallConcluded, frozen=True, kw_only=True):
    """A bulk was refused whole, nothing was done: its members go again in smaller calls with new ids."""

    kind = Kind.BATCH_REFUSED
    faults: tuple[Fault, ...] = ()


class OutcomeUnknown(CallConcluded, frozen=True, kw_only=True):
    """OCP may or may not have done a call: it is asked, not called anew."""

    kind = Kind.OUTCOME_UNKNOWN
    looks: int = 0
    is_duplicate: bool = False
    is_resent: bool = False
    #: of the same call, sent again: the refusal that holds for what the looks to come do not find
    faults: tuple[Fault, ...] = ()
    #: of a look: how many questions it took, and what OCP told that settles nothing
    asked: int = 0
    seen: tuple[SeenSi, ...] = ()


class OcpFailed(CallConcluded, frozen=True, kw_only=True):
    """OCP surely did nothing; the same call goes again later."""

    kind = Kind.OCP_FAILED
    error: str
