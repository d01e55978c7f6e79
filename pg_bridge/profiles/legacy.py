"""The legacy profile: templates, code tables and the forms of files, read from mappings/legacy/.

Shape of the files: mappings/README.md. Every template, field, column and table says `public` or `assumed`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.formats.fixed_width.layout import Layout
from pg_bridge.formats.iso15022.rules import CHECKS, compile_format
from pg_bridge.formats.tag_based import TagBasedForm
from pg_bridge.link.parts import PartsForm
from pg_bridge.profiles.layouts import read_layouts
from pg_bridge.profiles.parts import read_parts
from pg_bridge.profiles.standard_codes import StandardCodes, read_standard_codes
from pg_bridge.profiles.tag_based import read_tag_based
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template, compile_nodes
from pg_bridge.profiles.template_file import FieldEntry, SequenceEntry, TableEntry, TemplateFile
from pg_bridge.profiles.template_file_check import FileFault, table_faults, template_faults
from pg_bridge.typed_toml import MOST_FAULTS, Lines, read_toml, shown

TEMPLATE_FOLDER = "legacy/templates/"
CODES_FILE = "legacy/codes.toml"
#: how the pretend gateway reads and writes; the bridge does not need it
GATEWAY_FILE = "legacy/gateway.toml"


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One table of codes: key to code, ranges of keys to codes, a default; and back."""

    name: str
    meaning: str
    source: str
    entries: dict[str, str]
    ranges: tuple[tuple[str, str, str], ...]
    default: str | None
    inverse: dict[str, str]
    keys: str = "legacy"

    def to_legacy(self, code: str) -> str | None:
        """The legacy code for an OCP code; a default is on the side of the codes, and none for the way back."""
        return self.inverse.get(code) if self.keys == "legacy" else self.find(code)

    def find(self, key: str) -> str | None:
        """The code of `key`: its entry, the range of its length it lies in, or the default; None: there is none."""
        code = self.entries.get(key)
        if code is not None:
            return code
        for low, high, range_code in self.ranges:
            if len(key) == len(low) and low <= key <= high:
                return range_code
        return self.default


@dataclass(frozen=True, slots=True)
class LegacyProfile:
    """Everything pg-bridge knows of the PG's messages and files."""

    templates: dict[str, Template]
    tables: dict[str, CodeTable]
    layouts: dict[str, Layout] = dataclasses.field(default_factory=dict)
    tag_based: TagBasedForm | None = None
    parts: PartsForm | None = None
    standard_codes: StandardCodes = dataclasses.field(default_factory=StandardCodes)

    @property
    def request_templates(self) -> frozenset[tuple[str, str]]:
        """The (template, message type) pairs that a PSS may send."""
        return frozenset(
            (template.name, type_)
            for template in self.templates.values()
            if template.direction == "I"
            for type_ in template.message_types
        )

    def forms_of(self, first_line: bytes) -> list[Layout | TagBasedForm]:
        """The forms that a file with this first line may have: those whose constants stand, else those of its length.

        One: that is it. More or none: it cannot be told.
        """
        forms: list[Layout | TagBasedForm] = [each for each in self.layouts.values() if each.begins(first_line)]
        if self.tag_based is not None and self.tag_based.begins(first_line):
            forms.append(self.tag_based)
        if forms:
            return forms
        line = first_line.rstrip(b"\r\n").decode("latin-1")
        return [
            layout
            for layout in self.layouts.values()
            if len(line) == layout.length and line.startswith(layout.header.marker)
        ]


def read_legacy_profile(files: Mapping[str, str]) -> LegacyProfile:
    """Read templates and codes from `files` (path below mappings/ to text). Raises MappingInvalid with all findings."""
    findings: list[Finding] = []
    read: dict[str, TemplateFile] = {}
    for path in sorted(files):
        if not path.startswith(TEMPLATE_FOLDER) or not path.endswith(".toml"):
            continue
        file: TemplateFile | None = read_toml(path, files[path], TemplateFile, findings, "PGB-PRF-012")
        if file is not None:
            read[path] = file
            _add(findings, "PGB-PRF-015", path, files[path], template_faults(file))
    if not read and not findings:
        remedy = "Copy the shipped folder and correct it."
        findings.append(Finding("PGB-PRF-011", "error", TEMPLATE_FOLDER, "there are no templates", remedy=remedy))
    _add_among(findings, files, read, is_whole=not any(finding.code == "PGB-PRF-012" for finding in findings))
    tables = _tables(files.get(CODES_FILE), findings)
    layouts = read_layouts(files, findings)
    tag_based, parts = read_tag_based(files, findings), read_parts(files, findings)
    standard_codes = read_standard_codes(files, findings)
    if findings:
        raise MappingInvalid("reading the legacy profile", findings=findings)
    templates = {file.template.name: _template(file, standard_codes) for file in read.values()}
    return LegacyProfile(templates, tables, layouts, tag_based, parts, standard_codes)


def _add(findings: list[Finding], code: str, path: str, text: str, faults: Iterable[FileFault]) -> None:
    """The faults of one file, with their lines."""
    told = list(islice(faults, MOST_FAULTS))
    if told:
        lines = Lines(text)
        findings += [
            Finding(code, "error", path, fault.text, lines.of(fault.at), remedy=fault.remedy) for fault in told
        ]


def _add_among(
    findings: list[Finding], files: Mapping[str, str], read: Mapping[str, TemplateFile], *, is_whole: bool
) -> None:
    """What is wrong among templates: two of one name, answers that are none. is_whole: every file could be read."""
    paths: dict[str, str] = {}
    for path, file in read.items():
        name = file.template.name
        if name in paths:
            fault = FileFault("template.name", f"a second template {shown(name)}: {paths[name]} is one", "Rename one.")
            _add(findings, "PGB-PRF-013", path, files[path], [fault])
        paths.setdefault(name, path)
    for path, file in read.items():
        answer, function = file.template.answer, file.template.function
        if not answer or (answer not in paths and not is_whole):
            continue
        remedy = f"Name a template of the effect answer and the function {shown(function)}."
        other = read[paths[answer]].template if answer in paths else None
        if other is None:
            told = f"its answer {shown(answer)} is no template"
        elif other.effect != "answer":
            told = f"its answer {shown(answer)} is of the effect {other.effect}"
        elif other.function != function:
            told = f"its answer {shown(answer)} is of the function {shown(other.function)}"
        else:
            continue
        _add(findings, "PGB-PRF-014", path, files[path], [FileFault("template.answer", told, remedy)])


def _tables(text: str | None, findings: list[Finding]) -> dict[str, CodeTable]:
    if text is None:
        remedy = "Copy the shipped one and correct it."
        findings.append(Finding("PGB-PRF-011", "error", CODES_FILE, "the file is missing", remedy=remedy))
        return {}
    file: dict[str, TableEntry] | None = read_toml(CODES_FILE, text, dict[str, TableEntry], findings, "PGB-PRF-012")
    if file is None:
        return {}
    faults = (fault for name, table in file.items() for fault in table_faults(name, table))
    _add(findings, "PGB-PRF-016", CODES_FILE, text, faults)
    tables = {}
    for name, table in file.items():
        inverse: dict[str, str] = {}
        preferred = frozenset(table.preferred)
        for key, code in table.entries.items():
            if code not in inverse or key in preferred:
                inverse[code] = key
        tables[name] = CodeTable(
            name,
            table.meaning,
            table.source,
            table.entries,
            tuple((range_.from_, range_.to, range_.code) for range_ in table.ranges),
            table.default,
            inverse,
            table.keys,
        )
    return tables


def _template(file: TemplateFile, standard_codes: StandardCodes) -> Template:
    """The template of a file without faults."""
    head = file.template
    every = frozenset(head.message_types)
    by_parent: dict[str, list[SequenceEntry]] = {}
    for sequence in file.sequence:
        by_parent.setdefault(sequence.parent, []).append(sequence)
    fields: dict[str, list[FieldSpec]] = {}
    for field in file.field:
        fields.setdefault(field.path, []).append(_field(field, every))

    def build(at: str, declared: SequenceEntry | None) -> SequenceSpec:
        return SequenceSpec(
            at,
            declared.name if declared is not None else "",
            declared.discriminator if declared is not None else "",
            declared is None or declared.status == "M",
            declared is not None and declared.repeats,
            frozenset(declared.types) if declared is not None and declared.types else every,
            (*fields.get(at, ()), *(build(below.path, below) for below in by_parent.get(at, ()))),
        )

    root = build("", None)
    return Template(
        head.name,
        head.direction,
        tuple(head.message_types),
        head.function,
        head.effect,
        head.answer,
        head.meaning,
        head.source,
        root,
        {type_: compile_nodes(root, type_, CHECKS) for type_ in head.message_types},
        {(type_, spec.place): spec for spec in root.fields() for type_ in spec.types},
        standard_codes,
        (head.more.place, head.more.ends) if head.more is not None else None,
    )


def _field(field: FieldEntry, every: frozenset[str]) -> FieldSpec:
    return FieldSpec(
        field.place,
        field.tag,
        field.qualifier,
        field.scheme,
        field.status == "M",
        field.repeats,
        frozenset(field.types) or every,
        field.format,
        compile_format(field.format),
        tuple(field.checks),
        frozenset(field.values),
        field.meaning,
        field.sample,
        field.source,
        field.concept,
        field.reason,
    )
