"""The keys of a company or machine in rotation: which one signs at a moment, and when each one ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pg_bridge.errors import ConfigError, KeyMisfit
from pg_bridge.ocp.key_list import KeyText, ListedKey, Whose
from pg_bridge.ocp.keys import KeyPair

#: from so long before its end on a key is warned of
WARNING = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key with its times."""

    pair: KeyPair
    text: KeyText

    @property
    def listed(self) -> ListedKey:
        """Its times, and where it lies."""
        return self.text.listed

    def has_begun(self, now: datetime) -> bool:
        """Whether it may sign by now."""
        return self.listed.used_from is None or self.listed.used_from <= now

    def has_ended(self, now: datetime) -> bool:
        """Whether OCP takes it no longer."""
        return self.listed.ends_at is not None and self.listed.ends_at <= now

    def days_left(self, now: datetime) -> float | None:
        """Days to its end, negative behind it; None where no end is known."""
        ends_at = self.listed.ends_at
        return None if ends_at is None else (ends_at - now) / timedelta(days=1)


class KeyRing:
    """The keys that sign by one algorithm. Raises ConfigError where there is none, or one cannot be read."""

    def __init__(self, whose: Whose, texts: Sequence[KeyText], algorithm: str, passphrase: bytes | None = None) -> None:
        self.whose = whose
        self.keys: list[RingKey] = []
        misfits: list[str] = []
        for text in texts:
            try:
                pair = KeyPair(text.pem, algorithm=algorithm, passphrase=passphrase, kid=text.listed.kid)
            except KeyMisfit as error:
                misfits.append(f"{text.listed.file}: {error}")
            except ConfigError as error:
                raise ConfigError(f"{text.listed.file}: {error}") from None
            else:
                self.keys.append(RingKey(pair, text))
        if not self.keys:
            raise KeyMisfit(f"the {whose} has no key for {algorithm}: {'; '.join(misfits) or 'none is there'}")

    def at(self, now: datetime) -> RingKey:
        """The key that signs at `now`: the one that began last, of those that have not ended.

        Where all that began have ended it is still the last of them: OCP decides whether it takes it. Where none
        has begun it is the first that will.
        """
        begun = [key for key in self.keys if key.has_begun(now)]
        if not begun:
            return min(self.keys, key=_begins)
        good = [key for key in begun if not key.has_ended(now)]
        # the last of equals, as the list has them
        return max(enumerate(good or begun), key=lambda one: (_begins(one[1]), one[0]))[1]

    def ending(self, now: datetime) -> tuple[RingKey, float] | None:
        """The key that signs, with the days left, if it ends within `WARNING` or has ended and none follows in time."""
        signs = self.at(now)
        ends_at, days = signs.listed.ends_at, signs.days_left(now)
        if ends_at is None or days is None or days > WARNING / timedelta(days=1):
            return None
        follows = any(
            key.listed.used_from is not None and now < key.listed.used_from <= ends_at and not key.has_ended(ends_at)
            for key in self.keys
        )
        return None if follows else (signs, days)

    def live(self, now: datetime) -> list[RingKey]:
        """The keys that have not ended: those to register at OCP."""
        return [key for key in self.keys if not key.has_ended(now)]


def _begins(key: RingKey) -> float:
    used_from = key.listed.used_from
    return 0.0 if used_from is None else used_from.timestamp()
