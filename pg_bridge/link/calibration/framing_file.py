"""A calibrated profile as the text of framing.toml, each entry with how sure it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pg_bridge.link.calibration.calibrate import Calibration
from pg_bridge.link.calibration.stream import NOT_USED, Answer
from pg_bridge.link.profile import LinkProfile


def framing_text(calibration: Calibration, profile: LinkProfile) -> str:
    """The file."""
    told = {answer.question: _told(answer) for answer in calibration.answers}
    lines = [
        f"# Found from {calibration.frames} recorded frames, {calibration.damaged} of them damaged, by",
        "# `pg-bridge mappings calibrate`. What was not seen is the default's, marked as such; correct it.",
        f"name = {_value(profile.name)}",
        f"version = {_value(profile.version)}",
    ]
    for block in profile.header:
        lines += ["", f"# {told.get(f'width of block {block.block}', '')}", "[[header]]"]
        lines += _block(block, told)
    lines += ["", f"# blocks: {told.get('blocks', '')}", "[text]", *_entries(profile.text)]
    lines += ["", f"# {told.get('line ends', '')}", "[lines]", *_entries(profile.lines)]
    lines += ["", f"# {told.get(f'width of block {profile.trailer.block}', '')}", "[trailer]"]
    lines += _block(profile.trailer, told)
    for name, question in (("length", "what the length counts"), ("checksum", "checksum")):
        lines += ["", f"# {told.get(question, '')}", f"[{name}]", *_entries(getattr(profile, name))]
    zone = told.get("offset from UTC", "")
    lines += ["", f"# format: {told.get('format of the time', '')}; offset: {zone}", "[timestamp]"]
    lines += _entries(profile.timestamp)
    lines += _control(profile, told)
    lines += ["", "# taken from the default", "[refusals]"]
    lines += [f"{_key(code)} = {_value(refusal)}" for code, refusal in profile.refusals.items()]
    lines += ["", f"# {told.get('unsolicited templates', '')}", "[unsolicited]", *_entries(profile.unsolicited)]
    lines += ["", "# taken from the default", "[limits]", *_entries(profile.limits)]
    return "\n".join(lines) + "\n"


def _told(answer: Answer) -> str:
    if answer.grade == "open":
        return "not enough frames to tell: taken from the default, or guessed"
    if answer.answer == NOT_USED:
        return "not used in the traffic: taken from the default"
    return f"{answer.grade}: {answer.agree} of {answer.frames}"


def _block(block: Any, told: Mapping[str, str]) -> list[str]:
    lines = [f"block = {_value(block.block)}", f"source = {_value(block.source)}", "fields = ["]
    for field in block.fields:
        why = told.get(field.concept or "constants", "")
        lines.append(f"    {_value(field)},{f'  # {why}' if why else ''}")
    return [*lines, "]"]


def _control(profile: LinkProfile, told: Mapping[str, str]) -> Iterable[str]:
    control = profile.control
    yield from ("", f"# message type: {told.get('control message type', '')}", "[control]")
    yield from (
        f"{name} = {_value(getattr(control, name))}"
        for name in ("message_type", "reference_width", "text_width", "source")
    )
    for name, word in (("tags", "tag of the"), ("keys", "key of the"), ("values", "value for")):
        yield from ("", f"[control.{name}]")
        for concept, written in getattr(control, name).items():
            yield f"{_key(concept)} = {_value(written)}  # {told.get(f'{word} {concept}', '')}"
    yield from ("", "[control.templates]")
    for concept, spec in control.templates.items():
        yield f"{_key(concept)} = {_value(spec)}  # {told.get(f'template of {concept}', '')}"


def _entries(struct: Any) -> list[str]:
    return [f"{_key(name)} = {_value(value)}" for name, value in _members(struct).items()]


def _members(struct: Any) -> dict[str, Any]:
    """A struct's members that are not empty."""
    built: dict[str, Any] = msgspec.to_builtins(struct)
    return {name: value for name, value in built.items() if value not in ("", {})}


def _value(value: Any) -> str:
    if isinstance(value, msgspec.Struct):
        value = _members(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_value(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    # JSON's strings, numbers and booleans are TOML's
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)
