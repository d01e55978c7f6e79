"""A lesson as tables for people."""

from __future__ import annotations

from typing import Any

from pg_bridge.cli.output import console, table
from pg_bridge.mapping.learning.lesson import FieldUse, Lesson, TemplateUse


def print_lesson(lesson: Lesson, set_name: str) -> None:
    """Print what is used, template by template, then what would be refused and what to do about it."""
    out = console()
    print(f"{lesson.participant or 'a participant not known'}: {lesson.messages} messages, judged by {set_name}")
    beside = (
        (lesson.control, "control messages"),
        (lesson.to_pss, "from the PG"),
        (lesson.others, "of other participants"),
    )
    told = ", ".join(f"{count} {what}" for count, what in beside if count)
    if told:
        print(f"Not judged: {told}.")
    for use in lesson.uses:
        _print_use(out, use)
    _print_repeats(lesson)
    if lesson.causes:
        print()
        out.print(_causes(lesson))
    if lesson.beyond:
        print(f"{lesson.beyond} more findings are of causes beyond those listed: correct these first.")
    _print_verdict(lesson)


def _print_use(out: Any, use: TemplateUse) -> None:
    print(f"\n{use.template} MT{use.message_type} ({use.meaning}): {use.messages} messages, {use.refused} refused")
    ends = ", ".join(f"{name} ({count})" for name, count in use.line_ends.items())
    print(f"Line ends: {ends}")
    rows = [
        (
            field.place,
            "M" if field.mandatory else "O",
            f"{field.messages} ({_percent(field.messages, use.messages)})",
            _width(field),
            ", ".join(f"{code} {count}" for code, count in field.codes.items()) or " | ".join(field.samples),
            _habits(field),
        )
        for field in use.fields
    ]
    out.print(table("fields", ("place", "", "messages", "width", "codes or samples", "how"), rows))
    optional = [
        f"{sequence.path} {sequence.messages} ({_percent(sequence.messages, use.messages)})"
        for sequence in use.sequences
        if not sequence.mandatory
    ]
    if optional:
        print(f"Optional sequences: {', '.join(optional)}")
    if use.never_used:
        print(f"Never used: {', '.join(use.never_used)}")
    if use.unknown:
        unknowns = [
            (unknown.name, unknown.times, unknown.carried, unknown.widest, " | ".join(unknown.samples))
            for unknown in use.unknown
        ]
        columns = ("name", "times", "carried if lenient", "widest", "samples")
        out.print(table("fields that the template does not have", columns, unknowns))
    for order in use.orders:
        print(f"Order: {order.place} stands behind {order.behind or 'a later one'}, {order.times} times")


def _width(field: FieldUse) -> str:
    span = str(field.widest) if field.narrowest == field.widest else f"{field.narrowest}-{field.widest}"
    lines = f", {field.most_lines} lines" if field.most_lines > 1 else ""
    return f"{span} of {field.format}{lines}"


def _habits(field: FieldUse) -> str:
    habits = (
        (field.leading_spaces, "spaces before"),
        (field.trailing_spaces, "spaces behind"),
        (field.zero_filled, "zero filled"),
        (field.single_slashes, "/ for //"),
        (field.times - field.messages, "times more than once"),
    )
    return ", ".join(f"{count} {what}" for count, what in habits if count)


def _causes(lesson: Lesson) -> Any:
    rows = [
        (
            f"{cause.messages} ({_percent(cause.messages, lesson.messages)})",
            f"{cause.template} {' '.join(cause.message_types)}".strip(),
            cause.place,
            f"{cause.text} ({', '.join(filter(None, (cause.code, cause.standard)))})",
            f"{cause.file} message {cause.number}" + (f" line {cause.line}" if cause.line else ""),
            cause.remedy,
        )
        for cause in lesson.causes
    ]
    columns = ("messages", "template", "place", "why", "first", "what to do")
    return table("what would be refused, and why", columns, rows)


def _print_repeats(lesson: Lesson) -> None:
    repeats = lesson.repeats
    if repeats.same:
        print(f"\nReferences that came again with the same text: {repeats.same}; each gets the answer of the first.")
    if repeats.other:
        print(f"\nReferences that came again on the same day with another text: {repeats.other}; these are refused.")
    if repeats.undated:
        what = "right if they were sent on different days"
        print(f"\nReferences that came again with another text, in samples without a day: {repeats.undated}; {what}.")
    if not repeats.is_whole:
        print("There were more references than are remembered: repeats of the later ones are not told.")


def _print_verdict(lesson: Lesson) -> None:
    if not lesson.refused:
        print("\nNothing would be refused.")
        return
    print(f"\nThe strict profile would refuse {lesson.refused} of {lesson.messages} messages", end="")
    print(f", the lenient one {lesson.refused_leniently}.")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"
