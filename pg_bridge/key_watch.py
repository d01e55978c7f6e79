"""Sees to it that the right keys sign: takes a rotation up while the bridge runs, journals it, warns of ends.

A key takes another's place only when the entry that says so is durable. What changes on the disk and cannot be used
changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from pg_bridge import telemetry
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import ConfigError, Finding
from pg_bridge.exchange.kinds.keys import KeysRefused, KeyUsed
from pg_bridge.ocp.key_list import KeyTexts, Whose
from pg_bridge.ocp.key_ring import KeyRing, RingKey
from pg_bridge.ocp.tokens import Identity

#: how often a key's time is looked at, and the disk, in seconds
LOOK_S = 1.0
READ_S = 10.0
#: how often an end is warned of
WARN_EVERY = timedelta(days=1)


class KeyWatch:
    """The identities that clients sign with, one for each algorithm in use, and the keys behind them.

    read: the keys as they lie on the disk now; raises ConfigError. Raises ConfigError when they cannot be read.
    """

    def __init__(
        self,
        company_id: str,
        machine_id: str,
        read: Callable[[], KeyTexts],
        passphrase: bytes | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._company_id = company_id
        self._machine_id = machine_id
        self._read = read
        self._passphrase = passphrase
        self._clock = clock
        self._texts = read()
        self._rings: dict[str, dict[Whose, KeyRing]] = {}
        self._identities: dict[str, Identity] = {}
        self._told: dict[tuple[str, Whose], str] = {}
        self._warned_at: datetime | None = None
        self._fault = ""
        self._log = telemetry.logger()

    def identity(self, algorithm: str) -> Identity:
        """Who we are, with keys of this algorithm; its keys change with time. Raises ConfigError where none fits."""
        if algorithm not in self._identities:
            rings = self._open(algorithm, self._texts)
            now = self._clock()
            self._identities[algorithm] = Identity(
                self._company_id, rings["company"].at(now).pair, self._machine_id, rings["machine"].at(now).pair
            )
            self._rings[algorithm] = rings
        return self._identities[algorithm]

    def days_left(self) -> dict[tuple[str, str], float]:
        """Days to the end of each key that has one, by whose it is and its thumbprint; for a gauge."""
        now = self._clock()
        return {
            (ring.whose, key.pair.thumbprint): days
            for rings in self._rings.values()
            for ring in rings.values()
            for key in ring.keys
            if (days := key.days_left(now)) is not None
        }

    async def watch(self, dispatcher: Dispatcher) -> None:
        """Look at times and at the disk, for ever. Ends when cancelled, or when nothing can be journaled."""
        while True:
            for _ in range(round(READ_S / LOOK_S)):
                await self.turn(dispatcher)
                await asyncio.sleep(LOOK_S)
            await self.read_again(dispatcher)

    def begin(self, dispatcher: Dispatcher) -> None:
        """Journal which keys sign from the start on, and warn of those that end."""
        now = self._clock()
        for algorithm, rings in self._rings.items():
            for ring in rings.values():
                self._note(dispatcher, algorithm, ring.whose, ring.at(now))
        self._warn(now)

    async def turn(self, dispatcher: Dispatcher) -> None:
        """Let the keys sign whose time it is. Raises JournalError."""
        now = self._clock()
        for algorithm, rings in list(self._rings.items()):
            identity = self._identities[algorithm]
            for ring in rings.values():
                key = ring.at(now)
                if self._told.get((algorithm, ring.whose)) != key.pair.thumbprint:
                    self._note(dispatcher, algorithm, ring.whose, key)
                    await dispatcher.durable()
                if ring.whose == "company":
                    identity.company_key = key.pair
                else:
                    identity.machine_key = key.pair
        if self._warned_at is None or now - self._warned_at >= WARN_EVERY:
            self._warn(now)

    async def read_again(self, dispatcher: Dispatcher) -> None:
        """Take up what changed on the disk, if it can be used."""
        try:
            texts = self._read()
            if texts == self._texts:
                self._fault = ""
                return
            # some 40 ms a key, which traffic should not wait for
            opened = {
                algorithm: await asyncio.to_thread(self._open, algorithm, texts) for algorithm in list(self._rings)
            }
        except ConfigError as error:
            self._refuse(dispatcher, error)
            return
        self._texts, self._fault = texts, ""
        self._rings.update(opened)
        self._warned_at = None

    def _open(self, algorithm: str, texts: KeyTexts) -> dict[Whose, KeyRing]:
        return {whose: KeyRing(whose, found, algorithm, self._passphrase) for whose, found in texts.items()}

    def _refuse(self, dispatcher: Dispatcher, error: ConfigError) -> None:
        if str(error) == self._fault:
            return  # told already
        self._fault = str(error)
        findings = tuple(error.findings) or (Finding(error.code, "error", "", str(error)),)
        self._log.error(telemetry.KEYS_REFUSED, error=self._fault)
        dispatcher.note(KeysRefused(findings=findings))

    def _note(self, dispatcher: Dispatcher, algorithm: str, whose: Whose, key: RingKey) -> None:
        listed, thumbprint = key.listed, key.pair.thumbprint
        before = self._told.get((algorithm, whose), "")
        self._told[algorithm, whose] = thumbprint
        self._log.info(telemetry.KEY_USED, whose=whose, key=thumbprint, algorithm=algorithm, before=before)
        dispatcher.note(
            KeyUsed(
                whose=whose,
                key=thumbprint,
                algorithm=algorithm,
                file=listed.file,
                before=before,
                used_from_us=_us(listed.used_from),
                ends_us=_us(listed.ends_at),
                who=key.text.who,
            )
        )

    def _warn(self, now: datetime) -> None:
        """Tell of keys that sign and end soon, or have ended, and which no other follows in time."""
        self._warned_at = now
        for rings in self._rings.values():
            for ring in rings.values():
                ending = ring.ending(now)
                if ending is None:
                    continue
                key, days = ending
                told = {"whose": ring.whose, "key": key.pair.thumbprint, "days_left": round(days, 1)}
                if days > 0:
                    self._log.warning(telemetry.KEY_END_NEAR, **told)
                else:
                    self._log.error(telemetry.KEY_ENDED, **told)


def _us(moment: datetime | None) -> int:
    return 0 if moment is None else round(moment.timestamp() * 1_000_000)
