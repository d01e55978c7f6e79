"""Driver `websocket`: a participant's status events by socket (RFC 6455), each acknowledged when it is durable.

One task reads, one has made durable what has gathered meanwhile and acknowledges it: so a slow disk makes larger lots.
"""

from __future__ import annotations

import asyncio

import aiohttp
import msgspec

from pg_bridge.ocp.push_driver import Json, Updates
from pg_bridge.ocp.streaming import StreamDoor

#: so many events may wait to become durable before nothing more is read
_MOST_WAITING = 1000


async def follow_socket(door: StreamDoor, updates: Updates, participant: str) -> int:
    """Follow the participant's socket until it ends; gives how many events came. Raises OcpError, JournalError."""
    date, sequence = updates.place(participant)
    async with door.socket(participant, f"{date}:{sequence}") as socket:
        waiting: asyncio.Queue[Json | None] = asyncio.Queue(_MOST_WAITING)
        taking = asyncio.get_running_loop().create_task(_take_all(door, updates, socket, waiting))
        reading = asyncio.get_running_loop().create_task(_read_all(door, updates, participant, socket, waiting))
        try:
            await asyncio.wait({taking, reading}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                await reading
                await waiting.put(None)
            return await taking
        finally:
            for task in (reading, taking):
                task.cancel()
            await asyncio.gather(reading, taking, return_exceptions=True)


async def _read_all(
    door: StreamDoor,
    updates: Updates,
    participant: str,
    socket: aiohttp.ClientWebSocketResponse,
    waiting: asyncio.Queue[Json | None],
) -> None:
    async for message in socket:
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return
        try:
            event = door.read(message.data)
        except ValueError as error:
            body = message.data if isinstance(message.data, bytes) else str(message.data).encode("utf-8", "replace")
            updates.refuse(participant, str(error), body)
            continue
        await waiting.put(event)


async def _take_all(
    door: StreamDoor,
    updates: Updates,
    socket: aiohttp.ClientWebSocketResponse,
    waiting: asyncio.Queue[Json | None],
) -> int:
    came = 0
    while True:
        gathered = [await waiting.get()]
        while not waiting.empty():
            gathered.append(waiting.get_nowait())
        events = [event for event in gathered if event is not None]
        if events:
            await updates.take(events)
            came += len(events)
            for event in events:
                await _acknowledge(door, socket, event)
        if None in gathered:
            return came


async def _acknowledge(door: StreamDoor, socket: aiohttp.ClientWebSocketResponse, event: Json) -> None:
    if socket.closed:
        return  # it comes again, and is acknowledged then
    date = door.profile.get("event", "event_business_date", event)
    sequence = door.profile.get("event", "event_sequence", event)
    answer = door.profile.write("stream_answer", {"acknowledged_event": f"{date}:{sequence}"})
    await socket.send_str(msgspec.json.encode(answer).decode())
