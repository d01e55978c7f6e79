"""The verbs as a person types them: what they print, and their exit codes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pg_bridge.cli.processes import write_config, write_keys
from pg_bridge.cli.world import mappings_folder
from pg_bridge.config import read_config
from tests.doubles.stack import Stack, deliver

ROOT = Path(__file__).parents[2]
MT543 = ROOT / "tests/messages/mt543_deliver_against_payment.fin"
AS_SI01 = ("--template", "SI01", "--message-type", "543", "--participant", "B01234")


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pg_bridge", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60
    )


def facts(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def demo() -> subprocess.CompletedProcess[str]:
    return run("demo", "--once", "--json")


def test_demo_plays_the_whole_day(demo: subprocess.CompletedProcess[str]) -> None:
    day = facts(demo)
    out = "\n".join(step["legacy_out"] for step in day["steps"])

    assert 0 == demo.returncode
    assert day["good"]
    assert [] == [step["missing"] for step in day["steps"] if step["missing"]]
    assert 11 <= len(day["steps"]) + 1
    for told in ("MT548 SI51", "MT548 SI60", "MT547 SI61", "MT545 SI61", "MT548 T03A"):
        assert told in out
    assert day["verdict"]["good"]
    assert {"instruction_received", "batch_called", "update_received", "message_refused"} <= {
        entry["kind"] for entry in day["audit"]
    }


def test_demo_stays_up_and_says_how_to_connect() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pg_bridge", "demo"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = [process.stderr.readline()]
        while "Press Ctrl-C" not in lines[-1]:
            lines.append(process.stderr.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)

    assert "pg-bridge send FILE --to 127.0.0.1:" in "".join(lines)
    assert 0 == process.returncode


def test_mappings_check_good_broken_and_missing(tmp_path: Path) -> None:
    good = run("mappings", "check", "--json")
    copy = tmp_path / "mappings"
    shutil.copytree(mappings_folder(), copy)
    rules = copy / "rules/si-input.toml"
    rules.write_text(rules.read_text("utf-8").replace("FIAC/36B:SETT", "FIAC/36B:SEET"), "utf-8")
    broken = run("mappings", "check", str(copy), "--json")
    nowhere = run("mappings", "check", str(tmp_path / "nowhere"))

    assert 0 == good.returncode
    assert [] == facts(good)["findings"]
    assert 1 == broken.returncode
    assert any("si-input" in finding["path"] for finding in facts(broken)["findings"])
    assert 2 == nowhere.returncode
    assert "there is no folder" in nowhere.stderr


def test_another_mappings_folder_is_used(tmp_path: Path) -> None:
    copy = tmp_path / "mappings"
    shutil.copytree(mappings_folder(), copy)
    codes = copy / "legacy/codes.toml"
    codes.write_text(codes.read_text("utf-8").replace('default = "HKMK"', 'default = "MAMK"'), "utf-8")
    done = run("translate", str(MT543), *AS_SI01, "--mappings", str(copy), "--json")

    assert 0 == done.returncode, done.stderr
    assert "MAMK" == facts(done)["document"]["market"]


def test_translate_explains_each_value() -> None:
    done = run("translate", str(MT543), *AS_SI01, "--explain", "--json")
    document = facts(done)["document"]
    targets = {line["target"] for line in facts(done)["lineage"]}

    assert 0 == done.returncode
    assert "B0123400001" == document["requestReference"]
    assert {name for name, value in document.items() if value is not None} <= targets


def test_translate_of_a_faulty_message_names_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "faulty.fin"
    path.write_bytes(MT543.read_bytes().replace(b"UNIT/1000,", b"UNIT/0,").replace(b"SETR//TRAD", b"SETR//NONE"))
    done = run("translate", str(path), *AS_SI01)

    assert 1 == done.returncode
    assert "FIAC/36B:SETT" in done.stdout
    assert "SETDET/22F:SETR" in done.stdout


def test_translate_goes_back_and_says_what_is_lost(tmp_path: Path) -> None:
    """The document of a message becomes the message again; what two members say cannot both come back."""
    document = facts(run("translate", str(MT543), *AS_SI01, "--json"))["document"]
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document))
    back = run("translate", str(path), "--template", "SI01", "--participant", "B01234", "--json", "--explain")
    path.write_text(json.dumps({**document, "participantReference": "ANOTHER"}))
    lossy = run("translate", str(path), "--template", "SI01", "--participant", "B01234", "--json")

    assert 0 == back.returncode, back.stderr
    assert "543" == facts(back)["message_type"]
    # What the document does not hold: what was carried, and that NRTG was said and not only meant.
    gone = (b":98A::PREP//20261123\r\n", b":22F::RTGS//NRTG\r\n")
    assert MT543.read_bytes().replace(gone[0], b"").replace(gone[1], b"") == facts(back)["body"].encode()
    assert [] == facts(back)["findings"]
    assert {"FIAC/36B:SETT", "SETDET/AMT/19A:SETT"} <= {line["target"] for line in facts(back)["lineage"]}
    assert ["participantReference"] == [finding["path"] for finding in facts(lossy)["findings"]]


def test_translate_writes_and_reads_messages_to_the_pss(tmp_path: Path) -> None:
    event = json.loads((ROOT / "tests/messages/event_unmatched.json").read_text("utf-8"))
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event))
    written = run("translate", str(path), "--template", "SI60", "--json", "--explain")
    message = tmp_path / "si60.fin"
    message.write_bytes(facts(written)["body"].encode())
    read = run("translate", str(message), "--template", "SI60", "--message-type", "548", "--json")
    members = facts(read)["members"]

    assert (0, 0) == (written.returncode, read.returncode), written.stderr + read.stderr
    assert ":25D::MTCH//NMAT" in facts(written)["body"]
    (chosen,) = [line for line in facts(written)["lineage"] if line["target"] == "GENL/STAT/25D:MTCH"]
    assert (["ocp.status"], "UNMATCHED", "when") == (chosen["sources"], chosen["before"], chosen["function"])
    assert {"siNumber", "quantity", "amount", "direction", "settlementDate"} <= set(members)
    assert {name: event[name] for name in members} == members
    assert "several rules write it" == facts(read)["unread"]["GENL/LINK[20C:RELA]/20C:RELA"]


def test_translate_shows_both_sides_aligned() -> None:
    shown = run("translate", str(MT543), *AS_SI01, "--explain").stdout

    assert "PSS: field" in shown
    assert any("FIAC/36B:SETT" in line and "UNIT/1000," in line and "quantity" in line for line in shown.splitlines())
    assert any("(kept, not sent) prepared" in line for line in shown.splitlines())


def test_translate_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"requestReference": ')
    unknown = run("translate", str(MT543), "--template", "XX99", "--message-type", "543")
    unnamed = run("translate", str(MT543))
    not_json = run("translate", str(broken), "--template", "SI01")

    assert (2, 2, 2) == (unknown.returncode, unnamed.returncode, not_json.returncode)
    assert "there is no template XX99; there are" in unknown.stderr
    assert "name the --template" in unnamed.stderr
    assert "reading the document" in not_json.stderr


def test_serve_refuses_what_it_cannot_use(tmp_path: Path) -> None:
    none = run("serve")
    typo = tmp_path / "typo.toml"
    typo.write_text('[ocp]\nbase_ulr = "x"\n', "utf-8")
    wrong = run("serve", "-c", str(typo))

    assert (2, 2) == (none.returncode, wrong.returncode)
    assert "-c bridge.toml" in none.stderr
    assert "base_ulr" in wrong.stderr


def test_serve_refuses_a_participant_s_text_that_fits_no_field(tmp_path: Path) -> None:
    write_keys(tmp_path, ["B01234"])
    config = write_config(tmp_path, "http://127.0.0.1:1", ["B01234"])
    config.write_text(
        config.read_text("utf-8").replace(
            "[participants.B01234]", '[participants.B01234]\nprofile = { place_of_settlement = "NOWHERE" }'
        ),
        "utf-8",
    )
    done = run("serve", "-c", str(config))

    assert 2 == done.returncode
    assert "participants.B01234.profile.place_of_settlement" in done.stderr
    assert "8!c[3!c]" in done.stderr


def test_example_config_is_a_configuration() -> None:
    config = read_config(run("serve", "--example-config").stdout, {})

    assert ["B01234"] == list(config.participants)


def test_environment_overrides_a_key() -> None:
    text = run("serve", "--example-config").stdout

    assert 7001 == read_config(text, {"PG_BRIDGE_PSS_PORT": "7001"}).pss.port


@pytest.mark.asyncio(loop_scope="module")
async def test_send_and_audit_tell_one_story(shared_stack: Stack, tmp_path: Path) -> None:
    message = tmp_path / "si.fin"
    message.write_bytes(deliver("SENT1"))
    to = f"{shared_stack.host}:{shared_stack.port}"
    sent = run("send", str(message), "--to", to, *AS_SI01[2:], "--template", "SI01", "--wait", "1", "--json")
    journal = ("-j", str(shared_stack.journal))
    listed = run("audit", "list", *journal, "--reference", "SENT1", "--json")
    shown = run("audit", "show", "SENT1", *journal, "--json")
    for_people = run("audit", "show", "SENT1", *journal)
    unknown = run("audit", "show", "NEVER", *journal)
    verified = run("audit", "verify", *journal, "--json")

    assert 0 == sent.returncode, sent.stderr
    assert any(":25D::IPRC//PACK" in fact["text"] for fact in facts(sent))
    kinds = [entry["kind"] for entry in facts(listed)]
    assert "instruction_received" in kinds
    shown_kinds = [entry["kind"] for entry in facts(shown)]
    assert ["instruction_received", "batch_called", "call_ended", "exchange_answered"] == shown_kinds[:4]
    assert ":20C::SEME//SENT1" in for_people.stdout
    assert "requestReference" in for_people.stdout
    assert 1 == unknown.returncode
    assert 0 == verified.returncode
    assert facts(verified)["good"]


def test_send_to_nobody_says_so(tmp_path: Path) -> None:
    message = tmp_path / "si.fin"
    message.write_bytes(deliver("NOBODY"))
    done = run("send", str(message), "--to", "127.0.0.1:1", *AS_SI01)

    assert 1 == done.returncode
    assert "dialling 127.0.0.1:1" in done.stderr


def test_audit_of_a_journal_that_is_not_there(tmp_path: Path) -> None:
    done = run("audit", "verify", "-j", str(tmp_path / "none.sqlite"))

    assert 2 == done.returncode
    assert "none.sqlite" in done.stderr
