"""The section of the bridge's configuration that a lesson asks for, as TOML with the reasons beside it."""

from __future__ import annotations

import re

import msgspec

from pg_bridge.mapping.learning.lesson import Lesson
from pg_bridge.mapping.learning.mask import shown

#: fields named in the comment that says what is carried
_MOST_NAMED = 12
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def participant_section(lesson: Lesson, set_name: str) -> str:
    """`[participants.<id>]`, ready to be put into bridge.toml. set_name: which mapping set judged the samples.

    Lenient only where a message would be refused for nothing but fields that the lenient profile carries.
    """
    carried = sorted({unknown.name for use in lesson.uses for unknown in use.unknown if unknown.carried})
    key = lesson.participant if _BARE.fullmatch(lesson.participant) else _text(lesson.participant)
    lines = [
        f"# Learnt from {lesson.messages} messages of the participant by the mapping set {shown(set_name)}.",
        f"# The strict profile would refuse {lesson.refused} of them, the lenient one {lesson.refused_leniently}.",
        f"[participants.{key}]",
        "addresses = []                      # source addresses allowed; empty: any (samples do not tell them)",
    ]
    if lesson.is_lenient_advised:
        named = ", ".join(carried[:_MOST_NAMED]) + (" and others" if len(carried) > _MOST_NAMED else "")
        lines.append(f"# These go into the journal and not to OCP: {named}")
    lines.append(f"lenient = {'true' if lesson.is_lenient_advised else 'false'}")
    if lesson.texts:
        lines += ["", f"[participants.{key}.profile]"]
        for learnt in lesson.texts:
            lines.append(f"# as the PG wrote it {learnt.times} times at {learnt.place}")
            lines.append(f"{_text(learnt.name)} = {_text(learnt.text)}")
    return "\n".join([*lines, ""])


def _text(value: str) -> str:
    """A basic string of TOML: JSON's strings are among them."""
    return msgspec.json.encode(value).decode()
