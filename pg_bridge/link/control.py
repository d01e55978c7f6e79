"""Control messages: log-on, log-off, heartbeat, acknowledgement, refusal; their bodies by the link profile."""

from __future__ import annotations

from typing import NamedTuple

from pg_bridge.link.profile import LinkProfile


class ControlMessage(NamedTuple):
    """One control message read. keys are the profile's concepts (`user`, `sequence`, `code` ...)."""

    control: str
    is_answer: bool
    reference: str
    keys: dict[str, str]


class Controls:
    """Reads and writes control bodies."""

    def __init__(self, profile: LinkProfile) -> None:
        shape = profile.control
        self.message_type = shape.message_type
        self.accepted = shape.values["accepted"]
        self.refused = shape.values["refused"]
        self._shape = shape
        self._text_set = {chr(byte) for byte in profile.text.allowed() if 0x20 <= byte <= 0x7E} - set("{}")
        self._by_template = {control.template: name for name, control in shape.templates.items()}
        self._keys = {written: concept for concept, written in shape.keys.items()}
        tags = shape.tags
        self._reference = f":{tags['reference']}:"
        self._sub_type = f":{tags['sub_type']}:"
        self._content = f":{tags['content']}:"

    def name(self, template: str) -> str:
        """Which control a template is, empty for a business template."""
        return self._by_template.get(template, "")

    def template(self, control: str) -> str:
        """The template of a control."""
        return self._shape.templates[control].template

    def write(self, control: str, *, is_answer: bool, reference: str, keys: dict[str, str] | None = None) -> bytes:
        """The body of a control message."""
        spec = self._shape.templates[control]
        lines = [
            self._reference + reference[: self._shape.reference_width],
            self._sub_type + (spec.answer if is_answer else spec.request),
        ]
        pairs = [f"{self._shape.keys[name]}/{value}" for name, value in (keys or {}).items()]  # type: ignore[index]
        if pairs:
            lines.append(self._content + pairs[0])
            lines += pairs[1:]
        return ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")

    def text(self, text: str) -> str:
        """`text` as the value of a key: in one line of the character set, cut to the width."""
        plain = "".join(c if c in self._text_set else "." for c in " ".join(text.split()))
        return plain[: self._shape.text_width]

    def read(self, template: str, body: bytes) -> ControlMessage | str:
        """The control message in `body`, or what is wrong with it."""
        control = self._by_template[template]
        spec = self._shape.templates[control]
        lines = body.decode("latin-1").split("\r\n")[:-1]
        if len(lines) < 2 or not lines[0].startswith(self._reference) or not lines[1].startswith(self._sub_type):
            return f"{self._reference} and {self._sub_type} are due"
        sub_type = lines[1].removeprefix(self._sub_type)
        if not sub_type or sub_type not in (spec.request, spec.answer):
            return f"{sub_type!r} is no sub-message type of {template}"
        keys: dict[str, str] = {}
        if len(lines) > 2:
            if not lines[2].startswith(self._content):
                return f"{self._content} is due in the third line"
            for line in (lines[2].removeprefix(self._content), *lines[3:]):
                written, slash, value = line.partition("/")
                concept = self._keys.get(written)
                if not slash or concept is None:
                    return f"{line[:20]!r} is no KEY/VALUE line known here"
                keys[concept] = value
        reference = lines[0].removeprefix(self._reference)
        return ControlMessage(control, sub_type == spec.answer, reference, keys)
