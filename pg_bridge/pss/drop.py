"""Drop folders: PSSs that exchange files put them into an inbox and find the reports in an outbox.

One task a participant. It takes one file at a time, the oldest first, so that what a file says of SIs holds for the
next one; and waits for the disk in a thread of its own, so that a share that hangs holds up no session. What the disk
refuses is told once, tried again, and told when it is well.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pg_bridge import telemetry
from pg_bridge.errors import DiskFault, Finding, JournalError, MappingError
from pg_bridge.exchange.actions import FileEnded
from pg_bridge.pss.disk_faults import as_text
from pg_bridge.pss.drop_folder import DropFolder, Inbox, Look, Taken, Waiting, name_findings
from pg_bridge.pss.file_desk import DropOptions, FileDesk

Given = TypeVar("Given")
#: the outcome of a file of which nothing was entered
REFUSED = "refused"
_REFUSED = "The file was refused whole; nothing of it was entered.\r\n"


class Settling:
    """Which files nobody has written to for a while. It compares looks, never clocks: a share may have another time."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._since: dict[str, tuple[Look, float]] = {}

    def settled(self, files: Iterable[tuple[str, Look]], now_s: float) -> set[str]:
        """The names of those that look as they did `settle_s` ago; what is not among `files` is forgotten."""
        seen: dict[str, tuple[Look, float]] = {}
        for name, look in files:
            before = self._since.get(name)
            seen[name] = before if before is not None and before[0] == look else (look, now_s)
        self._since = seen
        return {name for name, (_, since) in seen.items() if now_s - since >= self._settle_s}


class Drop:
    """The drop folder of one participant."""

    def __init__(
        self,
        participant: str,
        folder: DropFolder,
        options: DropOptions,
        desk: FileDesk,
        *,
        claim: Callable[[], str],
        monotonic: Callable[[], float],
        in_thread: Callable[[Callable[[], object]], Awaitable[object]],
    ) -> None:
        self.participant = participant
        self._folder = folder
        self._desk = desk
        self._claim = claim
        self._monotonic = monotonic
        self._in_thread = in_thread
        self._waiting, self._held = Settling(options.settle_s), Settling(options.settle_s)
        self._scan_s = options.scan_s
        self._to_end: dict[str, FileEnded] = {}
        #: claims that ended in this process
        self._done: set[str] = set()
        #: claims taken in this process
        self._ours: set[str] = set()
        #: the file that was offered and has not ended
        self._under_way = ""
        #: why the file that is next was not taken in
        self._stuck: list[Finding] = []
        self._is_prepared = False
        self._faults: dict[tuple[str, str], Finding] = {}
        self._wake = asyncio.Event()
        self._log = telemetry.logger()

    def end(self, ended: FileEnded) -> None:
        """A file has ended: its report may go out."""
        if ended.claim not in self._done:
            self._to_end[ended.claim] = ended
            self._wake.set()

    async def run(self) -> None:
        """Look at the folder until cancelled, or until the journal fails."""
        while True:
            try:
                while await self.look():
                    pass
            except JournalError:
                return  # the bridge stops; the next one finds everything where it is
            except Exception as error:  # noqa: BLE001 - the top of a task: files must not be left lying because of one
                self._log.error(telemetry.EVENT_FAILED, participant=self.participant, error=repr(error))
            try:
                async with asyncio.timeout(self._scan_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def look(self) -> bool:
        """Do the next step of each kind; True when there may be more to do at once. Raises JournalError."""
        self._wake.clear()
        found: list[Finding] = []
        try:
            if not self._is_prepared:
                await self._disk(self._folder.prepare)
                self._is_prepared = True
            await self._end_all()
            went_on = await self._go_on(found)
        except DiskFault as fault:
            self._tell([fault.finding], is_all=False)
            return False
        self._tell([*found, *self._stuck], is_all=True)
        return went_on

    async def _go_on(self, found: list[Finding]) -> bool:
        await self._disk(self._folder.check)
        found += await self._disk(self._folder.strangers)
        inbox = await self._disk(self._folder.inbox)
        found += inbox.findings
        ready = self._waiting.settled(((file.name, file.look) for file in inbox.files), self._monotonic())
        if self._desk.is_full:
            return False
        turned_away = await self._turn_away(inbox, ready)
        if self._under_way:
            return turned_away
        held = [file for file in await self._disk(self._folder.taken) if file.claim not in self._done]
        if held:
            settled = self._held.settled(((file.claim, file.look) for file in held), self._monotonic())
            file = held[0]
            return await self._offer(file) if file.claim in settled else turned_away
        for waiting in inbox.files:
            if waiting.name in ready and not self._faults_of(waiting):
                taken = await self._disk(functools.partial(self._folder.take, waiting, self._claim()))
                if taken is not None:
                    self._ours.add(taken.claim)
                    return await self._offer(taken)
        return turned_away

    async def _offer(self, file: Taken) -> bool:
        """Hand a file of ours in; False while somebody still writes to it."""
        content = await self._disk(functools.partial(self._folder.read, file))
        if content is None:
            return False
        sha256 = await self._disk(lambda: hashlib.sha256(content).hexdigest())
        self._under_way = file.claim
        try:
            is_again = file.claim not in self._ours
            await self._desk.arrived(self.participant, file, content, sha256, is_again=is_again)
        except MappingError as error:
            self._under_way = ""
            remedy = "Correct the mapping file, and load the set; it is tried again every moment."
            text = f"the file waits, nothing of it was done: {error}"
            self._stuck = [Finding(error.code, "error", as_text(file.path), text, remedy=remedy)]
            return False
        except Exception:
            self._under_way = ""
            raise
        self._stuck = []
        return True

    async def _turn_away(self, inbox: Inbox, ready: set[str]) -> bool:
        """Files that are refused unread; True if there was one."""
        bad = [file for file in inbox.files if file.name in ready and self._faults_of(file)]
        for file in bad:
            findings = self._faults_of(file)
            lines = "".join(f"{finding}\r\n  {finding.remedy}\r\n" for finding in findings)
            text = (_REFUSED + lines).encode()
            moved_to = await self._disk(functools.partial(self._folder.turn_away, file, self._claim(), text))
            if moved_to is not None:
                self._desk.turned_away(self.participant, file.name, moved_to, findings)
        return bool(bad)

    def _faults_of(self, file: Waiting) -> list[Finding]:
        desk = self._desk
        return name_findings(file.name, file.look.size, longest=desk.longest_name, largest=desk.largest)

    async def _end_all(self) -> None:
        """Write reports and move files; each is told when both are durable."""
        for claim, ended in list(self._to_end.items()):
            text = "".join(reply.body for reply in (ended.reply, *ended.more)).encode("ascii")
            report = await self._disk(functools.partial(self._folder.report, claim, ended.name, text))
            if ended.outcome == REFUSED:
                moved_to = await self._disk(functools.partial(self._folder.reject, claim, ended.name, text))
            else:
                moved_to = await self._disk(
                    functools.partial(self._folder.archive, claim, ended.name, day=self._desk.day().replace("-", ""))
                )
            del self._to_end[claim]
            self._done.add(claim)
            if self._under_way == claim:
                self._under_way = ""
            self._desk.ended(ended, report, moved_to)

    def _tell(self, findings: Iterable[Finding], *, is_all: bool) -> None:
        """Tell what is newly wrong; and, when `findings` is all there is, what is well again."""
        now = {(finding.path, finding.text): finding for finding in findings}
        for key, finding in now.items():
            if key not in self._faults:
                self._faults[key] = finding
                self._log.warning(
                    telemetry.FOLDER_FAULT_FOUND,
                    participant=self.participant, path=finding.path, fault=finding.text, remedy=finding.remedy,
                )  # fmt: skip
                self._desk.fault_found(self.participant, finding)
        for key in [key for key in self._faults if is_all and key not in now]:
            finding = self._faults.pop(key)
            self._log.info(telemetry.FOLDER_FAULT_ENDED, participant=self.participant, path=finding.path)
            self._desk.fault_ended(self.participant, finding)

    async def _disk(self, step: Callable[[], Given]) -> Given:
        return await self._in_thread(step)  # type: ignore[return-value]


class Drops:
    """All drop folders of a bridge."""

    def __init__(
        self,
        folders: Mapping[str, Path],
        options: DropOptions,
        desk: FileDesk,
        *,
        owner: str,
        claim: Callable[[], str],
        monotonic: Callable[[], float],
    ) -> None:
        # Not the loop's own threads: a share that hangs would use them up.
        self._threads = ThreadPoolExecutor(max(1, len(folders)), thread_name_prefix="drop")
        self._drops = {
            name: Drop(
                name,
                DropFolder(root, owner),
                options,
                desk,
                claim=claim,
                monotonic=monotonic,
                in_thread=self._in_thread,
            )
            for name, root in folders.items()
        }
        self._work: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to look at the folders."""
        self._work = [asyncio.get_running_loop().create_task(drop.run()) for drop in self._drops.values()]

    def ended(self, ended: FileEnded) -> bool:
        """A file has ended; False when its participant has no drop folder any more."""
        drop = self._drops.get(ended.participant)
        if drop is not None:
            drop.end(ended)
        return drop is not None

    async def close(self) -> None:
        """Look no more. A step that is under way on disk ends by itself; the next start goes on after it."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, step: Callable[[], object]) -> object:
        return await asyncio.get_running_loop().run_in_executor(self._threads, step)
