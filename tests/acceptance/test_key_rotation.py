"""Keys follow each other while the bridge runs, and every instruction between is entered once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx

from pg_bridge.cli.processes import COMPANY, start, write_config, write_keys
from pg_bridge.cli.world import utc_now
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.ocp.key_list import ListedKey, write_key_list
from pg_bridge.ocp.keys import KeyPair, new_rsa_key_pem
from tests.doubles.stack import PARTICIPANTS, QUICK, Stack, up


class TwoKeys(Stack):
    """The company has a second key, registered and listed, whose time has come when the bridge reads the list again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, extra=QUICK)
        self.pem = new_rsa_key_pem()
        self.newer = KeyPair(self.pem)

    async def start_ocp(self) -> None:
        """As always, but the portal knows the second key too."""
        registrations = write_keys(self.folder, PARTICIPANTS)
        known = json.loads(registrations.read_bytes())
        known["companies"][COMPANY]["jwks"]["keys"].append(self.newer.public_jwk)
        registrations.write_text(json.dumps(known), "utf-8")
        self._ocp, where = await start(
            "simulate",
            "ocp",
            "--port",
            "0",
            "--json",
            "--registrations",
            str(registrations),
            log=self.folder / "ocp.log",
        )
        self.ocp_url = where["listening"]
        write_config(self.folder, self.ocp_url, PARTICIPANTS, extra=self.extra)

    def register(self) -> None:
        """List a second key, to be used at once, and end the first in a week."""
        path = self.folder / "next.pem"
        path.touch(0o600)
        path.write_bytes(self.pem)
        now = utc_now().astimezone(HONG_KONG)
        listed = self.folder / "company.keys.toml"
        beside = self.folder / "list.tmp"
        beside.touch(0o600)
        keys = [
            ListedKey(file="company.pem", ends_at=now + timedelta(days=7)),
            ListedKey(
                file="next.pem", used_from=now - timedelta(seconds=1), ends_at=now + timedelta(days=10), by="A. Chan"
            ),
        ]
        beside.write_text(write_key_list(keys), "utf-8")
        beside.replace(listed)


async def test_a_running_bridge_takes_a_rotation_up_and_nothing_fails(tmp_path: Path) -> None:
    async with up(TwoKeys(tmp_path)) as made:
        pss = await made.pss()
        words = made.words
        words.send_deliver(pss, "BEFORE", stock="00011")
        await pss.message(words.template["answer"], words.holds("related", "BEFORE"), words.holds("accepted"))
        made.register()
        used = await made.eventually(lambda: [e for e in made.entries(kind="key_used") if e.body().get("before")], 30)
        async with httpx.AsyncClient(trust_env=False) as http:
            scraped = (await http.get(made.push_url.replace("/ocp/status-events", "/metrics"))).text
        await made.control("expire-tokens", {})
        words.send_deliver(pss, "BEHIND", stock="00011")
        await pss.message(words.template["answer"], words.holds("related", "BEHIND"), words.holds("accepted"))
        await pss.log_off()

        assert [made.newer.thumbprint] == [entry.references["key"] for entry in used]
        assert "A. Chan" == used[0].references["by"]
        assert (1, 1) == (len(await made.entered("BEFORE")), len(await made.entered("BEHIND")))
        gauge = [line for line in scraped.splitlines() if line.startswith("pg_bridge_key_days_left{")]
        assert 2 == len(gauge)
        assert any(made.newer.thumbprint in line and line.split()[-1].startswith("9.99") for line in gauge)
