"""A loop of simulated time, and ids and keys that follow from a seed."""

from __future__ import annotations

import asyncio
import time

import pytest

from pg_bridge.cli.seeded_ids import SeededIds
from pg_bridge.simulator.keys import SigningKey, is_signed_by
from pg_bridge.simulator.seeded_keys import seeded_key_pem
from pg_bridge.simulator.simulated_loop import SimulatedLoop, run_simulated


def test_an_hour_passes_at_once_and_in_order() -> None:
    told: list[tuple[str, float]] = []

    async def main(loop: SimulatedLoop) -> None:
        async def after(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            told.append((name, loop.time()))

        async with asyncio.TaskGroup() as tasks:
            for name, seconds in (("hour", 3600.0), ("second", 1.0), ("minute", 60.0)):
                tasks.create_task(after(name, seconds))

    began = time.monotonic()
    run_simulated(main)

    assert [("second", 1.0), ("minute", 60.0), ("hour", 3600.0)] == told
    assert 60 > time.monotonic() - began


def test_time_stands_while_bytes_are_on_their_way_and_addresses_stand_for_others() -> None:
    async def main(loop: SimulatedLoop) -> tuple[bytes, float]:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(200_000))
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        loop.stand_for[("127.0.0.1", 1)] = server.sockets[0].getsockname()[:2]
        reader, writer = await asyncio.open_connection("127.0.0.1", 1)
        writer.write(b"x" * 200_000)
        got = await reader.read(-1)
        writer.close()
        server.close()
        return got, loop.time()

    assert (b"x" * 200_000, 0.0) == run_simulated(main)


def test_what_a_thread_would_do_is_done_at_once_with_its_error() -> None:
    async def main(loop: SimulatedLoop) -> list[str]:
        told = [await asyncio.to_thread(str, 1)]
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)
        return told

    assert ["1"] == run_simulated(main)


def test_ids_follow_from_the_seed_and_sort_in_their_order() -> None:
    first, second, other = SeededIds(1), SeededIds(1), SeededIds(2)
    ids = [first.exchange_id() for _ in range(20)]
    second.delivery_id()

    assert ids == [second.exchange_id() for _ in range(20)] == sorted(set(ids))
    assert first.request_id() == second.request_id() != other.request_id()
    assert (16, 10) == (len(first.reference()), len(first.session_id()))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_key_of_a_seed_signs_alike_each_time(algorithm: str) -> None:
    key = SigningKey(seeded_key_pem("a seed", algorithm), algorithm)
    seeded_key_pem.cache_clear()
    again = SigningKey(seeded_key_pem("a seed", algorithm), algorithm)

    assert key.sign(b"said") == again.sign(b"said")
    assert is_signed_by(key.private.public_key(), algorithm, b"said", key.sign(b"said"))
    assert key.kid != SigningKey(seeded_key_pem("another", algorithm), algorithm).kid
