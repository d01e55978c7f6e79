"""The words of the pretend Participant Gateway, made ready: how it reads requests and writes its messages.

They come from one data file, legacy/gateway.toml. A set without it is good; only the pretend gateway needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.profiles.legacy import GATEWAY_FILE, LegacyProfile
from pg_bridge.simulator.gateway_check import MISSING, gateway_faults, read_gateway_file
from pg_bridge.simulator.gateway_file import DifferencesEntry, GatewayFile
from pg_bridge.simulator.gateway_reading import RequestReading
from pg_bridge.simulator.gateway_texts import Codes, TextCompiler
from pg_bridge.simulator.gateway_writing import MessageWriting


@dataclass(frozen=True, slots=True)
class GatewayWords:
    """Readings by the template of a request; writings by that of a message, and of what comes unasked by what it tells.

    si_number, reference: forms of the gateway's own numbers, for str.format.
    """

    readings: dict[str, RequestReading]
    writings: dict[str, MessageWriting]
    telling: dict[str, MessageWriting]
    differences: DifferencesEntry
    si_number: str
    reference: str


def read_gateway_words(files: Mapping[str, str], legacy: LegacyProfile) -> GatewayWords:
    """The words of a set (path below mappings/ to text). Raises MappingInvalid with all findings."""
    findings: list[Finding] = []
    text = files.get(GATEWAY_FILE)
    if text is None:
        remedy = "Copy the shipped file and correct it."
        findings.append(Finding(MISSING, "error", GATEWAY_FILE, "the file is missing", remedy=remedy))
        raise MappingInvalid("reading the words of the pretend gateway", findings=findings)
    file = read_gateway_file(text, findings)
    if file is not None:
        findings += gateway_faults(file, text, legacy)
    if findings or file is None:
        raise MappingInvalid("reading the words of the pretend gateway", findings=findings)
    return build_words(file, legacy)


def build_words(file: GatewayFile, legacy: LegacyProfile) -> GatewayWords:
    """The words of a file without faults."""
    codes = {name: Codes(entry) for name, entry in file.codes.items()}
    texts = TextCompiler(codes, file.value)
    writings = {
        entry.template: MessageWriting(entry, file.block, legacy.templates[entry.template], texts)
        for entry in file.message
    }
    return GatewayWords(
        readings={entry.template: RequestReading(entry, file.reading, codes, texts) for entry in file.request},
        writings=writings,
        telling={each.entry.tells: each for each in writings.values() if each.entry.tells},
        differences=file.differences,
        si_number=file.gateway.si_number,
        reference=file.gateway.reference,
    )
