"""What happens on the sessions, as events of the dispatcher and entries: fulfils the desk of pss."""

from __future__ import annotations

from collections.abc import Sequence

from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.link import events as link


class Desk:
    """The desk of the sessions."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    @property
    def is_full(self) -> bool:
        """Nothing can be made durable now."""
        return self._dispatcher.is_full

    def opened(self, session: str, participant: str, terminal: str, address: str) -> None:
        """A PSS logged on."""
        self._dispatcher.session_opened(
            r.SessionOpened(participant=participant, session=session, terminal=terminal, address=address)
        )

    def turned_away(self, participant: str, terminal: str, address: str, text: str) -> None:
        """A connection or log-on was not accepted."""
        self._dispatcher.note(r.SessionRefused(participant=participant, terminal=terminal, address=address, text=text))

    def closed(self, session: str, participant: str, reason: str) -> None:
        """A session ended."""
        self._dispatcher.session_closed(r.SessionClosed(participant=participant, session=session, reason=reason))

    def request(self, session: str, participant: str, terminal: str, frame: link.RequestReceived) -> None:
        """A business request came."""
        request = frame.frame
        self._dispatcher.offer(
            e.RequestArrived(
                session,
                participant,
                terminal,
                request.sequence,
                request.template,
                request.message_type,
                request.raw.decode("ascii", "replace"),
                request.body,
            )
        )

    def frame_refused(
        self, session: str, participant: str, address: str, code: str, text: str, raw: bytes, size: int
    ) -> None:
        """Bytes were no frame, or a frame was not legal."""
        self._dispatcher.note(
            r.FrameRefused(
                participant=participant, session=session, address=address, code=code, text=text, raw=raw, size=size
            )
        )

    def freed(self, participant: str) -> None:
        """A session may be given deliveries again."""
        self._dispatcher.session_freed(participant)

    def answer_written(self, token: str) -> None:
        """A copy of an answer was given to the socket."""
        self._dispatcher.answer_written(token)

    def answers_left(self, session: str, tokens: Sequence[str]) -> None:
        """These answers are known to have left."""
        self._dispatcher.answers_left(session, tokens)

    def acknowledged(self, participant: str, token: str) -> None:
        """A delivery was acknowledged."""
        self._dispatcher.delivery_acknowledged(token, participant)
