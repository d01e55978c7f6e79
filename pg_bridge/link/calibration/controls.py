"""Control messages, told by what they do: the first of a session, the one that answers it, the one that is last.

Each control is recognised by its place in the conversation, never by its name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pg_bridge.link.calibration.codes import is_business
from pg_bridge.link.calibration.grid import Claim, Grid
from pg_bridge.link.calibration.stream import Grade

_TAGGED = re.compile(r":([0-9]{2}[A-Z]?):(.*)")
_KEY = re.compile(r"([A-Z0-9]{1,16})/(.*)")


class Message(NamedTuple):
    """One frame of the conversation. stream: of which session; keys: in order; empty sub_type: a business message.

    is_copy: it is marked as a possible duplicate.
    """

    number: int
    stream: int
    side: str
    template: str
    sequence: int
    message_type: str
    reference: str
    sub_type: str
    keys: tuple[tuple[str, str], ...]
    is_copy: bool
    time: float | None


class Seen(NamedTuple):
    """Something learned of the conversation: what, how sure, how often it was seen."""

    value: str
    grade: Grade
    times: int


class Control(NamedTuple):
    """A control's template and sub-message types, each as it was seen; empty where it was not."""

    template: Seen
    request: str
    answer: str


class Conversation(NamedTuple):
    """All that control messages show; tags, keys, values: concept -> as written.

    unsolicited: the templates that were acknowledged, and how often; log_ons: how many were seen whole.
    """

    message_type: Seen | None
    tags: dict[str, Seen]
    keys: dict[str, Seen]
    values: dict[str, Seen]
    controls: dict[str, Control]
    unsolicited: tuple[tuple[str, int], ...]
    reference_width: int
    log_ons: int


def converse(grid: Grid, connections: Sequence[str]) -> Conversation:
    """Read the control messages; `connections`: of each stream."""
    tags = _tags(grid)
    messages = _messages(grid, connections)
    controls = [message for message in messages if message.sub_type]
    types = Counter(message.message_type for message in controls)
    told = (
        Seen(types.most_common(1)[0][0], "sure" if types.total() >= 4 and len(types) == 1 else "likely", types.total())
        if types
        else None
    )
    keys: dict[str, Seen] = {}
    values: dict[str, Seen] = {}
    found: dict[str, Control] = {}
    answers = _answers(controls)
    log_ons = _log_on(messages, controls, answers, found, keys, values)
    _acknowledge(messages, controls, answers, found, keys)
    _quiet(messages, controls, answers, found)
    _refusal(messages, controls, found, keys)
    named = {control.template.value for control in found.values()}
    unsolicited = _acknowledged(messages, controls, found)
    width = max((len(message.reference) for message in controls), default=0)
    kept = tuple((name, count) for name, count in unsolicited.most_common() if name not in named)
    return Conversation(told, tags, keys, values, found, kept, width, log_ons)


def _lines(body: bytes) -> list[str]:
    return body.decode("latin-1").splitlines()


def _tags(grid: Grid) -> dict[str, Seen]:
    """The tags of the first three lines: the third stands only where there are keys."""
    out: dict[str, Seen] = {}
    for place, concept in enumerate(("reference", "sub_type", "content")):
        seen: Counter[str] = Counter()
        for row in grid.rows:
            lines = [] if is_business(row.body) else _lines(row.body)
            tagged = _TAGGED.match(lines[place]) if place < len(lines) else None
            if tagged is not None:
                seen[tagged[1]] += 1
        if seen:
            tag, count = seen.most_common(1)[0]
            out[concept] = Seen(tag, "sure" if count >= 3 and len(seen) == 1 else "likely", count)
    return out


def _text(header: str, claim: Claim | None) -> str:
    return header[claim.start : claim.end].rstrip() if claim is not None else ""


def _messages(grid: Grid, connections: Sequence[str]) -> list[Message]:
    template, sequence, kind = grid.found("template"), grid.found("sequence"), grid.found("message_type")
    mark = grid.found("possible_duplicate")
    contents = [
        [] if is_business(row.body) else [_TAGGED.sub(r"\2", line) for line in _lines(row.body)] for row in grid.rows
    ]
    sessions = _sessions(grid, connections, contents)
    names = {name: number for number, name in enumerate(dict.fromkeys(sessions))}
    out: list[Message] = []
    for number, (row, lines) in enumerate(zip(grid.rows, contents, strict=True)):
        count = _text(row.header, sequence)
        out.append(
            Message(
                number,
                names[sessions[number]],
                grid.sides[number],
                _text(row.header, template),
                int(count) if count else -1,
                _text(row.header, kind),
                lines[0] if lines else "",
                lines[1] if len(lines) > 1 else "",
                tuple((key[1], key[2]) for key in map(_KEY.match, lines[2:]) if key is not None),
                mark is not None and _text(row.header, mark) == mark.values["yes"],
                row.time,
            )
        )
    return out


def _sessions(grid: Grid, connections: Sequence[str], contents: Sequence[list[str]]) -> list[tuple[str, str]]:
    """Of each frame: its connection and session. A request to log on belongs to the session of its answer."""
    claim = grid.found("session_id")
    if claim is None or claim.is_guess:
        return [(connections[row.stream], "") for row in grid.rows]
    told = [(connections[row.stream], _text(row.header, claim)) for row in grid.rows]
    by_reference: dict[tuple[str, str], str] = {}
    for (connection, session), lines in zip(told, contents, strict=True):
        if session and lines:
            by_reference.setdefault((connection, lines[0]), session)
    return [
        (connection, session or by_reference.get((connection, lines[0] if lines else ""), ""))
        for (connection, session), lines in zip(told, contents, strict=True)
    ]


def _answers(controls: Iterable[Message]) -> dict[int, Message]:
    """Number of a request -> its answer: same template and reference, the other way, another sub-message type."""
    waiting: dict[tuple[int, str, str], list[Message]] = defaultdict(list)
    for message in controls:
        waiting[message.stream, message.template, message.reference].append(message)
    out: dict[int, Message] = {}
    for messages in waiting.values():
        # of one side each: the streams of a connection are not in one order
        for one in messages:
            for other in messages:
                if one.side != other.side and one.sub_type != other.sub_type and one.side and other.side:
                    out[one.number] = other
    return out


def _seen(values: Iterable[str], least: int = 2) -> Seen | None:
    counted = Counter(values)
    if not counted:
        return None
    value, count = counted.most_common(1)[0]
    return Seen(value, "sure" if count >= least and len(counted) == 1 else "likely", count)


def _put(into: dict[str, Seen], concept: str, values: Iterable[str]) -> None:
    seen = _seen(values)
    if seen is not None and seen.value not in {each.value for each in into.values()}:
        into[concept] = seen


def _log_on(
    messages: Sequence[Message], controls: Sequence[Message], answers: dict[int, Message],
    found: dict[str, Control], keys: dict[str, Seen], values: dict[str, Seen],
) -> int:  # fmt: skip
    """The first of a session, and its answer; how many."""
    requests = [one for one in controls if one.sequence == 1 and one.side == "to_pg" and one.keys]
    template = _seen(one.template for one in requests)
    if template is None:
        return 0
    requests = [one for one in requests if one.template == template.value]
    replies = [answers[one.number] for one in requests if one.number in answers]
    request, answer = _seen(one.sub_type for one in requests), _seen(one.sub_type for one in replies)
    found["logon"] = Control(template, request.value if request else "", answer.value if answer else "")
    _put(keys, "user", (one.keys[0][0] for one in requests))
    _put(keys, "credential", (one.keys[1][0] for one in requests if len(one.keys) > 1))
    _put(keys, "status", (one.keys[0][0] for one in replies if one.keys))
    _put(keys, "text", (one.keys[1][0] for one in replies if len(one.keys) > 1))
    went_on = {one.stream for one in messages if one.side == "to_pg" and one.sequence > 1}
    _put(values, "accepted", (one.keys[0][1] for one in replies if one.keys and one.stream in went_on))
    _put(values, "refused", (one.keys[0][1] for one in replies if one.keys and one.stream not in went_on))
    return len(replies)


def _acknowledge(
    messages: Sequence[Message], controls: Sequence[Message], answers: dict[int, Message],
    found: dict[str, Control], keys: dict[str, Seen],
) -> None:  # fmt: skip
    """From the PSS, never answered, with one key: the number of a frame from the PG."""
    told = {(one.stream, one.sequence) for one in messages if one.side == "to_pss"}
    taken = {control.template.value for control in found.values()}
    lonely = [
        one
        for one in controls
        if one.side == "to_pg" and one.number not in answers and one.template not in taken and len(one.keys) == 1
        and one.keys[0][1].isdecimal() and (one.stream, int(one.keys[0][1])) in told
    ]  # fmt: skip
    template = _seen(one.template for one in lonely)
    if template is None:
        return
    lonely = [one for one in lonely if one.template == template.value]
    found["acknowledge"] = Control(template, lonely[0].sub_type, "")
    _put(keys, "sequence", (one.keys[0][0] for one in lonely))


def _acknowledged(messages: Sequence[Message], controls: Sequence[Message], found: dict[str, Control]) -> Counter[str]:
    """Templates of the frames that were acknowledged; of copies alone it may have been an answer sent again."""
    out: Counter[str] = Counter()
    unmarked: set[str] = set()
    if "acknowledge" not in found:
        return out
    by_number: dict[tuple[int, int], list[Message]] = defaultdict(list)
    for one in messages:
        if one.side == "to_pss":
            by_number[one.stream, one.sequence].append(one)
    for one in controls:
        if one.template == found["acknowledge"].template.value and one.keys and one.keys[0][1].isdecimal():
            told = by_number[one.stream, int(one.keys[0][1])]
            # with several sessions in one stream a number may stand for several frames
            if len(told) == 1:
                out[told[0].template] += 1
                unmarked |= set() if told[0].is_copy else {told[0].template}
    return Counter({name: count for name, count in out.items() if name in unmarked})


def _quiet(
    messages: Sequence[Message], controls: Sequence[Message], answers: dict[int, Message], found: dict[str, Control]
) -> None:
    """Without keys and answered: the one that ends sessions, and the one that comes at any time, from either side."""
    taken = {control.template.value for control in found.values()}
    with_keys = {one.template for one in controls if one.keys}
    last = {one.stream: one.number for one in messages if one.side == "to_pg"}
    pairs = [
        (one, answers[one.number])
        for one in controls
        if one.number in answers and one.template not in taken | with_keys
    ]
    by_template: dict[str, list[tuple[Message, Message]]] = defaultdict(list)
    for one, other in pairs:
        by_template[one.template].append((one, other))
    for template, exchanges in by_template.items():
        asked = [one for one, _ in exchanges if one.side == "to_pg"]
        is_last = asked and all(one.number == last[one.stream] for one in asked)
        is_once = len(asked) == len({one.stream for one in asked})
        kinds = {one.sub_type for one in asked}
        if is_last and is_once and len(kinds) == 1 and "logoff" not in found:
            reply = answers[asked[0].number]
            grade: Grade = "sure" if len(asked) > 1 and len(by_template) > 1 else "likely"
            found["logoff"] = Control(Seen(template, grade, len(asked)), asked[0].sub_type, reply.sub_type)
        elif asked and "heartbeat" not in found:
            found["heartbeat"] = _heartbeat(template, exchanges, found.get("logon"))


def _heartbeat(template: str, exchanges: Sequence[tuple[Message, Message]], log_on: Control | None) -> Control:
    """Either side may ask: which of two sub-message types does, only the times tell.

    Without them it is taken to stand to its answer as that of a log-on does: before it, or behind it.
    """
    rises = log_on is None or not log_on.request or log_on.request < log_on.answer
    kinds: Counter[tuple[str, str]] = Counter()
    guessed: Counter[tuple[str, str]] = Counter()
    for one, other in exchanges:
        if one.side != "to_pg":
            continue
        low, high = sorted((one.sub_type, other.sub_type))
        guessed[(low, high) if rises else (high, low)] += 1
        if one.time is not None and other.time is not None and one.time != other.time:
            first, second = (one, other) if one.time < other.time else (other, one)
            kinds[first.sub_type, second.sub_type] += 1
    seen = kinds or guessed
    (request, answer), count = seen.most_common(1)[0]
    is_sure = count >= 2 and len(kinds) == 1
    return Control(Seen(template, "sure" if is_sure else "likely", count), request, answer)


def _refusal(
    messages: Sequence[Message], controls: Sequence[Message], found: dict[str, Control], keys: dict[str, Seen]
) -> None:
    """From the PG alone, with the number of a frame from the PSS among several keys."""
    taken = {control.template.value for control in found.values()}
    from_pss = {one.template for one in controls if one.side == "to_pg"}
    told = {(one.stream, one.sequence) for one in messages if one.side == "to_pg"}
    refusals = []
    for one in controls:
        numbers = [key for key, value in one.keys if value.isdecimal() and (one.stream, int(value)) in told]
        if one.side == "to_pss" and one.template not in taken | from_pss and len(one.keys) > 1 and numbers:
            refusals.append((one, numbers[0]))
    template = _seen(one.template for one, _ in refusals)
    if template is None:
        return
    refusals = [(one, number) for one, number in refusals if one.template == template.value]
    found["refusal"] = Control(template, "", refusals[0][0].sub_type)
    if "sequence" not in keys:
        _put(keys, "sequence", (number for _, number in refusals))
    for one, number in refusals[:1]:
        rest = [(key, value) for key, value in one.keys if key != number]
        code = min(rest, key=lambda pair: (" " in pair[1], len(pair[1])))
        _put(keys, "code", (code[0] for _ in refusals))
        if "text" not in keys and len(rest) > 1:
            _put(keys, "text", (next(key for key, _ in rest if key != code[0]) for _ in refusals))
