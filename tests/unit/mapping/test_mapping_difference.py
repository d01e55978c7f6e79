"""What `differences` tells: one edit of the shipped set each, and the sentence, place and effect that tell of it."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.mapping.changes.change import Change, Effect, Kind, became, same
from pg_bridge.mapping.changes.difference import differences
from pg_bridge.mapping.changes.pairs import items, moved, pairs
from tests.doubles.mapping_files import shipped

FRAMING = "legacy/framing.toml"
SI01 = "legacy/templates/SI01.toml"
SI60 = "legacy/templates/SI60.toml"
CODES = "legacy/codes.toml"
PROFILE = "ocp/profile.toml"
OPENAPI = "ocp/openapi.yaml"
INPUT = "rules/si-input.toml"
ENQUIRY = "rules/si-enquiry.toml"
CHANGE = "rules/status-change.toml"
STATUS = "rules/shared/si-status.toml"
REFERENCES = "rules/shared/si-references.toml"
UPLOAD = "rules/file-upload.toml"
RECORD = "rules/shared/si-record.toml"
SET = "rules/set.toml"
CASES = "rules/si-input.cases.toml"

INVERSE = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}

#: file, old text, new text, effect, the sentence
EDITS = [
    (FRAMING, 'concept = "participant", width = 6', 'concept = "participant", width = 8', Effect.WE_CONNECT,
     "the link's header 1 fields participant_id: its width was 6 and is 8"),
    (FRAMING, 'algorithm = "sum"', 'algorithm = "xor"', Effect.WE_CONNECT,
     "the link's checksum: its algorithm was sum and is xor"),
    (FRAMING, "heartbeat_s = 30", "heartbeat_s = 60", Effect.WE_CONNECT,
     "the link's limits: its heartbeat_s was 30 and is 60"),
    (FRAMING, 'templates = ["SI60", "SI61", "BC60"]', 'templates = ["SI60", "SI61"]', Effect.WE_CONNECT,
     "the link's unsolicited: BC60 removed from its templates"),
    (SI01, 'format = "UNIT/15d"', 'format = "UNIT/20d"', Effect.WE_TAKE,
     "the quantity FIAC/36B:SETT: its format was UNIT/15d and is UNIT/20d"),
    (SI01, 'values = ["NEWM", "PREA"]', 'values = ["NEWM"]', Effect.WE_TAKE,
     "the function of the message GENL/23G: PREA removed from its codes allowed"),
    (SI01, 'values = ["NEWM", "PREA"]\n', "", Effect.WE_TAKE,
     "the function of the message GENL/23G: any value is allowed, only NEWM, PREA were"),
    (SI01, 'qualifier = "PREP"\nstatus = "O"', 'qualifier = "PREP"\nstatus = "M"', Effect.WE_TAKE,
     "the day the message was prepared GENL/98A:PREP: it was optional and is mandatory"),
    (SI01, 'path = "SETDET/AMT"\nstatus = "M"', 'path = "SETDET/AMT"\nrepeats = true\nstatus = "M"', Effect.WE_TAKE,
     "the sequence SETDET/AMT: it may stand more than once"),
    (SI01, 'sample = "UNIT/1000,"', 'sample = "UNIT/2000,"', Effect.NONE,
     "the quantity FIAC/36B:SETT: its sample is changed"),
    (SI01, 'effect = "instruct"', 'effect = "enquire"', Effect.WE_TAKE,
     "the template SI01: its effect was instruct and is enquire"),
    (SI60, 'direction = "O"', 'direction = "O" # still', Effect.NONE,
     "only comments, layout or an order that decides nothing differ"),
    (CODES, 'SECB = "STOCK_BORROW", ', "", Effect.OCP_GETS,
     "the code table purpose: the row SECB is removed, it gave STOCK_BORROW"),
    (CODES, 'TRAD = "TRADE"', 'TRAD = "PORTFOLIO"', Effect.OCP_GETS,
     "the code table purpose: the row TRAD gave TRADE and gives PORTFOLIO"),
    (CODES, 'FOP = "FREE"', 'FOP = "APMT"', Effect.WE_WRITE,
     "the code table against_or_free: the row FOP gave FREE and gives APMT"),
    (CODES, 'default = "HKMK"', 'default = "MAMK"', Effect.OCP_GETS,
     "the code table market_of_stock: every other key gave HKMK and gives MAMK"),
    (CODES, 'default = "HKMK"\n', "", Effect.OCP_GETS,
     "the code table market_of_stock: every other key is refused now, it gave HKMK"),
    (CODES, '"79999", code = "SZMK"', '"79999", code = "MAMK"', Effect.OCP_GETS,
     "the code table market_of_stock: the range 70000 to 79999 gave SZMK and gives MAMK"),
    (CODES, 'preferred = ["OWNI"]', 'preferred = ["OWNE"]', Effect.OCP_GETS,
     "the code table purpose: OWNE added to its preferred and OWNI removed from its preferred"),
    (CODES, 'meaning = "22F SETR -> purpose"', 'meaning = "SETR"', Effect.NONE,
     "the code table purpose: its meaning is told otherwise"),
    (CODES, '{ unknown_stock = "DSEC"', '{ unknown_stock = "NARR"', Effect.WE_WRITE,
     "the code table refusal_reasons: the row unknown_stock gave DSEC and gives NARR"),
    (PROFILE, '"/api/si/instructions/add/v1"', '"/api/si/instructions/add/v2"', Effect.WE_CONNECT,
     "the operation si_add: its path was /api/si/instructions/add/v1 and is /api/si/instructions/add/v2"),
    (PROFILE, "company_calls = 480", "company_calls = 600", Effect.WE_CONNECT,
     "the OCP profile's limits: its company_calls was 480 and is 600"),
    (PROFILE, 'quantity = "quantity"', 'quantity = "qty"', Effect.OCP_GETS,
     "the concept quantity in the group si stood at quantity and stands at qty"),
    (PROFILE, '400101 = "unknown_stock"\n', "", Effect.WE_WRITE,
     "OCP's refusal 400101 is removed, it meant unknown_stock"),
    (PROFILE, 'BY_USER = "by_user"', 'BY_USER = "by_system"', Effect.WE_WRITE,
     "OCP's reason BY_USER meant by_user and means by_system"),
    (PROFILE, 'version = "2026.11"', 'version = "2027.01"', Effect.NONE,
     "the OCP profile: its version was 2026.11 and is 2027.01"),
    (OPENAPI, "maximum: 99999999999, x-source", "maximum: 999, x-source", Effect.OCP_GETS,
     "the schema Quantity: its greatest value was 99999999999 and is 999"),
    (OPENAPI, "enum: [HKMK, MAMK, SZMK]", "enum: [HKMK, MAMK]", Effect.OCP_GETS,
     "the schema Market: SZMK removed from its codes allowed"),
    (OPENAPI, '"null"], maxLength: 400', '"null"], maxLength: 200', Effect.OCP_GETS,
     "the schema Remarks: its greatest length was 400 and is 200"),
    (OPENAPI, 'StockAccount: {type: string, pattern: "^[A-Za-z0-9]{1,8}$"',
     'StockAccount: {type: string, pattern: "^[0-9]{8}$"', Effect.OCP_GETS,
     "the schema StockAccount: its pattern was ^[A-Za-z0-9]{1,8}$ and is ^[0-9]{8}$"),
    (OPENAPI, "summary: Enter settlement", "summary: Put in settlement", Effect.NONE,
     "the path /api/si/instructions/add/v1 post: its text is changed"),
    (INPUT, 'options = { unit = "UNIT/" }', 'options = { unit = "FAMT/" }', Effect.OCP_GETS,
     "the rule for quantity, options: its unit was UNIT/ and is FAMT/"),
    (INPUT, 'from = "SETDET/SETPRTY[95R]/97A:SAFE"', 'from = "TRADDET/70E:SPRO"', Effect.OCP_GETS,
     "the rule for counterpartyAccount: its source was SETDET/SETPRTY[95R]/97A:SAFE and is TRADDET/70E:SPRO"),
    (INPUT, 'use = "lines"', 'use = "words"', Effect.OCP_GETS,
     "the rule for remarks: its function was lines and is words"),
    (INPUT, 'to = "linkageReference"', 'to = "linkageReference"\ndefault = "NONE"', Effect.OCP_GETS,
     "the rule for linkageReference: it has the default NONE, it had none"),
    (INPUT, 'to = "linkageReference"', 'to = "linkageReference"\nwhen = { "GENL/23G" = { not = ["PREA"] } }',
     Effect.OCP_GETS, "the rule for linkageReference: it has the condition GENL/23G is not PREA, it had none"),
    (INPUT, 'codes = "direction_of"', 'codes = "payment_of"', Effect.OCP_GETS,
     "the rule for direction: its code table was direction_of and is payment_of"),
    (INPUT, '[[request.rule]]\nfrom = "GENL/LINK/20C:POOL"\nto = "linkageReference"\n', "", Effect.OCP_GETS,
     "the rule for linkageReference is removed: from GENL/LINK/20C:POOL"),
    (INPUT, 'to = "linkageReference"', 'carried = "linkage"\nreason = "no use"', Effect.OCP_GETS,
     "GENL/LINK/20C:POOL: it was mapped to linkageReference and is carried as linkage: no use"),
    (INPUT, 'carried = "prepared"', 'carried = "prepared_on"', Effect.WE_TAKE,
     "GENL/98A:PREP: it was carried as prepared and is carried as prepared_on"),
    (INPUT, 'reason = "OCP settles at', 'reason = "OCP does settle at', Effect.NONE,
     "the rule that carries SETDET/SETPRTY[95P]/95P:PSET as place_of_settlement: its reason is told otherwise"),
    (INPUT, 'schema = "SiAddEntry"', 'schema = "SiChangeEntry"', Effect.OCP_GETS,
     "the request: its schema was SiAddEntry and is SiChangeEntry"),
    (ENQUIRY, 'refused = "two references', 'refused = "too many references', Effect.WE_WRITE,
     "the refusal 'too many references are given; name the SI by one': "
     "its words were 'two references are given; name the SI by one'"),
    (ENQUIRY, '"REF/20C:RELA" = { present = true } }\nrefused', '"REF/20C:RELA" = { present = false } }\nrefused',
     Effect.WE_TAKE,
     "the refusal 'two references are given; name the SI by one': its condition was REF/20C:PREV has not the format "
     "1!a8!n and REF/20C:RELA is there and is REF/20C:PREV has not the format 1!a8!n and REF/20C:RELA is absent"),
    (INPUT, 'constant = "PACK"', 'constant = "MACK"', Effect.WE_WRITE,
     "the field GENL/STAT/25D:IPRC: its constant was PACK and is MACK"),
    (INPUT, 'when = { "answer.outcome" = "waits" }', 'when = { "answer.outcome" = "awaited" }', Effect.WE_WRITE,
     "the block GENL/STAT (if answer.outcome is awaited): its condition was answer.outcome is waits and is "
     "answer.outcome is awaited"),
    (REFERENCES, 'from = "ocp.linkageReference"', 'from = "ocp.siNumber"', Effect.WE_WRITE,
     "the field GENL/LINK[20C:POOL]/20C:POOL: its source was ocp.linkageReference and is ocp.siNumber"),
    (STATUS, 'codes = "unmatched_reason", default = "CMIS"', 'codes = "unmatched_reason"', Effect.WE_WRITE,
     "the field GENL/STAT/REAS/24B:NMAT: it has no default any more, it was CMIS"),
    (STATUS, '    { field = "REAS/24B:CAND", constant = "CANS", when = { "ocp.status" = "PURGED" } },\n', "",
     Effect.WE_WRITE,
     "the field GENL/STAT/REAS/24B:CAND is not written any more: always CANS if ocp.status is PURGED"),
    (STATUS, "between = \" \"", "between = \"/\"", Effect.WE_WRITE,
     'the value status_line, options: its between was " " and is /'),
    (CHANGE, '[[message.block]]\ninclude = "si-details"\n', "", Effect.WE_WRITE,
     "the include of si-details is removed"),
    (CHANGE, 'eventId = "the bridge', 'eventId = "our own, the bridge', Effect.NONE,
     "eventId: why it is left out is told otherwise"),
    (CHANGE, 'message_type = "548"', 'message_type = "549"', Effect.WE_WRITE,
     "the message: its message type was 548 and is 549"),
    (UPLOAD, "items = 2000", "items = 1000", Effect.WE_TAKE, "the upload: its items was 2000 and is 1000"),
    (UPLOAD, 'when = { "record.function" = "C" }', 'when = { "record.function" = "X" }', Effect.OCP_GETS,
     "the record SI-BATCH-INPUT detail as SI03: its condition was record.function is C and is record.function is X"),
    (UPLOAD, 'text = "a deletion puts', 'text = "no deletion puts', Effect.WE_TAKE,
     "the refusal 'no deletion puts nothing on hold': its text was a deletion puts nothing on hold and is no deletion "
     "puts nothing on hold"),
    (UPLOAD, '[[record.refused]]\nwhen = { "record.hold" = "Y" }\ntext = "a deletion puts nothing on hold"\n', "",
     Effect.WE_TAKE, "the refusal 'a deletion puts nothing on hold' is removed"),
    (UPLOAD, 'at = "GENL/LINK"\nfields = [{ field = "20C:POOL", from = "record.linkage"',
     'at = "GENL/LINK"\nfields = [{ field = "20C:POOL", from = "record.reference"', Effect.OCP_GETS,
     "the field GENL/LINK/20C:POOL: its source was record.linkage and is record.reference"),
    (UPLOAD, 'constant = "STAT/REJT"', 'constant = "STAT/REFU"', Effect.WE_WRITE,
     "the value refused: its constant was STAT/REJT and is STAT/REFU"),
    (CODES, '"D/FOP" = "542"', '"D/FOP" = "540"', Effect.OCP_GETS,
     "the code table message_type_of_record: the row D/FOP gave 542 and gives 540"),
    (RECORD, 'from = "record.account"', 'from = "record.counterparty_account"', Effect.OCP_GETS,
     "the field FIAC/97A:SAFE: its source was record.account and is record.counterparty_account"),
    (SET, 'name = "hk-default"', 'name = "hk-ours"', Effect.NONE, "the set: its name was hk-default and is hk-ours"),
    (SET, 'version = "2026.11"', 'version = "2027.01"', Effect.NONE,
     "the set: its version was 2026.11 and is 2027.01"),
    (SET, 'place_of_settlement = "XHKCHKH1XXX"', 'place_of_settlement = "XHKCHKH2XXX"', Effect.OCP_GETS,
     "the set's profile: its place_of_settlement was XHKCHKH1XXX and is XHKCHKH2XXX"),
    ("samples/demo.toml", "settlement_days = 2", "settlement_days = 3", Effect.NONE,
     "the sample is changed; it decides nothing"),
]  # fmt: skip


def edited(path: str, old: str, new: str) -> dict[str, str]:
    files = shipped()
    assert old in files[path], f"{path} does not hold {old!r}"
    return {**files, path: files[path].replace(old, new, 1)}


@pytest.mark.parametrize(("path", "old", "new", "effect", "text"), EDITS)
def test_one_edit_is_one_sentence_and_the_inverse_edit_its_inverse(
    path: str, old: str, new: str, effect: Effect, text: str
) -> None:
    before, after = shipped(), edited(path, old, new)

    (change,) = differences(before, after)
    (back,) = differences(after, before)

    assert (text, effect, path) == (change.text, change.effect, change.file)
    # A refusal's own words are told: these are the same either way but for which are new.
    assert (effect, INVERSE.get(change.kind, change.kind)) == (back.effect, back.kind)


def test_a_record_that_goes_or_comes_is_one_sentence() -> None:
    files = shipped()
    first, second, last = (
        files[UPLOAD].index(f"# Records that are {name}.") for name in ("inputs", "changes", "deletions")
    )
    inputs, changes, deletions = files[UPLOAD][first:second], files[UPLOAD][second:last], files[UPLOAD][last:]
    head = files[UPLOAD][:first]
    without = {**files, UPLOAD: head + inputs + deletions}
    turned = {**files, UPLOAD: head + deletions + changes + inputs}

    (gone,) = differences(files, without)
    (come,) = differences(without, files)
    (quiet,) = differences(files, turned)

    called = "the record SI-BATCH-INPUT detail as SI03 (if record.function is C)"
    line = files[UPLOAD][: files[UPLOAD].index('[[record]]\ntemplate = "SI03"')].count("\n") + 1
    assert (f"{called} is removed: such a record is refused", Effect.OCP_GETS, Kind.REMOVED) == (
        gone.text,
        gone.effect,
        gone.kind,
    )
    assert (f"{called} is added", line, line) == (come.text, come.line, gone.line)
    assert (Effect.NONE, "only comments, layout or an order that decides nothing differ") == (quiet.effect, quiet.text)


def line_of(path: str, old: str) -> int:
    text = shipped()[path]
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("path", "old", "new", "at"),
    [
        (SI01, 'format = "UNIT/15d"', 'format = "UNIT/20d"', 'format = "UNIT/15d"'),
        (CODES, 'default = "HKMK"', 'default = "MAMK"', 'default = "HKMK"'),
        (
            FRAMING,
            'concept = "participant", width = 6',
            'concept = "participant", width = 8',
            '{ name = "participant_id"',
        ),
        (OPENAPI, "maximum: 99999999999, x-source", "maximum: 999, x-source", "    Quantity: {"),
        (INPUT, 'use = "lines"', 'use = "words"', 'use = "lines"'),
        (STATUS, 'constant = "BOTH"', 'constant = "BETH"', '{ field = "REAS/24B:PEND", constant = "BOTH"'),
    ],
)
def test_a_change_names_its_line(path: str, old: str, new: str, at: str) -> None:
    (change,) = differences(shipped(), edited(path, old, new))

    assert line_of(path, at) == change.line


def test_what_a_change_is_about_is_named() -> None:
    (change,) = differences(shipped(), edited(SI01, 'format = "UNIT/15d"', 'format = "UNIT/20d"'))

    assert "template SI01 field FIAC/36B:SETT" == change.about


def test_a_table_of_both_directions_says_both() -> None:
    (change,) = differences(shipped(), edited(CODES, 'TRAD = "TRADE"', 'TRAD = "PORTFOLIO"'))

    assert (Effect.OCP_GETS, (Effect.WE_WRITE,)) == (change.effect, change.also)


def test_the_same_set_has_no_differences() -> None:
    assert [] == differences(shipped(), shipped())


# --- fields, sequences, members --------------------------------------------------------------------------------


FIELD = """
[[field]]
path = "GENL"
tag = "20C"
qualifier = "MAST"
status = "O"
format = "16x"
types = ["541"]
meaning = "master reference"
source = "assumed"
"""


def test_a_field_comes_and_goes() -> None:
    files = shipped()
    more = {**files, SI01: files[SI01] + FIELD}

    (added,) = differences(files, more)
    (removed,) = differences(more, files)

    assert "the master reference GENL/20C:MAST is added: optional, of the format 16x, in MT541" == added.text
    assert "the master reference GENL/20C:MAST is removed" == removed.text
    assert {Effect.WE_TAKE} == {added.effect, removed.effect}


def blocks_of(text: str, header: str) -> list[str]:
    """A text cut before each header: the first part, then one an entry."""
    first, *rest = text.split(header)
    return [first, *(header + part for part in rest)]


def test_the_order_of_fields_decides() -> None:
    files = shipped()
    first, *fields = blocks_of(files[SI01], "[[field]]")
    assert 'tag = "20C"' in fields[0]
    swapped = {**files, SI01: "".join([first, fields[1], fields[0], *fields[2:]])}

    (change,) = differences(files, swapped)

    assert Kind.MOVED == change.kind
    assert Effect.WE_TAKE == change.effect
    assert "first in its sequence" in change.text or "behind" in change.text


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        (
            "quantity, settlementDate, stockAccount, purpose]",
            "quantity, settlementDate, stockAccount]",
            ["the member purpose of SiAddEntry is not required any more"],
        ),
        (
            '        remarks: {$ref: "#/components/schemas/Remarks"}\n',
            "",
            [
                "the member remarks of SiAddEntry is removed",
                "the member remarks of SiChangeEntry is removed",
                "the member remarks of SiQueryEntry is removed",
            ],
        ),
        (
            "enum: [DVP, RDP]",
            "enum: [DVP]",
            [
                "the schema SiAddEntry: allOf 2 if properties paymentInstruction enum was DVP, RDP and is DVP",
                "the schema SiChangeEntry: allOf 2 if properties paymentInstruction enum was DVP, RDP and is DVP",
                "the schema SiQueryEntry: allOf 2 if properties paymentInstruction enum was DVP, RDP and is DVP",
            ],
        ),
    ],
)
def test_members_of_schemas(old: str, new: str, texts: list[str]) -> None:
    assert texts == [change.text for change in differences(shipped(), edited(OPENAPI, old, new))]


def test_a_member_of_what_ocp_answers_is_of_the_messages_we_write() -> None:
    old = '        reasonText: {type: [string, "null"]}\n        createdAt'
    changes = differences(shipped(), edited(OPENAPI, old, "        createdAt"))

    assert {Effect.WE_WRITE} == {change.effect for change in changes}


# --- rules are known by what they feed -------------------------------------------------------------------------


def test_moving_rules_and_values_is_no_change() -> None:
    files = shipped()
    first, *rules = blocks_of(files[INPUT].partition("[answer]")[0], "[[request.rule]]")
    rest = "[answer]" + files[INPUT].partition("[answer]")[2]
    moved_files = {**files, INPUT: "".join([first, *reversed([rule + "\n" for rule in rules]), rest])}

    (change,) = differences(files, moved_files)

    assert Effect.NONE == change.effect
    assert "order that decides nothing" in change.text


def test_moving_a_rule_for_a_member_that_has_two_is_told() -> None:
    files = shipped()
    first, *rules = blocks_of(files[ENQUIRY].partition("[answer]")[0], "[[request.rule]]")
    rest = "[answer]" + files[ENQUIRY].partition("[answer]")[2]
    two = [number for number, rule in enumerate(rules) if 'to = "participantReference"' in rule]
    assert 2 == len(two)
    rules[two[0]], rules[two[1]] = rules[two[1]], rules[two[0]]

    (change,) = differences(files, {**files, ENQUIRY: "".join([first, *rules, rest])})

    assert (Kind.MOVED, Effect.OCP_GETS) == (change.kind, change.effect)
    assert "the rule for participantReference: it stands behind the one from REF/20C:RELA" in change.text


def test_the_order_of_blocks_and_alternatives_decides() -> None:
    files = shipped()
    lines = [
        '    { field = "REAS/24B:PEND", constant = "PREA", when = { "ocp.holdOwn" = true } },\n',
        '    { field = "REAS/24B:PEND", constant = "PRCY", when = { "ocp.holdCounterparty" = true } },\n',
    ]
    (change,) = differences(files, edited(STATUS, "".join(lines), "".join(reversed(lines))))
    first, *blocks = blocks_of(files[CHANGE], "[[message.block]]")
    (other,) = differences(files, {**files, CHANGE: "".join([first, blocks[1], blocks[0], *blocks[2:]])})

    assert (Kind.MOVED, Effect.WE_WRITE) == (change.kind, change.effect)
    assert "GENL/STAT/REAS/24B:PEND" in change.text
    assert (Kind.MOVED, Effect.WE_WRITE) == (other.kind, other.effect)
    assert "it is written" in other.text


EACH = """
[[request.each]]
at = "GENL/LINK"
to = "links"

[[request.each.rule]]
from = "20C:POOL"
to = "reference"

[answer]
"""


def test_arrays_are_known_by_what_they_make() -> None:
    files = shipped()
    with_array = {**files, INPUT: files[INPUT].replace("\n[answer]\n", EACH, 1)}
    other = {**files, INPUT: with_array[INPUT].replace('from = "20C:POOL"', 'from = "20C:PREV"')}

    (added,) = differences(files, with_array)
    (change,) = differences(with_array, other)

    assert "the array links is made, of each GENL/LINK" == added.text
    assert "the rule for reference: its source was 20C:POOL and is 20C:PREV" == change.text
    assert {Effect.OCP_GETS} == {added.effect, change.effect}


# --- names that mean nothing to either side --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("value.words", "value.texts", "the value words is called texts now"),
        ("si-details", "si-particulars", "the shared file si-details is called si-particulars now"),
        ("market_of_stock", "market_by_stock", "the code table market_of_stock is called market_by_stock now"),
    ],
)
def test_a_new_name_used_throughout_has_no_effect(old: str, new: str, text: str) -> None:
    files = {
        path: content.replace(old, new).replace(f'name = "{old[6:]}"', f'name = "{new[6:]}"')
        if old.startswith("value.")
        else content.replace(old, new)
        for path, content in shipped().items()
    }
    changes = differences(shipped(), files)

    assert {Effect.NONE} == {change.effect for change in changes}
    assert text in [change.text for change in changes]


def test_a_file_may_be_called_otherwise() -> None:
    files = shipped()
    names = {INPUT: "rules/input.toml", CASES: "rules/input.cases.toml", SI60: "legacy/templates/status.toml"}
    changes = differences(files, {names.get(path, path): text for path, text in files.items()})

    assert {Effect.NONE} == {change.effect for change in changes}
    assert {f"the file {was} is called {now} now" for was, now in names.items()} == {change.text for change in changes}


def test_a_function_comes_and_goes_with_its_files() -> None:
    files = shipped()
    fewer = {path: text for path, text in files.items() if path not in (ENQUIRY, SI60)}

    gone, come = differences(files, fewer), differences(fewer, files)

    assert ["the template SI60 is removed", "the file si-enquiry is removed"] == [change.text for change in gone]
    assert [Effect.WE_WRITE, Effect.OCP_GETS] == [change.effect for change in come]
    assert {Kind.ADDED} == {change.kind for change in come}


def test_cases_are_counted_and_named() -> None:
    files = shipped()
    name = "deliver against payment, every field"
    count = files[CASES].count("[[case]]")
    fewer = {**files, CASES: blocks_of(files[CASES], "[[case]]")[0] + "".join(blocks_of(files[CASES], "[[case]]")[2:])}

    (change,) = differences(files, fewer)

    assert f"1 case is removed: '{name}' ({count - 1} cases, there were {count})" == change.text
    assert Effect.NONE == change.effect


# --- sets that do not load -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "old", "new"), [(INPUT, 'to = "quantity"', 'to = = "quantity"'), (OPENAPI, "openapi: 3.1.0", "openapi: {")]
)
def test_what_cannot_be_read_is_told_and_the_rest_compared(path: str, old: str, new: str) -> None:
    files = edited(path, old, new)
    files[CODES] = files[CODES].replace('default = "HKMK"', 'default = "MAMK"')

    changes = differences(shipped(), files)
    back = differences(files, shipped())

    assert [Kind.UNREADABLE] == [change.kind for change in changes if change.file == path]
    assert any("cannot be read" in change.text and change.line for change in changes)
    assert any("every other key" in change.text for change in changes)
    assert len(changes) == len(back)
    assert [] == differences(files, files)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1]\n" + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else '*a'] * 9)}]\n" for n in range(9)),
        "a: &a {b: *a}\n",
        "{a: b}: c\n",
        "a: [",
        "[]",
        "",
        "7",
        "components: 3\npaths: [x]\n",
        "components: {schemas: {A: 3, B: {properties: [], required: 1, items: 2}}}\n",
    ],
)
def test_no_openapi_text_is_too_odd(text: str) -> None:
    files = shipped()
    other = {**files, OPENAPI: text}

    assert differences(files, other)
    assert differences(other, files)
    assert [] == differences(other, other)


def test_a_typo_in_a_name_is_told_as_it_stands() -> None:
    texts = [change.text for change in differences(shipped(), edited(INPUT, 'use = "lines"', 'uze = "lines"'))]

    assert [
        "the rule for remarks: it has no function any more, it was lines",
        "the rule for remarks: it has the uze lines, it had none",
    ] == texts


def test_no_files_at_all_are_compared() -> None:
    files = shipped()

    assert {Kind.REMOVED} == {change.kind for change in differences(files, {})}
    assert {Kind.ADDED} == {change.kind for change in differences({}, files)}
    assert [] == differences({}, {})


# --- laws ------------------------------------------------------------------------------------------------------


def toml(value: Any) -> str:
    """A value as TOML writes it in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{name}" = {toml(below)}' for name, below in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(document: dict[str, Any]) -> str:
    return "".join(f'"{name}" = {toml(value)}\n' for name, value in document.items())


PATHS = [FRAMING, SI01, CODES, PROFILE, INPUT, ENQUIRY, CHANGE, STATUS, SET, CASES]
DOCUMENTS = {path: tomllib.loads(shipped()[path].replace("30.0", "30")) for path in PATHS}
odd = st.sampled_from(["", "X", 7, True, [], ["A", "B"], {}, {"from": 1}, [{"to": "a"}, {"from": 3}], {"is": ["A"]}])


def spots(spot: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = spot.items() if isinstance(spot, dict) else enumerate(spot) if isinstance(spot, list) else ()
    return [path, *(found for name, value in below for found in spots(value, (*path, name)))]


def mangled(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    spot: Any = made
    for name in path[:-1]:
        spot = spot[name]
    spot[path[-1]] = value
    return made


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from(PATHS), odd)
def test_no_entry_of_any_kind_is_too_odd(data: st.DataObject, path: str, value: Any) -> None:
    places = [place for place in spots(DOCUMENTS[path]) if place]
    place = data.draw(st.sampled_from(places))
    files = {path: written(DOCUMENTS[path])}
    other = {path: written(mangled(DOCUMENTS[path], place, value))}

    there, back = differences(files, other), differences(other, files)

    assert [] == differences(other, other)
    assert bool(there) == (files != other)
    assert classes(there) == sorted((effect, INVERSE.get(kind, kind)) for effect, kind in classes(back))


def classes(changes: list[Change]) -> list[tuple[str, str]]:
    """Effect and kind of all that has an effect: whether a name was given anew is seen from one side at times."""
    return sorted((change.effect.value, change.kind.value) for change in changes if change.effect is not Effect.NONE)


@settings(max_examples=100)
@given(st.permutations(range(8)))
def test_the_fewest_moves_give_the_new_order(order: list[int]) -> None:
    found = pairs([{"n": n} for n in range(8)], [{"n": n} for n in order], lambda entry: entry["n"])
    gone = {pair.old.number for pair in moved(found.both)}
    left = [number for number in order if number not in gone]

    assert sorted(left) == left
    assert all(len(gone) <= 8 - size for size in [longest_rise(order)])


def longest_rise(order: list[int]) -> int:
    best: list[int] = []
    for index, number in enumerate(order):
        best.append(1 + max((best[before] for before in range(index) if order[before] < number), default=0))
    return max(best)


def test_of_several_alike_the_most_alike_go_together() -> None:
    old = [{"to": "a", "from": "1", "use": "x"}, {"to": "a", "from": "2"}]
    new = [{"to": "a", "from": "2", "use": "y"}, {"to": "a", "from": "1", "use": "x", "default": "z"}]
    found = pairs(old, new, lambda entry: entry["to"])

    assert {(0, 1), (1, 0)} == {(pair.old.number, pair.new.number) for pair in found.both}
    assert [] == items("no list")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("format", "15d", "20d", "its format was 15d and is 20d"),
        ("codes", "", "purpose", "it has the code table purpose, it had none"),
        ("repeats", True, None, "its repeats was true and is false"),
        ("values", ["A", "B"], ["B", "A"], "the order of its codes allowed was A, B and is B, A"),
        ("when", {"a": True}, {"a": {"after": "b"}}, "its condition was a is true and is a is after b"),
    ],
)
def test_clauses(name: str, old: Any, new: Any, told: str) -> None:
    assert told == became(name, old, new)


def test_one_is_not_true() -> None:
    assert not same(1, True)
    assert same("", [])
