"""`python -m tests.benchmarks.idle_sessions`: what logged-on, idle sessions cost the bridge, in memory (Linux).

Prints the bridge's resident memory before and after; ends with exit code 1 when they cost more than `--most` MiB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

from pg_bridge.cli.processes import start, stop, write_config, write_keys
from pg_bridge.cli.world import read_mappings, utc_now
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.certificates import Authority

PARTICIPANTS = ["B01234", "C00019"]


def resident_mib(process: int) -> float:
    """The resident memory of a process, MiB."""
    line = next(
        line for line in Path(f"/proc/{process}/status").read_text("ascii").splitlines() if line.startswith("VmRSS:")
    )
    return int(line.split()[1]) / 1024


async def measure(sessions: int, *, by_tls: bool) -> dict[str, Any]:
    """Log `sessions` PSSs on, and look."""
    profile = read_link_profile(read_mappings()[LINK_FILE])
    with tempfile.TemporaryDirectory(prefix="pg-bridge-benchmark-") as name:
        folder = Path(name)
        write_keys(folder, PARTICIPANTS)
        stub, at = await start("simulate", "ocp", "--stub", "--port", "0", "--json", log=folder / "stub.log")
        config = write_config(folder, at["listening"], PARTICIPANTS)
        settings, tls = f"max_sessions_per_participant = {sessions}", None
        if by_tls:
            ca = Authority(folder, "ca")
            certificate, key = ca.sign("bridge")
            settings += f'\ntls_certificate = "{certificate}"\ntls_key = "{key}"\ntls_client_ca = "{ca.ca_file}"'
            tls = ca.client(ca.sign("pss"))
        text = config.read_text("utf-8").replace("[pss]", f"[pss]\n{settings}")
        config.write_text(text.replace("[push]", "[push]\nsubscribe = false"), "utf-8")
        bridge, where = await start("serve", "-c", str(config), "--json", log=folder / "bridge.log")
        host, _, port = where["pss"].rpartition(":")
        made = []
        try:
            # One session first: what is made once is no cost of a session.
            for number in range(sessions + 1):
                pss = ScriptedPss(
                    profile,
                    participant=PARTICIPANTS[number % len(PARTICIPANTS)],
                    terminal=f"{number // len(PARTICIPANTS):04d}",
                    clock=utc_now,
                )
                await pss.connect(host, int(port), tls=tls)
                await pss.log_on()
                made.append(pss)
                if number == 0:
                    before = resident_mib(bridge.pid)
            after = resident_mib(bridge.pid)
            on = sum(pss.is_connected for pss in made) - 1
        finally:
            for pss in made:
                pss.close()
            await stop(bridge)
            await stop(stub)
    cost = after - before
    return {
        "sessions": on,
        "before_mib": round(before, 1),
        "after_mib": round(after, 1),
        "cost_mib": round(cost, 1),
        "kib_each": round(cost * 1024 / max(1, on), 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--most", type=float, default=100.0, help="MiB that they may cost")
    parser.add_argument("--tls", action="store_true", help="sessions by TLS, with client certificates")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    figures = asyncio.run(measure(arguments.sessions, by_tls=arguments.tls))
    print(json.dumps(figures, indent=2))
    sys.exit(0 if figures["cost_mib"] < arguments.most and figures["sessions"] == arguments.sessions else 1)


if __name__ == "__main__":
    main()
