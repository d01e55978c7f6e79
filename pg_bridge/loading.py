"""A running bridge takes another mapping set: fulfils console's control port.

The set is checked in a thread of its own, so that traffic goes on. Only if nothing is wrong with it, one step between
two events puts it in force everywhere: in the dispatcher, for new sessions, for pushes. The same step is an entry.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pg_bridge import telemetry
from pg_bridge.console.control import InForce, Load, NextStart
from pg_bridge.dispatcher import Dispatcher
from pg_bridge.errors import ConfigError, Finding, JournalFull, MappingInvalid
from pg_bridge.exchange import records as r
from pg_bridge.exchange.ports import Ocp
from pg_bridge.exchange.terms import Terms
from pg_bridge.link.profile import LINK_FILE, LinkProfile, read_link_profile
from pg_bridge.mapping.book import MappingBook, content_hash, load
from pg_bridge.mapping.check import check
from pg_bridge.mapping.document import SET_FILE
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.pss.listener import Listener
from pg_bridge.sets import SetAtWork

OCP_FOLDER = "ocp/"
#: findings of one refused load that are journaled whole
MOST_JOURNALED = 100


@dataclass(frozen=True, slots=True)
class CheckedSet:
    """A set of files with all findings. book and link: None where it does not check."""

    name: r.MappingSet
    ocp_hash: str
    findings: list[Finding]
    book: MappingBook | None = None
    link: LinkProfile | None = None


def check_set(files: Mapping[str, str]) -> CheckedSet:
    """Check profiles, framing, rules and cases, as `pg-bridge mappings check` does."""
    findings = check(files)
    link: LinkProfile | None = None
    try:
        link = read_link_profile(files[LINK_FILE])
    except MappingInvalid as error:
        findings += error.findings
    except KeyError:
        if not any(finding.path == LINK_FILE for finding in findings):
            findings.append(
                Finding("PGB-PRF-022", "error", LINK_FILE, "the file is missing: it says how a frame looks")
            )
    name = _name(files)
    ocp_hash = hash_of_ocp(files)
    if link is None or any(finding.severity == "error" for finding in findings):
        return CheckedSet(name, ocp_hash, findings)
    return CheckedSet(name, ocp_hash, findings, load(files), link)


def hash_of_ocp(files: Mapping[str, str]) -> str:
    """SHA-256 (hex) of the files of the OCP profile."""
    return content_hash({path: text for path, text in files.items() if path.startswith(OCP_FOLDER)})


def _name(files: Mapping[str, str]) -> r.MappingSet:
    """What the set calls itself, as far as that can be read."""
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
    """Takes mapping sets, one at a time. `folder`, `read_folder`: what the next start uses (raises ConfigError)."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        listener: Listener,
        ways: Ways,
        *,
        folder: str,
        read_folder: Callable[[], Mapping[str, str]],
    ) -> None:
        self._dispatcher = dispatcher
        self._listener = listener
        self._ways = ways
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
            checked = await asyncio.to_thread(check_set, files)
            next_start = await self._next_start()
            if self._dispatcher.is_full:
                raise JournalFull("loading mappings: the journal is busy, nothing was changed")
            before = self._dispatcher.sets.in_force
            if checked.name.hash == before.name.hash:
                return Load(
                    verdict="in_force_already",
                    loaded=checked.name,
                    before=before.name,
                    position=before.since,
                    in_flight=0,
                    findings=checked.findings,
                    next_start=next_start,
                )
            if checked.book is None or checked.link is None:
                return await self._refuse(checked, checked.findings, who, len(files), next_start)
            try:
                at_work = self._at_work(checked, checked.book)
            except ConfigError as error:
                finding = Finding(error.code, "error", OCP_FOLDER, str(error))
                return await self._refuse(checked, [*checked.findings, finding], who, len(files), next_start)
            # From here to `durable` nothing waits: no event falls between the parts of the change.
            in_flight = self._dispatcher.change_set(at_work, who, files=len(files), findings=checked.findings)
            self._listener.take(checked.link, checked.book.legacy.request_templates)
            if at_work.ocp is not before.ocp:
                self._ways.put_in_force(at_work.ocp)
            position = await self._dispatcher.durable()
            self._log.warning(
                telemetry.MAPPINGS_LOADED, set=at_work.terms.set_hash, user=who.user, by=who.by, in_flight=in_flight
            )
            return Load(
                verdict="loaded",
                loaded=at_work.name,
                before=before.name,
                position=position,
                in_flight=in_flight,
                findings=checked.findings,
                next_start=next_start,
            )

    def _at_work(self, checked: CheckedSet, book: MappingBook) -> SetAtWork:
        """The set with its way to OCP: that of the set in force where both say the same of OCP."""
        sets = self._dispatcher.sets
        held = sets.named(book.hash[:12])
        if held is not None:
            return held
        now = sets.in_force
        terms = Terms(book, now.terms.fresh, now.terms.options)
        if checked.ocp_hash == now.ocp_hash:
            return SetAtWork(terms, now.ocp, now.ocp_hash, now.close)
        ocp = self._ways.open(book.ocp)
        return SetAtWork(terms, ocp, checked.ocp_hash, lambda: self._ways.close(ocp))

    async def _refuse(
        self, checked: CheckedSet, findings: list[Finding], who: r.Who, files: int, next_start: NextStart
    ) -> Load:
        in_force = self._dispatcher.sets.in_force.name
        self._dispatcher.note(
            r.MappingsRefused(
                refused=checked.name,
                in_force=in_force,
                who=who,
                files=files,
                finding_count=len(findings),
                findings=tuple(findings[:MOST_JOURNALED]),
            )
        )
        position = await self._dispatcher.durable()
        self._log.warning(
            telemetry.MAPPINGS_REFUSED, set=checked.name.hash[:12], user=who.user, by=who.by, findings=len(findings)
        )
        return Load(
            verdict="refused",
            loaded=checked.name,
            before=in_force,
            position=position,
            in_flight=0,
            findings=findings,
            next_start=next_start,
        )

    async def _next_start(self) -> NextStart:
        try:
            files = await asyncio.to_thread(self._read_folder)
        except ConfigError as error:
            return NextStart(folder=self._folder, error=str(error))
        return NextStart(folder=self._folder, hash=content_hash(files))
