"""Every exception class of pg-bridge, grouped by who has to act, and `Finding`.

A class's docstring is its default message. `code` is stable and is what tables key on; messages are never parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, reported without raising.

    `code` is stable (`PGB-MSG-003`); `path` is a place in a message (`SETDET/AMT/19A:SETT`) or a file;
    `line` counts from 1, 0 where there is none. `reason` is a legacy reason code where the data names one.
    `remedy` says what to do about it, where a person can. `standard` is the message standard's own error code, or
    several, where the data names them.
    """

    code: str
    severity: Severity
    path: str
    text: str
    line: int = 0
    reason: str = ""
    remedy: str = ""
    standard: str = ""

    def __str__(self) -> str:
        at = f" line {self.line}" if self.line else ""
        return f"{self.codes} {self.path}{at}: {self.text}"

    @property
    def codes(self) -> str:
        """Our code, with the standard's where there is one: `PGB-MSG-023 (T50)`."""
        return f"{self.code} ({self.standard})" if self.standard else self.code


class BridgeError(Exception):
    """Something went wrong in the bridge."""

    code: ClassVar[str] = "PGB-000"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", *, findings: Sequence[Finding] = ()) -> None:
        text = message or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(text)
        self.findings: tuple[Finding, ...] = tuple(findings)

    def told(self, path: str = "") -> tuple[Finding, ...]:
        """Its findings; where it has none, the error itself as one, at `path`."""
        return self.findings or (Finding(self.code, "error", path, str(self)),)


class PssError(BridgeError):
    """The participant's system sent something that it must correct."""


class FramingError(PssError):
    """The bytes are not a frame of the configured framing."""

    code = "PGB-LNK-001"


class SessionError(PssError):
    """The frame is not legal at this point of the session."""

    code = "PGB-LNK-002"


class MessageSyntaxError(PssError):
    """The frame holds no ISO 15022 message."""

    code = "PGB-MSG-001"


class MessageRefused(PssError):
    """The message was refused; its findings say why."""

    code = "PGB-MSG-002"


class MappingError(BridgeError):
    """A mapping file or a profile needs correction by us."""


class MappingInvalid(MappingError):
    """A mapping file or a profile does not check."""

    code = "PGB-MAP-001"


class MappingMissing(MappingError):
    """No mapping serves this template."""

    code = "PGB-MAP-002"


class MappingFailed(MappingError):
    """A rule failed on this message."""

    code = "PGB-MAP-003"


class OcpError(BridgeError):
    """The platform's side did not do what was asked."""


class OcpUnavailable(OcpError):
    """OCP surely did nothing: refused connection, throttled or closed for maintenance."""

    code = "PGB-OCP-001"
    retryable = True

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OcpThrottled(OcpUnavailable):
    """OCP takes no more calls now and says so (429): nothing was done, and nothing is wrong with it."""

    code = "PGB-OCP-006"


class OcpOutcomeUnknown(OcpError):
    """OCP may or may not have done it: ask by enquiry, never by a second request id."""

    code = "PGB-OCP-002"


class OcpDenied(OcpError):
    """OCP does not accept our token or does not grant the function."""

    code = "PGB-OCP-003"

    def __init__(self, message: str = "", *, ocp_code: str = "") -> None:
        super().__init__(message)
        self.ocp_code = ocp_code


class OcpRefused(OcpError):
    """OCP refused the whole request; nothing was done. `refusals` are (code, text) pairs of its envelope."""

    code = "PGB-OCP-004"

    def __init__(self, message: str = "", *, refusals: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.refusals: tuple[tuple[str, str], ...] = tuple(refusals)


class PushRefused(OcpError):
    """A pushed delivery was not accepted. `status` is the HTTP status that answers it."""

    code = "PGB-OCP-005"

    def __init__(self, message: str = "", *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ReportError(BridgeError):
    """A report cannot be given to a participant."""

    code = "PGB-RPT-001"


class ReportMissing(ReportError):
    """There is no such report."""

    code = "PGB-RPT-002"


class JournalError(BridgeError):
    """Durability is in doubt: nothing further may be accepted."""

    code = "PGB-JNL-001"


class JournalFull(JournalError):
    """The journal is alive but its queue is full: come back."""

    code = "PGB-JNL-002"
    retryable = True


class JournalCorrupt(JournalError):
    """The journal's chain or a payload does not verify."""

    code = "PGB-JNL-003"


class ConfigError(BridgeError):
    """The configuration cannot be used."""

    code = "PGB-CFG-001"


class KeyMisfit(ConfigError):
    """A private key is not of the kind that the algorithm needs."""

    code = "PGB-KEY-001"


class DiskFault(BridgeError):
    """The disk did not do a step of a drop folder. `finding` says which, and whose move it is.

    is_absent: what the step was about is not there.
    """

    code = "PGB-DRP-001"
    retryable = True

    def __init__(self, message: str = "", *, finding: Finding, is_absent: bool = False) -> None:
        super().__init__(message, findings=(finding,))
        self.finding = finding
        self.is_absent = is_absent
