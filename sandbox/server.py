"""The three sandboxed providers, running: one uvicorn server each, on 127.0.0.1.

with serve(world) as sandbox:
    httpx.get(sandbox.urls["payt"] + "/v1/administrations", headers=…)
"""

import asyncio
import csv
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.assumed import Assumed
from sandbox.credentials import CREDENTIALS
from sandbox.exchange import TICK_SECONDS, App, Front, Recorded
from sandbox.fault_script import Faults
from sandbox.payiq import app as payiq
from sandbox.payt import app as payt
from sandbox.payt.desk import Limits
from sandbox.site import Site
from sandbox.tokens import Tokens
from sandbox.totality import app as totality
from sandbox.world import PROVIDERS, World

BASES = {"payt": "", "totality": "/api", "payiq": "/PayIQ/"}
START_SECONDS = 10.0


@dataclass(slots=True)
class Sandbox:
    """A running sandbox: where it is, what it holds, what it has been asked, what shall go wrong.

    `requests` grows with every request, per provider and in order of arrival.
    `payt` holds Payt's documented limits, `assumed` what no page shows.
    """

    world: World = field(repr=False)
    faults: Faults = field(repr=False)
    assumed: Assumed
    payt: Limits
    urls: dict[str, str]
    tokens: dict[str, Tokens] = field(repr=False)
    requests: dict[str, list[Recorded]] = field(repr=False)
    credentials: dict[str, dict[str, str]] = field(default_factory=lambda: CREDENTIALS, repr=False)

    def accounts_file(self, path: Path) -> Path:
        """Write the PayIQ accounts as the CSV a client is configured with, and return its path."""
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["CustomerToken", "ReferenceNumber", "OtherData"])
            writer.writerows(self.world.payiq.setups)
        return path

    def forget(self) -> None:
        """Empty the record of requests."""
        for recorded in self.requests.values():
            recorded.clear()


@contextmanager
def serve(
    world: World,
    ports: tuple[int, int, int] = (0, 0, 0),
    faults: Faults | None = None,
    *,
    assumed: Assumed | None = None,
    rate_limit: int | None = 10,
) -> Iterator[Sandbox]:
    """Serve `world` until the block ends; ports are Payt's, Totality's and PayIQ's, 0 for a free one.

    `rate_limit` is Payt's, per second and token; None lifts it.
    """
    site = Site(world, assumed or Assumed())
    limits = Limits(per_second=rate_limit)
    script = faults or Faults()
    requests: dict[str, list[Recorded]] = {name: [] for name in PROVIDERS}
    tokens = {name: Tokens(f"sandbox-{name}-token", CREDENTIALS[name].get("token")) for name in PROVIDERS}
    apps: dict[str, App] = {
        "payt": payt.app(site, tokens["payt"], limits),
        "totality": totality.app(site, tokens["totality"]),
        "payiq": payiq.app(site, tokens["payiq"]),
    }
    servers: list[_Server] = []
    urls = {}
    try:
        for name, port in zip(PROVIDERS, ports, strict=True):
            stopping = threading.Event()
            front = Front(name, apps[name], world, script.take, requests[name], stopping)
            servers.append(_Server(front, port))
            urls[name] = servers[-1].origin + BASES[name]
        for server in servers:
            server.wait_until_up()
        yield Sandbox(world, script, site.assumed, limits, urls, tokens, requests)
    finally:
        for server in servers:
            server.ask_to_stop()
        for server in servers:
            server.join()


class _Server:
    """One uvicorn server in a thread of its own, listening from construction on."""

    def __init__(self, front: Front, port: int) -> None:
        self.front = front
        self.socket = _listening(port)
        self.origin = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(
            front,
            http=_protocol(front),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_keep_alive=60,
        )
        self.uvicorn = _Prompt(config)
        self.thread = threading.Thread(target=self._run, name=f"sandbox-{front.provider}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        await self.uvicorn.serve(sockets=[self.socket])

    def wait_until_up(self) -> None:
        waited = threading.Event()
        for _ in range(int(START_SECONDS / 0.005)):
            if self.uvicorn.started:
                return
            waited.wait(0.005)
        raise TimeoutError(f"the {self.front.provider} sandbox did not start within {START_SECONDS} s")

    def ask_to_stop(self) -> None:
        self.front.stopping.set()
        self.uvicorn.stop()

    def join(self) -> None:
        self.thread.join(START_SECONDS)
        self.socket.close()


class _Prompt(uvicorn.Server):
    """A uvicorn server that stops when told, not at its next tick; a tick is 100 ms, and tests start hundreds."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self.loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self.told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        await asyncio.sleep(2 * TICK_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def stop(self) -> None:
        self.should_exit = True
        if self.loop is not None and self.loop.is_running():
            self.loop.call_soon_threadsafe(self.told.set)


def _listening(port: int) -> socket.socket:
    """Return a listening loopback socket.

    The protocol is named: asyncio switches Nagle's delay off only on sockets that
    say they are TCP, and every small answer would wait 40 ms.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.close()
        raise
    listening.listen(512)
    return listening


def _protocol(front: Front) -> type[H11Protocol]:
    """Return uvicorn's protocol, which also tells `front` the transport behind each client address."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client is not None:
                front.transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client is not None:
                front.transports.pop(self.client, None)
            super().connection_lost(exc)

    return Protocol
