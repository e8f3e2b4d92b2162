"""The SMTP side of the mailbox: a real server that hands every mail to one function."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, cast
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST_MAIL = 25 * 1024 * 1024  # what the large providers accept
START_WITHIN_S = 10.0
STOP_WITHIN_S = 10.0  # the longest delivery is a parse of 25 MiB; planned faults are woken before

# Takes sender, recipients and the raw mail; returns the reply, or None to hang up without one.
Deliver = Callable[[str, tuple[str, ...], bytes], str | None]


class SmtpServer:
    """Listens on loopback from a thread of its own between `start` and `stop`; port 0 takes a free one."""

    def __init__(self, deliver: Deliver, port: int, host: str = "127.0.0.1") -> None:
        self._handler = _Handler(deliver)
        self._host, self.port = host, port
        self._loop = asyncio.new_event_loop()
        self._sessions: WeakSet[SMTP] = WeakSet()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        """Begin to listen; raises OSError when the port is taken."""
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(START_WITHIN_S)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Hang up on everybody and end the thread; waits for deliveries that are under way."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(STOP_WITHIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._session, self._host, self.port)

    def _session(self) -> SMTP:
        session = SMTP(
            self._handler,
            hostname="mailbox.localhost",
            ident="local mailbox",
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            loop=self._loop,
        )
        self._sessions.add(session)
        return session

    async def _hang_up(self) -> None:
        """Close what a stopped loop would leave open: callers would wait for an answer for ever."""
        self._server.close()
        for session in list(self._sessions):
            _abort(session)
        await self._loop.shutdown_default_executor()


class _Handler:
    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    async def handle_DATA(  # noqa: N802 (the name aiosmtpd calls)
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Deliver from a thread: a planned fault may sleep, and other mails must not wait for it."""
        recipients = tuple(str(address) for address in envelope.rcpt_tos)
        raw: Any = envelope.original_content or b""
        reply = await asyncio.to_thread(self._deliver, envelope.mail_from or "", recipients, raw)
        if reply is None:
            _abort(server)
        return reply or "421 hanging up"


def _abort(session: SMTP) -> None:
    if session.transport is not None:
        cast("asyncio.WriteTransport", session.transport).abort()
