"""What the way to OCP tells of each call and of its circuit: journaled, counted, logged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from pg_bridge import telemetry
from pg_bridge.exchange import records as r
from pg_bridge.metrics import Metrics
from pg_bridge.ocp.call_record import CallRecord
from pg_bridge.ocp.circuit import CircuitChange
from pg_bridge.profiles.concepts import SI_WRITES

#: of a body that went over, the first so many bytes are journaled: an answer to 1,000 instructions has less
MOST_BYTES = 262_144


class Metering:
    """Hears of calls and of the circuit, from the first one on; journals them once `note` is known.

    company, machine: who calls.
    """

    def __init__(self, company: str, machine: str, metrics: Metrics) -> None:
        self._company = company
        self._machine = machine
        self._metrics = metrics
        #: journals a record; calls are made only when it is known
        self.note: Callable[[r.Record], None] = lambda record: None

    def ended(self, call: CallRecord) -> None:
        """A call ended."""
        self._metrics.call_ended(call.operation, call.status, call.error, call.entries, call.duration_s)
        self.note(
            r.CallEnded(
                participant=call.participant,
                operation=call.operation,
                company=self._company,
                machine=self._machine,
                entries=call.entries,
                request_id=call.request_id,
                method=call.method,
                url=call.url,
                sent=_lines(call.sent),
                asked=_bytes(call.asked, stands_elsewhere=call.operation in SI_WRITES),
                status=call.status,
                received=_lines(call.received),
                answered=_bytes(call.answered),
                duration_us=round(call.duration_s * 1e6),
                error=call.error,
            )
        )

    def circuit_changed(self, change: CircuitChange) -> None:
        """The circuit opened or closed."""
        if change.is_open:
            telemetry.logger().error(telemetry.CIRCUIT_OPENED, failures=change.failures, error=change.text)
            self._metrics.circuit_opened()
            self.note(r.CircuitOpened(failures=change.failures, text=change.text))
        else:
            telemetry.logger().warning(telemetry.CIRCUIT_CLOSED, open_s=round(change.open_s, 3))
            self.note(r.CircuitClosed(open_s=round(change.open_s, 3)))


def _lines(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """Headers, a line each; a header is Latin-1 (RFC 9110 section 5.5)."""
    return "\n".join([f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in headers])


def _bytes(body: bytes, *, stands_elsewhere: bool = False) -> r.Bytes:
    digest = hashlib.sha256(body).hexdigest()
    if stands_elsewhere or not body:
        return r.Bytes(len(body), digest)
    first = body[:MOST_BYTES]
    try:
        return r.Bytes(len(body), digest, first.decode("utf-8"))
    except UnicodeDecodeError as error:
        # The cut may have gone through a character.
        if len(first) < len(body) and error.start > MOST_BYTES - 4:
            return r.Bytes(len(body), digest, first[: error.start].decode("utf-8"))
    return r.Bytes(len(body), digest, base64=first)
