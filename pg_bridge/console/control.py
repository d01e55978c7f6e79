"""The control door: commands of this machine's operators to the running bridge, as HTTP over a Unix domain socket.

Who may open the socket file (mode 0600) may give commands; who did is the kernel's word, not the caller's. Knows
nothing of what a command does: it hands values to a port.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import socket
import stat
import struct
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeVar, cast

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pg_bridge.console.answers import document, words
from pg_bridge.console.exchanges import ExchangesPort, ResolutionAsked, add_exchanges
from pg_bridge.console.reconciliations import ReconcileAsked, ReconcilePort, add_reconciliations
from pg_bridge.errors import ConfigError, Finding, JournalError
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.exchange.kinds.node import MappingSet

#: where a request's scope says who is at the other end
PEER = "pg_bridge.peer"
MAPPINGS_PATH = "/mappings"
BROADCASTS_PATH = "/broadcasts"
#: a set of mappings is some 200 KiB
MOST_BODY = 33_554_432
MOST_BY, MOST_REASON = 100, 1_000
#: characters of a broadcast: more, no message holds
MOST_TEXT = 100_000
_CREDENTIALS = struct.Struct("3i")


Verdict = Literal["loaded", "refused", "in_force_already"]


class NextStart(msgspec.Struct, frozen=True, kw_only=True):
    """The set that the next start of the bridge uses: what lies in its folder now. error: why that is not known."""

    folder: str
    hash: str = ""
    error: str = ""


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """The set in force, from which journal position on (0: not durable yet), and the older ones still needed."""

    in_force: MappingSet
    position: int
    ending: Sequence[MappingSet]
    next_start: NextStart


class LoadAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Load these files (path below mappings/ to text). by, reason: as the person states."""

    files: dict[str, str]
    by: str = ""
    reason: str = ""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a load. position: of its journal entry, 0 for none. in_flight: exchanges that end by `before`.

    loaded: what was to be loaded; in force only where the verdict says so.
    """

    verdict: Verdict
    loaded: MappingSet
    before: MappingSet
    position: int
    in_flight: int
    findings: Sequence[Finding]
    next_start: NextStart


class BroadcastAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tell this to all participants, or to those named in `to`. by, reason: as the person states."""

    head: str
    text: str
    to: list[str] = []
    by: str = ""
    reason: str = ""


#: what a person commands
Command = TypeVar("Command", LoadAsked, BroadcastAsked, ResolutionAsked, ReconcileAsked)


class Told(msgspec.Struct, frozen=True):
    """One participant of a broadcast: whether it was on; else its delivery waits for it."""

    participant: str
    is_on: bool


class Broadcast(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a broadcast. broadcast: its id in the journal; position: of its last entry."""

    verdict: Literal["sent", "refused"]
    broadcast: str
    position: int
    told: Sequence[Told]
    findings: Sequence[Finding]


class BroadcastPort(Protocol):
    """Who tells participants what is commanded. Raises JournalError when nothing can be made durable."""

    async def broadcast(self, asked: BroadcastAsked, who: Who) -> Broadcast:
        """Send a broadcast if it can be sent as it is."""
        ...


class ControlPort(Protocol):
    """Who does what is commanded. Raises JournalError when nothing can be made durable."""

    async def in_force(self) -> InForce:
        """The mapping set in force."""
        ...

    async def load(self, files: Mapping[str, str], who: Who) -> Load:
        """Put a mapping set in force if it checks."""
        ...


def create_control_app(
    port: ControlPort,
    broadcasts: BroadcastPort | None = None,
    exchanges: ExchangesPort | None = None,
    reconciliations: ReconcilePort | None = None,
) -> FastAPI:
    """The app behind the door: `GET` and `POST /mappings`, `POST /broadcasts`, exchanges, reconciliations."""
    app = FastAPI(title="pg-bridge control", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get(MAPPINGS_PATH)
    async def in_force() -> Response:
        return document(200, await port.in_force())

    @app.post(MAPPINGS_PATH)
    async def load(request: Request) -> Response:
        command = await _command(request, LoadAsked, "the files are")
        if isinstance(command, Response):
            return command
        asked, who = command
        try:
            load = await port.load(asked.files, who)
        except JournalError as error:
            return words(503, str(error))
        return document(422 if load.verdict == "refused" else 200, load)

    if broadcasts is not None:
        _add_broadcasts(app, broadcasts)
    if exchanges is not None:
        add_exchanges(app, exchanges, _command)
    if reconciliations is not None:
        add_reconciliations(app, reconciliations, _command)
    return app


def _add_broadcasts(app: FastAPI, port: BroadcastPort) -> None:
    @app.post(BROADCASTS_PATH)
    async def broadcast(request: Request) -> Response:
        command = await _command(request, BroadcastAsked, "the text is")
        if isinstance(command, Response):
            return command
        asked, who = command
        if len(asked.head) + len(asked.text) > MOST_TEXT:
            return words(413, f"head and text have at most {MOST_TEXT:,} characters")
        try:
            sent = await port.broadcast(asked, who)
        except JournalError as error:
            return words(503, str(error))
        return document(422 if sent.verdict == "refused" else 200, sent)


async def _command(request: Request, kind: type[Command], what: str) -> tuple[Command, Who] | Response:
    """A command and who gives it; a response says what is wrong with it."""
    body = await _body(request)
    if body is None:
        return words(413, f"{what} larger than {MOST_BODY} bytes")
    try:
        asked = msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        return words(400, f"the command cannot be read: {error}")
    who = _who(request, asked.by, asked.reason)
    return words(400, who) if isinstance(who, str) else (asked, who)


async def _body(request: Request) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > MOST_BODY:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _who(request: Request, by: str, reason: str) -> Who | str:
    """Who gives the command; a text says what is wrong with what was stated."""
    for name, text, most in (("by", by, MOST_BY), ("reason", reason, MOST_REASON)):
        if len(text) > most or not (text.isprintable() or not text):
            return f"{name} has at most {most} printable characters"
    peer: Who = request.scope.get(PEER, Who())
    return msgspec.structs.replace(peer, by=by, reason=reason)


# --- the socket ------------------------------------------------------------------------------------------------


class _PeerProtocol(HttpToolsProtocol):
    """HTTP whose requests say who is at the other end."""

    def on_message_begin(self) -> None:
        """Leave the peer in the scope of each request."""
        super().on_message_begin()
        cast(dict[str, object], self.scope)[PEER] = peer_of(self.transport.get_extra_info("socket"))


def peer_of(sock: socket.socket | None) -> Who:
    """The process at the other end of a Unix domain socket; nobody where the kernel does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)  # Linux
    if sock is None or option is None:
        return Who()
    pid, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:  # a user of another container, perhaps
        user = str(uid)
    return Who(user=user, uid=uid, pid=pid)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: cli decides when the bridge ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def control_door(
    path: str,
    port: ControlPort,
    broadcasts: BroadcastPort | None = None,
    exchanges: ExchangesPort | None = None,
    reconciliations: ReconcilePort | None = None,
) -> AsyncIterator[None]:
    """Serve the control door at `path`. Raises ConfigError when a bridge listens there, or the path cannot be used."""
    sock = _bind(path)
    mark = _mark(path)
    settings = uvicorn.Config(
        create_control_app(port, broadcasts, exchanges, reconciliations),
        http=_PeerProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = _Server(settings)
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[sock]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        sock.close()
        _remove(path, mark)


def _bind(path: str) -> socket.socket:
    doing = f"opening the control door {path}"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(path, doing)
        before = os.umask(0o177)  # so that the file is never open to others, not even for a moment
        try:
            sock.bind(path)
        finally:
            os.umask(before)
        sock.listen(16)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise ConfigError(f"{doing}: {error.strerror or error} ([control] socket)") from error
    except ConfigError:
        sock.close()
        raise
    return sock


def _clear(path: str, doing: str) -> None:
    """Remove the socket file of a bridge that ended without doing so."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"{doing}: the file is there and is no socket; name another in [control] socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)
            return
        except TimeoutError:
            pass  # somebody is there, and busy
    raise ConfigError(f"{doing}: another bridge listens there; name another in [control] socket")


def _remove(path: str, mark: tuple[int, int] | None) -> None:
    """Remove our socket file, never another bridge's."""
    if _mark(path) == mark:
        with contextlib.suppress(OSError):
            Path(path).unlink()


def _mark(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
