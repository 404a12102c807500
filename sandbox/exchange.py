"""One request and its answer, between the socket and a provider's app: recorded, and open to faults.

`Front` wraps an app. It reads the whole request, records it, asks the fault
script whether something should go wrong, and otherwise lets the app answer.
What goes wrong is for `fault_script.py` to say; what a right answer is, for the apps.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from sandbox.world import World, dumps

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

TICK_SECONDS = 0.01
CLOSE_SECONDS = 2.0


@dataclass(slots=True)
class Recorded:
    """One request as it arrived, and the status it was answered with (0: none was sent).

    `path` and `query` are as they were sent; header names are lower case.
    """

    provider: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    fault: str = ""

    @property
    def line(self) -> str:
        """Return `METHOD /path?query` with the query decoded: what fault rules are matched with."""
        return f"{self.method} {self.path}" + (f"?{unquote_plus(self.query)}" if self.query else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and whole body an app gave, not yet sent."""

    status: int
    headers: Headers
    body: bytes

    def with_header(self, name: str, value: str) -> "Answer":
        """Return the answer with that header set, replacing one of the same name."""
        kept = [pair for pair in self.headers if pair[0] != name.lower().encode()]
        return replace(self, headers=[*kept, (name.lower().encode(), value.encode("latin-1"))])

    def with_body(self, body: bytes) -> "Answer":
        """Return the answer with that body and a length that fits it."""
        return replace(self, body=body).with_header("content-length", str(len(body)))


def reply(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response; decimals keep their digits."""
    return Response(dumps(value), status, headers, media_type="application/json")


@dataclass(slots=True)
class Exchange:
    """One request in a fault's hands: it may let the app execute, and it must answer or close."""

    app: App
    scope: Message
    recorded: Recorded
    world: World
    send: Send
    transport: asyncio.Transport | None
    is_lost: Callable[[], bool]
    stopping: threading.Event

    async def execute(self) -> Answer:
        """Return what the app answers; whatever it changes in the world has then happened."""
        parts: list[Message] = []
        pending = [{"type": "http.request", "body": self.recorded.body, "more_body": False}]

        async def receive() -> Message:
            return pending.pop() if pending else {"type": "http.disconnect"}

        async def keep(message: Message) -> None:
            parts.append(message)

        await self.app(self.scope, receive, keep)
        body = b"".join(part.get("body", b"") for part in parts[1:])
        return Answer(parts[0]["status"], list(parts[0]["headers"]), body)

    async def answer(self, answer: Answer) -> None:
        """Send a complete answer, dated by the providers' clock where it names no date of its own."""
        self.recorded.status = answer.status
        dated = answer
        if not any(name == b"date" for name, _ in answer.headers):
            dated = answer.with_header("date", format_datetime(self.world.now(), usegmt=True))
        await self.send({"type": "http.response.start", "status": answer.status, "headers": dated.headers})
        await self.send({"type": "http.response.body", "body": answer.body})

    def write(self, data: bytes) -> None:
        """Write bytes to the socket past every HTTP rule."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def head(self, answer: Answer, *extra: str, drop: tuple[str, ...] = ()) -> None:
        """Write a status line and headers by hand: the answer's without `drop`, then `extra` lines."""
        self.recorded.status = answer.status
        dropped = {name.encode() for name in drop}
        lines = [f"{name.decode()}: {value.decode('latin-1')}" for name, value in answer.headers if name not in dropped]
        date = f"date: {format_datetime(self.world.now(), usegmt=True)}"
        self.write("\r\n".join([f"HTTP/1.1 {answer.status} X", date, *lines, *extra, "", ""]).encode("latin-1"))

    async def close(self) -> None:
        """Close the connection after what was written has gone out."""
        if self.transport is not None:
            self.transport.close()
            await self.pause(CLOSE_SECONDS, self.is_lost)

    async def reset(self) -> None:
        """Break the connection at once, as a crashed server does."""
        if self.transport is not None:
            sock: socket.socket | None = self.transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
            await self.pause(CLOSE_SECONDS, self.is_lost)

    async def wait(self, seconds: float) -> bool:
        """Wait while the client stays, and tell whether it did."""
        return await self.pause(seconds, lambda: self.transport is None or self.transport.is_closing())

    async def pause(self, seconds: float, ended: Callable[[], bool] = bool) -> bool:
        """Wait, and tell whether it is still worth going on: not `ended`, and the server not stopping."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0 and not (self.stopping.is_set() or ended()):  # noqa: ASYNC110 - a socket has no event
            await asyncio.sleep(min(left, TICK_SECONDS))
        return not (self.stopping.is_set() or ended())


Script: TypeAlias = Callable[[Recorded], Callable[[Exchange], Awaitable[None]] | None]


@dataclass(slots=True)
class Front:
    """The ASGI app uvicorn runs: records every request and gives it to a fault or to the provider's app."""

    provider: str
    app: App
    world: World
    script: Script
    requests: list[Recorded]
    stopping: threading.Event
    transports: dict[tuple[str, int], asyncio.Transport] = field(default_factory=dict)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        recorded = Recorded(
            self.provider,
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            await _whole(receive),
        )
        self.requests.append(recorded)
        client = tuple(scope["client"])
        transport = self.transports.get(client)

        def is_lost() -> bool:
            return self.transports.get(client) is not transport

        exchange = Exchange(self.app, scope, recorded, self.world, send, transport, is_lost, self.stopping)
        fault = self.script(recorded)
        if fault is None:
            await exchange.answer(await exchange.execute())
        else:
            await fault(exchange)


async def _whole(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def query(request: Request, name: str) -> str | None:
    """Return a query parameter, None where it is missing or empty."""
    return request.query_params.get(name) or None
