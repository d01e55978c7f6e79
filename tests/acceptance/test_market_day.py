"""A day of trades through the whole stack, killed midway: the file that the PSS fetches is OCP's own last states."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.cli.processes import COMPANY
from pg_bridge.cli.world import utc_now
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.formats.fixed_width.layout import Layout
from pg_bridge.formats.fixed_width.reader import FixedWidthReader
from pg_bridge.journal.verify import verify
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.profiles.market_concepts import Market, TradeStatus
from pg_bridge.profiles.ocp import read_ocp_profile
from tests.acceptance.test_download import ask, until, whole_of
from tests.doubles.mapping_sets import set_files
from tests.doubles.market_day import Told, trading_day
from tests.doubles.stack import PARTICIPANTS, Stack

pytestmark = pytest.mark.asyncio

TRADES = 2500
#: mapping set -> id of the trade file, and its column of shares
WORDS = {"shipped": ("CCLID01", "quantity"), "both_b": ("XTRD01", "shares")}


def settings(folder: Path, days_back: int) -> str:
    for name in PARTICIPANTS:
        (folder / "drop" / name).mkdir(parents=True)
    (folder / "reports").mkdir()
    return f"""
[reports]
folder = "{folder / "reports"}"

[feeds]
trades = ["hong_kong", "shanghai"]
trade_wait_s = 1
trade_every_s = 0.1
trade_days_back = {days_back}
reference_data = true
reference_at = "00:00"
reports = ["cclid01", "participants", "stocks", "calendar", "ncp-gcp"]
report_every_s = 1.0
"""


def taken(made: Stack, market: Market, day: str) -> list[int]:
    """The sequences of a day as they were journaled, page by page."""
    pages = [entry.body() for entry in made.entries(kind="trades_taken", reference=f"trades/{market}/{day}")]
    return [sequence for page in pages for sequence in range(page["first"], page["last"] + 1)]


def records(path: Path, layout: Layout) -> list[dict[str, object]]:
    reader = FixedWidthReader(layout)
    found = [dict(record.values) for record in reader.records([path.read_bytes()]) if record.name == "detail"]
    assert not reader.findings
    return found


@pytest.mark.parametrize("set_name", ["shipped", "both_b"])
async def test_killed_midway_the_file_holds_the_last_state_of_each_trade(tmp_path: Path, set_name: str) -> None:
    today = utc_now().astimezone(HONG_KONG).date()
    made = Stack(
        tmp_path,
        set_name=set_name,
        extra=settings(tmp_path, (today - trading_day(today)).days),
        ocp_options=("--trades-at-once", str(TRADES)),
    )
    day = trading_day(today).isoformat()
    compact = day.replace("-", "")
    name, shares = WORDS[set_name]
    legacy = read_legacy_profile(set_files(set_name))
    report = tmp_path / "reports/B01234" / compact / name
    try:
        await made.start_ocp()
        for operation, kind in (("trades", "broken"), ("trades", "timed_out"), ("stocks", "wrong_shape")):
            await made.fault(operation, kind)
        text = made.config.read_text("utf-8")
        for who in PARTICIPANTS:
            section = f"[participants.{who}]\n"
            text = text.replace(section, f'{section}drop_folder = "{tmp_path / "drop" / who}"\n')
        made.config.write_text(text, "utf-8")
        await made.start_bridge()
        assert await made.eventually(lambda: made.entries(kind="trades_taken"))
        made.bridge.kill()
        await made.bridge.wait()
        await made.start_bridge()
        whole = list(range(1, TRADES + 1))
        assert await made.eventually(
            lambda: [whole, whole] == [taken(made, market, day) for market in (Market.HONG_KONG, Market.SHANGHAI)], 30
        )
        written = {"report": name, "day": day, "entries": TRADES}
        assert await made.eventually(
            lambda: any(
                written.items() <= entry.body().items()
                for entry in made.entries(kind="report_written", participant="B01234")
            ),
            60,
        )
        profile = read_ocp_profile(set_files(set_name))
        told = Told(profile, COMPANY, PARTICIPANTS, utc_now(), trades_at_once=TRADES)
        due = told.last_states(Market.HONG_KONG, day, profile.code("trade_status", TradeStatus.CANCELLED))
        lines = records(report, legacy.layouts[name])

        assert 1800 < len(due) < TRADES
        assert [
            (each["trade_reference"], each["traded_quantity"], Decimal(each["price"]), Decimal(each["value"]))
            for each in due
        ] == [(line["trade_reference"], line[shares], line["price"], line["value"]) for line in lines]
        assert [
            (each["trade_time"][11:16].replace(":", ""), each["traded_stock_code"], each["traded_isin"]) for each in due
        ] == [(line["trade_time"], line["stock_code"], line["isin"]) for line in lines]
        sides = {profile.code("side", side): side.value[0].upper() for side in profile.codes("side")}
        assert [sides[each["side"]] for each in due] == [line["side"] for line in lines]
        outbox = sorted((tmp_path / "drop/B01234/outbox").glob(f"{name}.{compact}.*"))
        assert report.read_bytes() == outbox[-1].read_bytes()
        lists = {"CSEPL01", "CSESL01", "CSECD01", "CCLNG01"}
        today = f"{utc_now().astimezone(HONG_KONG):%Y%m%d}"
        folder = tmp_path / "reports/C00019" / today
        assert await made.eventually(lambda: folder.exists() and lists <= {path.name for path in folder.iterdir()}, 30)
        mappings = ["--mappings", made.mappings] if made.mappings else []
        for file in (report, *(folder / each for each in sorted(lists))):
            checked = await asyncio.to_thread(CliRunner().invoke, app, ["files", "check", str(file), *mappings])
            assert 0 == checked.exit_code, checked.stdout

        if set_name == "shipped":  # how the other PG asks for a report is test_download's
            pss = await made.pss()
            ask(pss, "DAY1", name, compact)
            got = await until(pss, 1)
            await pss.log_off()
            assert report.read_bytes() == whole_of(list(got))

        out = tmp_path / "again"
        again = ["reports", "cclid01", "-c", str(made.config), "--date", day, "--participant", "B01234"]
        told_again = await asyncio.to_thread(CliRunner().invoke, app, [*again, "--out", str(out), "--json"])
        await made.stop_bridge()
        down = await asyncio.to_thread(CliRunner().invoke, app, [*again, "--out", str(out / "down")])
        assert (0, 0) == (told_again.exit_code, down.exit_code), told_again.stdout
        assert [name, f"{name}-MAMK"] == [each["report"] for each in json.loads(told_again.stdout)["reports"]]
        assert report.read_bytes() == (out / "B01234" / compact / name).read_bytes()
        assert report.read_bytes() == (out / "down/B01234" / compact / name).read_bytes()
        assert verify(made.journal).is_good
    finally:
        await made.stop()
