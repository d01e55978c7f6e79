"""Some concepts of many entries, read from JSON without the rest of them: for entries that come by the million."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from pg_bridge.profiles.ocp import OcpProfile

Row = tuple[Any, ...]


class EntryReader:
    """Reads these concepts of a group, two at least, of each entry of a JSON array."""

    def __init__(self, profile: OcpProfile, group: str, concepts: Sequence[str]) -> None:
        places = [profile.place(group, concept) for concept in concepts]
        self.rows: Callable[[bytes], Iterable[Row]]
        if len(places) > 1 and all(place.is_plain for place in places):
            members = dict.fromkeys(place.members[0] for place in places)
            names = {member: f"member_{number}" for number, member in enumerate(members)}
            entry = msgspec.defstruct(
                "Entry",
                [(name, Any, msgspec.field(name=member, default=None)) for member, name in names.items()],
                gc=False,
            )
            decode = msgspec.json.Decoder(list[entry]).decode  # type: ignore[valid-type]
            pick = attrgetter(*(names[place.members[0]] for place in places))
            self.rows = lambda raw: map(pick, decode(raw))
        else:
            reads = [place.read for place in places]
            decode_any = msgspec.json.Decoder(list[Any]).decode
            self.rows = lambda raw: (tuple([read(one) for read in reads]) for one in decode_any(raw))
