"""The legacy profile: templates and code tables, read from mappings/legacy/.

Shape of the files: mappings/README.md. Every template, field and table says `public` or `assumed`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.formats.iso15022.rules import CHECKS, FormatError, compile_format
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template, compile_nodes

TEMPLATE_FOLDER = "legacy/templates/"
CODES_FILE = "legacy/codes.toml"

Source = Literal["public", "assumed"]


class _Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    direction: Literal["I", "O"]
    message_types: list[str]
    function: str
    effect: Literal["instruct", "enquire", "answer", "unsolicited"]
    answer: str = ""
    meaning: str
    source: Source


class _Sequence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str
    status: Literal["M", "O"]
    repeats: bool = False
    types: list[str] = []
    source: Source = "assumed"
    meaning: str = ""


class _Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str
    tag: str
    qualifier: str = ""
    scheme: str = ""
    status: Literal["M", "O"]
    format: str
    repeats: bool = False
    types: list[str] = []
    checks: list[str] = []
    values: list[str] = []
    meaning: str
    sample: str = ""
    source: Source
    concept: str = ""
    reason: str = ""


class _TemplateFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    template: _Head
    sequence: list[_Sequence]
    field: list[_Field]


class _Range(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    from_: str
    to: str
    code: str


class _TableFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    meaning: str
    source: Source
    #: whose codes the keys are
    keys: Literal["legacy", "ocp"] = "legacy"
    entries: dict[str, str] = {}
    #: which key is written back where several have one value
    preferred: list[str] = []
    ranges: list[_Range] = []
    default: str | None = None


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
        """The legacy code for an OCP code."""
        return self.inverse.get(code, self.default) if self.keys == "legacy" else self.find(code)

    def find(self, key: str) -> str | None:
        """The code of `key`: its entry, the range it lies in, or the default; None: there is none."""
        code = self.entries.get(key)
        if code is not None:
            return code
        for low, high, range_code in self.ranges:
            if low <= key <= high:
                return range_code
        return self.default


@dataclass(frozen=True, slots=True)
class LegacyProfile:
    """Everything pg-bridge knows of the PG's messages."""

    templates: dict[str, Template]
    tables: dict[str, CodeTable]

    @property
    def request_templates(self) -> frozenset[tuple[str, str]]:
        """The (template, message type) pairs that a PSS may send."""
        return frozenset(
            (template.name, type_)
            for template in self.templates.values()
            if template.direction == "I"
            for type_ in template.message_types
        )


def read_legacy_profile(files: Mapping[str, str]) -> LegacyProfile:
    """Read templates and codes from `files` (path below mappings/ to text). Raises MappingInvalid with all findings."""
    findings: list[Finding] = []
    templates: dict[str, Template] = {}
    for path in sorted(files):
        if not path.startswith(TEMPLATE_FOLDER) or not path.endswith(".toml"):
            continue
        try:
            file = msgspec.convert(tomllib.loads(files[path]), _TemplateFile)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            findings.append(Finding("PGB-PRF-012", "error", path, str(error)))
            continue
        template = _template(path, file, findings)
        if template.name in templates:
            findings.append(Finding("PGB-PRF-013", "error", path, f"a second template {template.name}"))
        templates[template.name] = template
    if not templates and not findings:
        findings.append(Finding("PGB-PRF-011", "error", TEMPLATE_FOLDER, "there are no templates"))
    findings += [
        Finding("PGB-PRF-014", "error", template.name, f"its answer {template.answer} is no template")
        for template in templates.values()
        if template.answer and template.answer not in templates
    ]
    tables = _tables(files.get(CODES_FILE), findings)
    if findings:
        raise MappingInvalid("reading the legacy profile", findings=findings)
    return LegacyProfile(templates, tables)


def _tables(text: str | None, findings: list[Finding]) -> dict[str, CodeTable]:
    if text is None:
        findings.append(Finding("PGB-PRF-011", "error", CODES_FILE, "the file is missing"))
        return {}
    try:
        file = msgspec.convert(tomllib.loads(text), dict[str, _TableFile])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        findings.append(Finding("PGB-PRF-012", "error", CODES_FILE, str(error)))
        return {}
    tables = {}
    for name, table in file.items():
        inverse: dict[str, str] = {}
        for key, code in table.entries.items():
            if code not in inverse or key in table.preferred:
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


def _template(path: str, file: _TemplateFile, findings: list[Finding]) -> Template:
    head = file.template
    every = frozenset(head.message_types)

    def add(place: str, text: str) -> None:
        findings.append(Finding("PGB-PRF-015", "error", f"{path}:{place}", text))

    by_parent: dict[str, list[_Sequence]] = {}
    known = {""}
    for sequence in file.sequence:
        parent = sequence.path.rpartition("/")[0]
        if parent not in known:
            add(sequence.path, f"the sequence stands in {parent}, which is not declared before it")
        if sequence.path in known:
            add(sequence.path, "the sequence is declared twice")
        known.add(sequence.path)
        by_parent.setdefault(parent, []).append(sequence)
    fields: dict[str, list[FieldSpec]] = {}
    for field in file.field:
        if field.path not in known:
            add(f"{field.path}/{field.tag}", f"the field stands in {field.path}, which is not declared")
        fields.setdefault(field.path, []).append(_field(field, every, add))

    def build(at: str, declared: _Sequence | None) -> SequenceSpec:
        name, _, rest = at.rpartition("/")[2].partition("[")
        types = frozenset(declared.types) if declared is not None and declared.types else every
        return SequenceSpec(
            at,
            name,
            rest.rstrip("]"),
            declared is None or declared.status == "M",
            declared is not None and declared.repeats,
            types,
            (*fields.get(at, ()), *(build(below.path, below) for below in by_parent.get(at, ()))),
        )

    root = build("", None)
    nodes = {type_: compile_nodes(root, type_, CHECKS) for type_ in head.message_types}
    places: dict[tuple[str, str], FieldSpec] = {}
    for spec in root.fields():
        for type_ in spec.types:
            if (type_, spec.place) in places:
                add(spec.place, f"the field is declared twice for MT{type_}")
            places[type_, spec.place] = spec
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
        nodes,
        places,
    )


def _field(field: _Field, every: frozenset[str], add: Callable[[str, str], None]) -> FieldSpec:
    name = field.tag + (f":{field.qualifier}" if field.qualifier else "")
    place = f"{field.path}/{name}" if field.path else name
    try:
        pattern = compile_format(field.format)
    except FormatError as error:
        add(place, str(error))
        pattern = compile_format("1x")
    for name in field.checks:
        if name not in CHECKS:
            add(place, f"there is no check {name}; there are {', '.join(sorted(CHECKS))}")
    for type_ in set(field.types) - every:
        add(place, f"MT{type_} is no message type of this template")
    return FieldSpec(
        place,
        field.tag,
        field.qualifier,
        field.scheme,
        field.status == "M",
        field.repeats,
        frozenset(field.types) or every,
        field.format,
        pattern,
        tuple(name for name in field.checks if name in CHECKS),
        frozenset(field.values),
        field.meaning,
        field.sample,
        field.source,
        field.concept,
        field.reason,
    )
