"""What was learnt: plain values, ready for a table or JSON. Values of samples are masked in them unless asked for."""

from __future__ import annotations

import msgspec


class FieldUse(msgspec.Struct, frozen=True, kw_only=True):
    """How one field of a template is used.

    messages: in how many it stands; times: in all. narrowest, widest: characters of its value, of its widest line where
    it has several; most_lines. codes: how often each; only of fields that hold a code. leading_spaces, trailing_spaces,
    zero_filled: values with such padding; single_slashes: written `/` in place of `//`. samples: up to three.
    """

    place: str
    meaning: str
    mandatory: bool
    format: str
    messages: int
    times: int
    narrowest: int
    widest: int
    most_lines: int
    codes: dict[str, int]
    leading_spaces: int
    trailing_spaces: int
    zero_filled: int
    single_slashes: int
    samples: tuple[str, ...]


class SequenceUse(msgspec.Struct, frozen=True, kw_only=True):
    """How often a sequence stands: in how many messages."""

    path: str
    mandatory: bool
    messages: int


class UnknownUse(msgspec.Struct, frozen=True, kw_only=True):
    """A field that the template does not have. carried: how many of them the lenient profile would keep."""

    name: str
    times: int
    carried: int
    widest: int
    samples: tuple[str, ...]


class OrderUse(msgspec.Struct, frozen=True, kw_only=True):
    """A field or sequence that stands behind one that the template has after it."""

    place: str
    behind: str
    times: int


class TemplateUse(msgspec.Struct, frozen=True, kw_only=True):
    """One template in one message type. refused: by the strict profile; refused_leniently: by the lenient one."""

    template: str
    message_type: str
    meaning: str
    messages: int
    refused: int
    refused_leniently: int
    line_ends: dict[str, int]
    fields: tuple[FieldUse, ...]
    sequences: tuple[SequenceUse, ...]
    never_used: tuple[str, ...]
    unknown: tuple[UnknownUse, ...]
    orders: tuple[OrderUse, ...]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why messages would be refused. times: findings of this kind; messages: that have it.

    standard: the message standard's own code of the first, empty where none is known. file, number, line: the first,
    line 0 where there is none. is_lenient_cured: the lenient profile would take it.
    correct: the file to change when the PSS cannot be.
    """

    code: str
    standard: str
    template: str
    message_types: tuple[str, ...]
    place: str
    text: str
    times: int
    messages: int
    is_lenient_cured: bool
    remedy: str
    correct: str
    file: str
    number: int
    line: int


class Repeats(msgspec.Struct, frozen=True, kw_only=True):
    """References that came more than once on one day.

    same: with the same text, answered as the first; other: with another, refused; undated: with another text in samples
    without a day, which may be right. is_whole: false where there were too many references to remember all.
    """

    same: int
    other: int
    undated: int
    is_whole: bool


class LearntText(msgspec.Struct, frozen=True, kw_only=True):
    """A text for `profile.*` as the PG's own messages to this participant have it. place: where it stands there."""

    name: str
    text: str
    place: str
    times: int


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """Everything learnt. taken, refused, refused_leniently: of `messages`.

    control, to_pss, others: messages that were not judged: of the conversation, from the PG, of other participants.
    is_lenient_advised: messages would be refused for nothing but fields that the lenient profile carries.
    beyond: findings of causes that there was no room for. texts: those that differ from the set's own.
    """

    participant: str
    messages: int
    refused: int
    refused_leniently: int
    control: int
    to_pss: int
    others: int
    is_lenient_advised: bool
    uses: tuple[TemplateUse, ...]
    causes: tuple[Cause, ...]
    beyond: int
    repeats: Repeats
    texts: tuple[LearntText, ...]
