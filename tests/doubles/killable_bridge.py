"""The real bridge as a process that kills itself with SIGKILL at a named step: arguments STEP and CONFIG."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from pg_bridge.exchange.entries import Kind
from pg_bridge.journal.sqlite import SqliteJournal
from pg_bridge.ocp.client import OcpClient
from pg_bridge.pss.connection import Connection
from pg_bridge.pss.drop_folder import DropFolder
from pg_bridge.pss.listener import Listener

STEPS = (
    "on_receipt",
    "before_received_is_durable",
    "when_received_is_durable",
    "before_the_call",
    "after_the_call",
    "before_answered_is_durable",
    "when_answered_is_durable",
    "before_the_reply",
    "after_the_reply",
)

#: behind the first message of an answer that has several
BETWEEN_PAGES = "between_pages"
#: of a file in a drop folder: when it is ours, when its report lies in the outbox, when it lies where it stays
DROP_STEPS = ("when_taken", "when_reported", "when_put_away")


def die() -> None:
    """No handler, no flush, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str) -> None:
    """Put the kill at its place."""
    append: Callable[..., Awaitable[Any]] = SqliteJournal.append
    write: Callable[..., Awaitable[Any]] = OcpClient.write
    answer: Callable[..., bool] = Listener.answer
    data_received: Callable[..., None] = Connection.data_received

    async def killing_append(self: Any, entries: Any) -> Any:
        kinds = {entry.kind for entry in entries}
        if Kind.INSTRUCTION_RECEIVED in kinds and step == "before_received_is_durable":
            die()
        if Kind.EXCHANGE_ANSWERED in kinds and step == "before_answered_is_durable":
            die()
        positions = await append(self, entries)
        if Kind.INSTRUCTION_RECEIVED in kinds and step == "when_received_is_durable":
            die()
        if Kind.EXCHANGE_ANSWERED in kinds and step == "when_answered_is_durable":
            die()
        return positions

    async def killing_write(self: Any, operation: Any, *rest: Any) -> Any:
        is_instruction = operation.value.startswith("si_")
        if is_instruction and step == "before_the_call":
            die()
        entries = await write(self, operation, *rest)
        if is_instruction and step == "after_the_call":
            die()
        return entries

    def killing_answer(self: Any, action: Any) -> bool:
        if step == "before_the_reply":
            die()
        done = answer(self, action)
        if step == "after_the_reply" or (step == BETWEEN_PAGES and action.token is None):
            die()
        return done

    def killing_data_received(self: Any, data: bytes) -> None:
        if step == "on_receipt" and self._is_on:
            die()
        data_received(self, data)

    steps = {"when_taken": "take", "when_reported": "report", "when_put_away": "archive"}
    if step in steps:
        real: Callable[..., Any] = getattr(DropFolder, steps[step])

        def killing_step(*arguments: Any, **more: Any) -> None:
            real(*arguments, **more)
            die()

        setattr(DropFolder, steps[step], killing_step)
    SqliteJournal.append = killing_append  # type: ignore[method-assign]
    OcpClient.write = killing_write  # type: ignore[method-assign]
    Listener.answer = killing_answer  # type: ignore[method-assign]
    Connection.data_received = killing_data_received  # type: ignore[method-assign]


if __name__ == "__main__":
    arm(sys.argv[1])
    sys.argv = ["pg-bridge", "serve", "-c", sys.argv[2], "--json"]
    from pg_bridge.cli.main import main

    main()
