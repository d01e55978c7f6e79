"""Driver `sse`: a participant's status events as server-sent events (HTML standard, section 9.2).

Nothing is acknowledged: what is not durable when the stream ends comes again, because the next one begins behind the
last event that is. While events wait to become durable nothing more is read.
"""

from __future__ import annotations

from pg_bridge.ocp.push_driver import Json, Updates
from pg_bridge.ocp.streaming import LARGEST_EVENT, StreamDoor


class EventReader:
    """Bytes of a stream to the data of its events; a comment or a field of another name says nothing."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def read(self, data: bytes) -> list[bytes]:
        """The data of every event that ends in these bytes. Raises ValueError for one that is too large."""
        *lines, self._rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n")
        events = []
        for line in lines:
            if not line:
                if self._data:
                    events.append(b"\n".join(self._data))
                self._data = []
                continue
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
        if len(self._rest) + sum(map(len, self._data)) > LARGEST_EVENT:
            raise ValueError(f"an event is larger than {LARGEST_EVENT} bytes")
        return events


async def follow_stream(door: StreamDoor, updates: Updates, participant: str) -> int:
    """Follow the participant's stream until it ends; gives how many events came. Raises OcpError, JournalError."""
    date, sequence = updates.place(participant)
    place = f"{date}:{sequence}"
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-store", "Last-Event-ID": place}
    reader = EventReader()
    came = 0
    async with door.stream(participant, place, headers) as content:
        async for data in content.iter_any():
            events: list[Json] = []
            try:
                found = reader.read(data)
            except ValueError as error:
                updates.refuse(participant, str(error), b"")
                return came
            for one in found:
                try:
                    events.append(door.read(one))
                except ValueError as error:
                    updates.refuse(participant, str(error), one)
            if events:
                await updates.take(events)
                came += len(events)
    return came
