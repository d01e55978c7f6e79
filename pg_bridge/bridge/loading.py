"""A running bridge takes another mapping set: fulfils console's control port.

The set is checked apart, so that traffic goes on. Only if nothing is wrong with it, one step between two events puts it
in force everywhere: in the dispatcher, for new sessions, for pushes. The same step is an entry.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pg_bridge import telemetry
from pg_bridge.console.control import InForce, Load, NextStart, Verdict
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.dispatcher.sets import SetAtWork
from pg_bridge.errors import ConfigError, Finding, JournalFull, MappingInvalid
from pg_bridge.exchange import records as r
from pg_bridge.exchange.ports import Ocp
from pg_bridge.exchange.terms import Terms
from pg_bridge.link.profile import LinkProfile, link_profile_of
from pg_bridge.mapping.book import MappingBook, content_hash, load
from pg_bridge.mapping.document import SET_FILE
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.pss.listener import Listener

OCP_FOLDER = "ocp/"
#: findings of one refused load that are journaled whole
MOST_JOURNALED = 100


@dataclass(frozen=True, slots=True)
class LoadedSet:
    """A mapping set ready to use: its book and its framing."""

    book: MappingBook
    link: LinkProfile


def load_set(files: Mapping[str, str]) -> LoadedSet:
    """The set of files that check. Raises MappingInvalid.

    It reads no message: what the reader remembers of those is for one thread, and this runs beside the traffic.
    """
    return LoadedSet(load(files), link_profile_of(files))


def hash_of_ocp(files: Mapping[str, str]) -> str:
    """SHA-256 (hex) of the files of the OCP profile."""
    return content_hash({path: text for path, text in files.items() if path.startswith(OCP_FOLDER)})


def name_of(files: Mapping[str, str]) -> r.MappingSet:
    """What the set calls itself, as far as that can be read, and its hash."""
    try:
        head = tomllib.loads(files.get(SET_FILE, ""))
    except tomllib.TOMLDecodeError:
        head = {}
    name, version = (str(head.get(key, ""))[:64] for key in ("name", "version"))
    return r.MappingSet(name, version, content_hash(files))


class Ways(Protocol):
    """The ways to OCP: one for each OCP profile at work, all with the same keys and call limits."""

    def open(self, profile: OcpProfile) -> Ocp:
        """A new way. Raises ConfigError when keys and profile do not fit."""
        ...

    def put_in_force(self, ocp: Ocp) -> None:
        """From now on pushes are taken in the shape of this way's profile, and its limits hold for all."""
        ...

    async def close(self, ocp: Ocp) -> None:
        """Nothing uses this way any more."""
        ...


class Loading:
    """Takes mapping sets, one at a time.

    check: all findings of a set, without holding up the loop. folder, read_folder: what the next start uses (raises
    ConfigError, MappingInvalid).
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        listener: Listener,
        ways: Ways,
        *,
        check: Callable[[Mapping[str, str]], Awaitable[list[Finding]]],
        folder: str,
        read_folder: Callable[[], Mapping[str, str]],
    ) -> None:
        self._dispatcher = dispatcher
        self._listener = listener
        self._ways = ways
        self._check = check
        self._folder = folder
        self._read_folder = read_folder
        self._one_at_a_time = asyncio.Lock()
        self._log = telemetry.logger()

    async def in_force(self) -> InForce:
        """The mapping set in force, and the older ones by which something ends."""
        next_start = await self._next_start()
        *ending, now = self._dispatcher.sets.held
        return InForce(
            in_force=now.name, position=now.since, ending=[one.name for one in ending], next_start=next_start
        )

    async def load(self, files: Mapping[str, str], who: r.Who) -> Load:
        """Put a mapping set in force if it checks. Raises JournalError; JournalFull: nothing was changed."""
        async with self._one_at_a_time:
            name = name_of(files)
            findings = await self._check(files)
            loaded: LoadedSet | None = None
            if not any(finding.severity == "error" for finding in findings):
                try:
                    loaded = await asyncio.to_thread(load_set, files)
                except MappingInvalid as error:
                    findings += error.findings
            next_start = await self._next_start()
            if self._dispatcher.is_full:
                raise JournalFull("loading mappings: the journal is busy, nothing was changed")
            before = self._dispatcher.sets.in_force

            def told(verdict: Verdict, position: int, in_flight: int = 0) -> Load:
                return Load(
                    verdict=verdict,
                    loaded=name,
                    before=before.name,
                    position=position,
                    in_flight=in_flight,
                    findings=findings,
                    next_start=next_start,
                )

            if name.hash == before.name.hash:
                return told("in_force_already", before.since)
            at_work: SetAtWork | None = None
            if loaded is not None:
                try:
                    at_work = self._at_work(loaded.book, hash_of_ocp(files))
                except ConfigError as error:
                    findings.append(Finding(error.code, "error", OCP_FOLDER, str(error)))
            if loaded is None or at_work is None:
                return told("refused", await self._refuse(name, findings, who, len(files)))
            # From here to `durable` nothing waits: no event falls between the parts of the change.
            in_flight = self._dispatcher.change_set(at_work, who, files=len(files), findings=findings)
            self._listener.take(loaded.link, loaded.book.legacy.request_templates)
            if at_work.ocp is not before.ocp:
                self._ways.put_in_force(at_work.ocp)
            position = await self._dispatcher.durable()
            self._log.warning(
                telemetry.MAPPINGS_LOADED, set=at_work.terms.set_hash, user=who.user, by=who.by, in_flight=in_flight
            )
            return told("loaded", position, in_flight)

    def _at_work(self, book: MappingBook, ocp_hash: str) -> SetAtWork:
        """The set with its way to OCP: that of the set in force where both say the same of OCP."""
        sets = self._dispatcher.sets
        now = sets.in_force
        terms = Terms(book, now.terms.fresh, now.terms.options)
        held = sets.named(terms.set_hash)
        if held is not None:
            return held
        if ocp_hash == now.ocp_hash:
            return SetAtWork(terms, now.ocp, now.ocp_hash, now.close)
        ocp = self._ways.open(book.ocp)
        return SetAtWork(terms, ocp, ocp_hash, lambda: self._ways.close(ocp))

    async def _refuse(self, name: r.MappingSet, findings: list[Finding], who: r.Who, files: int) -> int:
        """Journal that a set was refused; gives the entry's position."""
        self._dispatcher.note(
            r.MappingsRefused(
                refused=name,
                in_force=self._dispatcher.sets.in_force.name,
                who=who,
                files=files,
                finding_count=len(findings),
                findings=tuple(findings[:MOST_JOURNALED]),
            )
        )
        position = await self._dispatcher.durable()
        self._log.warning(
            telemetry.MAPPINGS_REFUSED, set=name.hash[:12], user=who.user, by=who.by, findings=len(findings)
        )
        return position

    async def _next_start(self) -> NextStart:
        try:
            files = await asyncio.to_thread(self._read_folder)
        except (ConfigError, MappingInvalid) as error:
            return NextStart(folder=self._folder, error=str(error))
        return NextStart(folder=self._folder, hash=content_hash(files))
