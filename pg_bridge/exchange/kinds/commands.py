"""Who gave a command to the running bridge."""

from __future__ import annotations

import msgspec


class Who(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who gave a command. user, uid, pid: by the word of the kernel; -1 and empty where it gives none.

    by, reason: as the person states.
    """

    user: str = ""
    uid: int = -1
    pid: int = -1
    by: str = ""
    reason: str = ""

    def references(self) -> dict[str, str]:
        """The names to find a command by."""
        return {name: value for name, value in (("user", self.user), ("by", self.by)) if value}
