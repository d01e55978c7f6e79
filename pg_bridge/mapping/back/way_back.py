"""The way back: the request that a PSS would have sent for a document, and what a message to the PSS says of an entry.

Both use the same rules as the way there. What comes back otherwise than it went is told, never passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pg_bridge.errors import Finding, MappingFailed, MappingMissing
from pg_bridge.formats.iso15022.model import Field
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.mapping import document as d
from pg_bridge.mapping.back.backward import RequestWriter, WrongTypeError
from pg_bridge.mapping.back.reading import MessageReader
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.field import LOST, numbered
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.pages import is_within
from pg_bridge.mapping.request_mapping import MOST_LINES, split_values
from pg_bridge.mapping.rule_set import Located
from pg_bridge.mapping.schema import Members
from pg_bridge.mapping.translated import Written
from pg_bridge.profiles.template import Checked

#: no message type of the template says what the document says
NO_MESSAGE_TYPE = "PGB-MAP-008"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a message to the PSS tells of OCP's entry. members: path -> value; unread: place -> why it is not read.

    more: the members of each further entry, of a message that lists them.
    """

    template: str
    message_type: str
    members: dict[str, Any]
    lineage: tuple[Lineage, ...]
    findings: tuple[Finding, ...]
    unread: dict[str, str]
    more: tuple[dict[str, Any], ...] = ()

    @property
    def entries(self) -> tuple[dict[str, Any], ...]:
        """The members of every entry, in the message's order."""
        return (self.members, *self.more)


class WayBack:
    """The rules of a book turned round; each is compiled when it is first needed."""

    def __init__(self, book: MappingBook) -> None:
        self._book = book
        self._requests = {
            located.file.request.template: (located, located.file.request)
            for located in book.rules.files
            if located.file.request is not None
        }
        self._messages: dict[str, list[tuple[Located, d.MessageSection]]] = {}
        for located in book.rules.files:
            for section in (located.file.answer, located.file.message):
                if section is not None:
                    self._messages.setdefault(section.template, []).append((located, section))
        self._writers: dict[tuple[str, str], RequestWriter] = {}
        self._readers: dict[tuple[str, str], MessageReader] = {}

    def write_request(
        self,
        template: str,
        document: Mapping[str, Any],
        context: Mapping[str, Any],
        *,
        carried: Mapping[str, str] | None = None,
        message_type: str = "",
    ) -> Written:
        """The request that becomes `document`; `carried` is what OCP had no place for.

        A finding of severity warning names each member that would come back otherwise. Raises MappingMissing when
        no rule file serves the template or it asks for a report, MappingFailed when no message type of it, or more than
        one, says this.
        """
        found = self._requests.get(template)
        if found is None:
            raise MappingMissing(f"no rule file serves {template}")
        if found[1].report:
            raise MappingMissing(f"{template} asks for a report of the bridge's own: no document of OCP is told by it")
        types = self._book.legacy.templates[template].message_types
        faults: list[Finding] = []
        made: list[Written] = []
        for type_ in types if not message_type else (message_type,):
            try:
                written = self._write(found, template, type_, document, context, carried or {})
            except WrongTypeError:
                continue
            except MappingFailed as error:
                faults += error.findings
                continue
            made.append(written)
        if not made:
            text = f"no message type of {template} says what the document says"
            faults = faults or [Finding(NO_MESSAGE_TYPE, "error", template, text)]
            raise MappingFailed(f"{text}: {faults[0].text}", findings=faults)
        least = min(len(written.findings) for written in made)
        best = [written for written in made if len(written.findings) == least]
        if len(best) > 1:
            text = f"the document may be {' or '.join(f'MT{written.message_type}' for written in best)}"
            raise MappingFailed(text, findings=(Finding(NO_MESSAGE_TYPE, "error", template, text),))
        return best[0]

    def read_message(self, template: str, message_type: str, body: bytes) -> Reading:
        """What an answer or unasked message says of OCP's entry. Raises MappingMissing when no rule writes such."""
        sections = self._messages.get(template)
        if not sections:
            raise MappingMissing(f"no rule file writes {template}")
        checked = self._book.legacy.templates[template].check(message_type, read(body))
        reader = self.reader(template, message_type)
        pages = sections[0][1].pages
        parts = [checked.values] if pages is None else _entries(checked, pages)
        (members, lineage), *more = [reader.read(part) for part in parts]
        for number, (_, told) in enumerate(more, 2):
            lineage += [numbered(each, f"#{number}") for each in told]
        return Reading(
            template=template,
            message_type=message_type,
            members=members,
            lineage=tuple(lineage),
            findings=checked.findings,
            unread=reader.unread,
            more=tuple(each for each, _ in more),
        )

    def reader(self, template: str, message_type: str) -> MessageReader:
        """How the messages of a template are read. Raises KeyError when no rule writes such a one."""
        key = (template, message_type)
        reader = self._readers.get(key)
        if reader is None:
            located, section = self._messages[template][0]
            _, blocks = self._book.rules.parts(located, section)
            reader = self._readers[key] = MessageReader(
                [(name, block) for name, block, _ in blocks],
                self._book.legacy.templates[template],
                message_type,
                Members(self._book.ocp.openapi, section.schema),
                self._book.legacy.tables,
                section.message_type if isinstance(section.message_type, d.ByTable) else None,
            )
        return reader

    def _writer(self, found: tuple[Located, d.RequestSection], template: str, type_: str) -> RequestWriter:
        writer = self._writers.get((template, type_))
        if writer is None:
            located, section = found
            writer = self._writers[template, type_] = RequestWriter(
                [(located.rule_name(f"request.rule[{number}]"), rule) for number, rule in enumerate(section.rule)],
                [
                    (
                        each,
                        [
                            (located.rule_name(f"request.each[{outer}].rule[{number}]"), rule)
                            for number, rule in enumerate(each.rule)
                        ],
                    )
                    for outer, each in enumerate(section.each)
                ],
                self._book.legacy.templates[template],
                type_,
                self._book.legacy.tables,
                self._book.rules.profile,
            )
        return writer

    def _write(
        self,
        found: tuple[Located, d.RequestSection],
        template: str,
        type_: str,
        document: Mapping[str, Any],
        context: Mapping[str, Any],
        carried: Mapping[str, str],
    ) -> Written:
        lines, lineage = self._writer(found, template, type_).write(document, carried, context)
        body = ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")
        again = self._book.read_request(template, type_, body, context)
        wrong = [finding for finding in again.findings if finding.severity == "error"]
        if wrong:
            raise MappingFailed(f"writing {template}: {wrong[0].text}", findings=wrong)
        losses = [
            Finding(LOST, "warning", path, f"{there!r} would come back as {back!r}")
            for path, there, back in differences(document, again.document)
        ]
        losses += [
            Finding(LOST, "warning", name, f"{text!r} is carried by no rule: it stands nowhere in the message")
            for name, text in carried.items()
            if name not in again.carried
        ]
        return Written(
            template=template,
            message_type=type_,
            body=body,
            lineage=tuple(lineage),
            findings=tuple(losses),
            mapping=again.mapping,
        )


def _entries(checked: Checked, pages: d.Pages) -> list[dict[str, list[Field]]]:
    """The fields of each entry of a list, with those of its group; one part without an entry where there is none."""
    values, instances = checked.values, checked.instances
    around = instances.get(pages.group, ((0, MOST_LINES),)) if pages.group else ((0, MOST_LINES),)
    parts: list[dict[str, list[Field]]] = []
    for first, last in around:
        group = {
            place: found
            for place, fields in values.items()
            if (found := [each for each in fields if first <= each.line <= last or not is_within(place, pages.group)])
        }
        own = [spot for spot in instances.get(pages.entry, ()) if first <= spot[0] and spot[1] <= last]
        parts += split_values(group, pages.entry, {pages.entry: own or ((0, 0),)})
    return parts


def differences(first: Any, second: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two documents differ: path, value of the first, value of the second. Absent is null."""
    if isinstance(first, Mapping) or isinstance(second, Mapping):
        left, right = first or {}, second or {}
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            for name in dict.fromkeys((*left, *right)):
                yield from differences(left.get(name), right.get(name), f"{at}.{name}".lstrip("."))
            return
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for number, (one, other) in enumerate(zip(first, second, strict=True), 1):
            yield from differences(one, other, f"{at}#{number}" if number > 1 else at)
        return
    if type(first) is not type(second) or first != second:
        yield at, first, second
