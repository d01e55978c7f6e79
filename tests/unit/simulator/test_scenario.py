"""Scenario files: what is refused of one, by name and line; and what a message that came is held to."""

from __future__ import annotations

import pytest

from pg_bridge.errors import Finding
from pg_bridge.simulator.scenario import Expected, Scenario, deed_of
from pg_bridge.simulator.scenario_fields import misfits, read_fields, values_at
from pg_bridge.simulator.scenario_file import read_scenario

_MESSAGES = """
[message.deliver]
template = "SI01"
message_type = "543"
values = { stock = "00005" }
body = "{reference} {stock} {lot}"
"""
_GOOD = """
say = "a scenario"
participants = { seller = "B01234", buyer = "C00019" }
include = ["messages.toml"]

[[step]]
say = "the seller delivers"
by = "seller"
send = "deliver"
values = { reference = "{run_id}S1" }
expect = [{ template = "SI51", fields = { "20C:RELA" = "{run_id}S1" }, keep = { number = "20C:PREV" } }]

[[step]]
fault = { kind = "broken", operation = "si_add" }

[[step]]
hold = { si_number = "{number}", hold = true }
entered = { "{run_id}S1" = 1 }
"""


def _read(text: str) -> tuple[Scenario | None, list[Finding]]:
    findings: list[Finding] = []
    files = {"folder/a.toml": text, "folder/messages.toml": _MESSAGES}
    return read_scenario("folder/a.toml", files.get, findings), findings


def test_a_good_file_is_read_with_its_messages_and_lines() -> None:
    scenario, findings = _read(_GOOD)

    assert [] == findings
    assert scenario is not None
    assert (6, 13, 16) == scenario.lines
    assert ["send", "fault", "hold"] == [deed_of(step) for step in scenario.file.step]
    assert "SI01" == scenario.messages["deliver"].template


#: what is replaced by what: the line of the finding, and words of it and of its remedy
_WRONG = {
    "a key of a step": ("\nfault =", "\nfualt =", 14, "fualt", "`fault`"),
    "a key of the file": ("participants =", "participant =", 3, "participant", "`participants`"),
    "a kind of fault": ('"broken"', '"borken"', 14, "borken", ""),
    "a key of a fault": ("operation", "operatoin", 14, "operatoin", "`operation`"),
    "a key of what is expected": ("fields =", "feilds =", 11, "feilds", "`fields`"),
    "a message": ('"deliver"', '"delivr"', 9, "no message `delivr`", "`deliver`"),
    "a role": ('by = "seller"', 'by = "sellr"', 8, "no participant `sellr`", "`seller`"),
    "a hole": ("{number}", "{numbr}", 16, "nothing fills the hole `numbr`", "`number`"),
    "a hole of a message that nothing fills": ("values = { reference", "values = { refrence", 10, "no hole `refrence`", "`reference`"),
    "a place": ('"20C:PREV"', '"20C PREV"', 11, "`20C PREV` is no place", "Write tag"),
    "an include": ('["messages.toml"]', '["message.toml"]', 4, "no file message.toml", "Name a file"),
    "two deeds": ("\nhold =", "\nwait = 1.0\nhold =", 16, "several things: wait, hold", "a step for each"),
    "a PSS's deed without a PSS": ('by = "seller"\n', "", 6, "which PSS does `send`", "Write `by`"),
    "no deed": ('fault = { kind = "broken", operation = "si_add" }', 'say = "x"', 13, "nothing is done", "Write one of"),
    "a role that comes later": ("include =", 'later = ["rival"]\ninclude =', 3, "no participant `rival`", "`seller`"),
    "too often": ('by = "seller"\n', 'by = "seller"\ntimes = 1000\n', 9, "1 to 999 times", "Write a number"),
    "a change of no message": ("\nhold =", '\nalter = { find = "a", put = "b" }\nhold =', 16, "of a message that is sent", "`send`"),
    "a node without a log-on": ("\nhold =", "\nnode = 1\nhold =", 17, "at a log-on only", "`reconnect = true`"),
    "a session of nobody": ("\nhold =", "\nis_on = true\nhold =", 16, "which PSS does `is_on`", "Write `by`"),
    "a fault of a frame": ("\nhold =", '\nframes_refused = ["chksum"]\nhold =', 17, "chksum", ""),
    "no TOML": ("[[step]]", "[[step]", 6, "not TOML", "Correct the line"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(_WRONG))
def test_what_is_misspelt_is_refused_by_name_and_line(what: str) -> None:
    old, new, line, told, remedy = _WRONG[what]
    assert old in _GOOD
    scenario, findings = _read(_GOOD.replace(old, new, 1))
    named = [one for one in findings if told in one.text]

    assert scenario is None
    assert named, findings
    assert line == named[0].line, named
    assert remedy in named[0].remedy


_TEXT = (
    ":16R:GENL\r\n:20C::SEME//PG1\r\n:16R:LINK\r\n:20C::RELA//S1\r\n:16S:LINK\r\n:16S:GENL\r\n"
    ":22F::CODE/CCAS/DELE\r\n:35B:ISIN HK0005000002\r\n/HK/00005\r\n:24B::REJT//DDAT\r\n:24B::REJT//DQUA\r\n"
)


def test_fields_are_found_by_tag_qualifier_and_sequences() -> None:
    fields = read_fields(_TEXT)

    assert ["S1"] == values_at(fields, "20C:RELA") == values_at(fields, "GENL/LINK/20C:RELA")
    assert [] == values_at(fields, "GENL/20C:RELA")
    assert ["PG1", "S1"] == values_at(fields, "20C")
    assert ["CCAS/DELE"] == values_at(fields, "22F:CODE")
    assert ["ISIN HK0005000002\n/HK/00005"] == values_at(fields, "35B")


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        (Expected(template="T", fields={"20C:RELA": "{ref}", "24B:REJT": ["DQUA", "DDAT"]}), []),
        (Expected(template="T", fields={"35B": "ISIN HK*/00005"}, holds=["/HK/"], lacks=["25D"]), []),
        (Expected(template="T", fields={"20C:RELA": "S2"}), ["20C:RELA is S1, not S2"]),
        (Expected(template="T", fields={"36B": "*"}), ["36B is not there, not *"]),
        (Expected(template="T", fields={"24B:REJT": ["DDAT", "SETR"]}), ["24B:REJT is DDAT, DQUA, not SETR"]),
        (Expected(template="T", lacks=["35B"], holds=["nothing"]), ["35B is there", "it lacks nothing"]),
    ],
)
def test_a_message_is_held_to_what_is_expected(expected: Expected, wrong: list[str]) -> None:
    assert wrong == misfits(expected, _TEXT, {"ref": "S1"})
