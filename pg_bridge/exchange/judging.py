"""A whole file, judged: its form, its records as messages, each held against its template and translated.

Strategy: all faults are found before anything is entered, and a file with one is refused whole. A long file takes a
while, so that judging goes in steps: whoever waits for it does something else between two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pg_bridge.errors import Finding, MappingError
from pg_bridge.exchange.kinds.files import Item
from pg_bridge.exchange.terms import Terms
from pg_bridge.formats import tag_based
from pg_bridge.formats.fixed_width.layout import Layout
from pg_bridge.formats.fixed_width.reader import FixedWidthReader
from pg_bridge.formats.tag_based import TagBasedForm
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.file_message import FileMessage, MessageTypes
from pg_bridge.mapping.file_rules import plain
from pg_bridge.mapping.translated import Request
from pg_bridge.profiles.tag_based import TEMPLATE

#: the findings of a file whose form cannot be told; of a reference that two records of one file have; of a head line
#: that names no template that is served; of a day or name that is no day or name
NO_FORM = "PGB-FIL-010"
TWICE_IN_FILE = "PGB-FIL-061"
NO_TEMPLATE = "PGB-FIL-062"
NO_RECORDS = "PGB-FIL-063"
MORE_FAULTS = "PGB-FIL-064"

#: how the tag-based form is called where layouts have their names
TAG_BASED = "tag-based"
#: faults told for one file; what is beyond is counted in a last one
MOST_ITEMS = 5000
#: what codes of findings of a text block begin with
_OF_TEXT = "PGB-MSG-"
#: records of a fixed-width file that stand before the first detail: its header
_BEFORE_DETAILS = 1
#: records judged in one step
_STEP = 100


class Judged(NamedTuple):
    """One record without a fault: its number from 1, what it says as a message, and the request that this is."""

    number: int
    body: bytes
    request: Request


@dataclass(slots=True)
class Judgement:
    """What a file is. items: its faults, none of a good one; read: its records."""

    layout: str = ""
    read: int = 0
    records: list[Judged] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


def judge(
    terms: Terms,
    content: bytes,
    context: Mapping[str, Any],
    *,
    is_lenient: bool,
    beside: Callable[[Request], Request] = lambda request: request,
) -> Iterator[Judgement]:
    """Judge a whole file in steps: the same judgement after each, finished when the iterator ends.

    beside: looks at each translated record once more.
    """
    judging = _Judging(terms, context, is_lenient=is_lenient, beside=beside)
    yield from judging.run(content)


class _Judging:
    def __init__(
        self, terms: Terms, context: Mapping[str, Any], *, is_lenient: bool, beside: Callable[[Request], Request]
    ) -> None:
        self._beside = beside
        self._terms = terms
        self._book: MappingBook = terms.book
        self._context = context
        self._is_lenient = is_lenient
        self._types = MessageTypes(terms.book.legacy)
        self._beyond = 0
        #: reference -> the number of the record that has it
        self._references: dict[str, int] = {}
        self._judgement = Judgement()

    def run(self, content: bytes) -> Iterator[Judgement]:
        judgement = self._judgement
        first = content[:8192].partition(b"\n")[0]
        forms = self._book.legacy.forms_of(first + b"\n")
        if len(forms) != 1:
            told = "its first line tells no form that is known, or more than one"
            self._tell(0, "", [Finding(NO_FORM, "error", "", told, 1)])
        elif isinstance(forms[0], Layout):
            yield from self._fixed_width(forms[0], content)
        else:
            yield from self._tag_based(forms[0], content)
        if not judgement.read and not judgement.items:
            self._tell(0, "", [Finding(NO_RECORDS, "error", "", "the file has no records")])
        if self._beyond:
            told = f"{self._beyond:,} more faults are not named"
            judgement.items.append(self._item(0, "", Finding(MORE_FAULTS, "error", "", told)))
        yield judgement

    # --- tag-based -----------------------------------------------------------------------------------------------

    def _tag_based(self, form: TagBasedForm, content: bytes) -> Iterator[Judgement]:
        judgement = self._judgement
        judgement.layout = TAG_BASED
        read = tag_based.read(form, content)
        judgement.read = len(read.blocks)
        # What is wrong inside a text block is told with its record.
        self._tell(0, "", [found for found in read.findings if not found.code.startswith(_OF_TEXT)])
        template = read.head.get(TEMPLATE, "")
        if not self._types.of(template):
            if not read.findings:
                told = f"the records are to be {template}, which is no template of a request"
                self._tell(0, "", [Finding(NO_TEMPLATE, "error", "", told)])
            return
        for number, block in enumerate(read.blocks, 1):
            type_, findings = self._types.type_of(template, block.body)
            if type_:
                self._record(number, FileMessage(template, type_, block.body), block.line)
            else:
                self._tell(number, "", findings, block.line - 1)
            if number % _STEP == 0:
                yield judgement

    # --- fixed-width ---------------------------------------------------------------------------------------------

    def _fixed_width(self, layout: Layout, content: bytes) -> Iterator[Judgement]:
        judgement = self._judgement
        judgement.layout = layout.name
        reader = FixedWidthReader(layout)
        details = [name for name, spec in layout.records.items() if spec.role == "detail"]
        for record in reader.records([content]):
            if record.name not in details:
                continue
            number = record.line - _BEFORE_DETAILS
            written = self._book.files.write(layout.name, record.name, plain(record), self._context)
            if isinstance(written, FileMessage):
                self._record(number, written, record.line, is_written=True)
            else:
                self._tell(number, "", written, record.line, is_line=True)
            if number % _STEP == 0:
                yield judgement
        judgement.read = sum(reader.counts[name] for name in details)
        for found in reader.findings:
            is_of_record = found.line > _BEFORE_DETAILS and found.path.partition("/")[0] in details
            self._tell(found.line - _BEFORE_DETAILS if is_of_record else 0, "", [found])
        judgement.items.sort(key=lambda item: item.number)

    # --- any record ----------------------------------------------------------------------------------------------

    def _record(self, number: int, message: FileMessage, line: int, *, is_written: bool = False) -> None:
        """Hold a record against its template and translate it. line: of its first line in the file.

        is_written: its text was written from a line of columns, so that the lines of its text are not the file's.
        """
        try:
            request = self._book.read_request(
                message.template, message.message_type, message.body, self._context, lenient=self._is_lenient
            )
        except MappingError as error:
            findings = error.told(message.template)
            self._tell(number, "", findings, line, is_line=True)
            return
        request = self._beside(request)
        wrong = [finding for finding in request.findings if finding.severity == "error"]
        if request.effect != "instruct":
            wrong.append(Finding(NO_TEMPLATE, "error", "", f"{message.template} is no instruction"))
        other = self._references.setdefault(request.reference, number) if request.reference else number
        if other != number:
            told = f"duplicate reference: {request.reference} is that of record {other}, too"
            wrong.append(Finding(TWICE_IN_FILE, "error", "", told))
        if wrong:
            self._tell(number, request.reference, wrong, line if is_written else line - 1, is_line=is_written)
            return
        self._judgement.records.append(Judged(number, message.body, request))

    def _tell(
        self, number: int, reference: str, findings: Sequence[Finding], before: int = 0, *, is_line: bool = False
    ) -> None:
        """Note faults. before: lines of the file before the text that they name lines of; is_line: the line itself."""
        items = self._judgement.items
        for found in findings:
            if len(items) >= MOST_ITEMS:
                self._beyond += 1
                continue
            line = before if is_line else before + found.line if found.line else before + 1 if before else 0
            items.append(self._item(number, reference, found, line))

    def _item(self, number: int, reference: str, found: Finding, line: int = 0) -> Item:
        (fault,) = self._terms.faults_of_findings([found])
        where = f"line {line}: " if line else ""
        return Item(number, reference, fault.code, fault.reason, f"{where}{fault.text}"[:300])
