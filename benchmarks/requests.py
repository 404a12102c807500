"""What a small request costs the client: the product's transport beside the HTTP library it stands on.

The server is a process of its own and answers every request with the same few bytes; only this process's CPU counts.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx

from providers.base import Connection
from providers.http.auth import Tokens
from providers.http.transport import Call, Transport

ROUNDS, REQUESTS, WORKERS = 30, 50, 4
_BODY = json.dumps({"data": [{"id": n, "amount": "12.50", "due": "2026-06-30"} for n in range(4)]}).encode()
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Tue, 30 Jun 2026 12:00:00 GMT\r\n"
    b"X-Request-Id: 5d1f\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "bench", "Authorization": "Bearer t"}


def bench() -> list[tuple[str, str]]:
    """Return lines of the table: milliseconds of CPU a request, and the ratio to `HTTPTransport` taken round by round."""
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.requests"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout
        base = f"http://127.0.0.1:{int(child.stdout.readline())}"
        return _measured(base)
    finally:
        assert child.stdin
        child.stdin.close()
        child.wait(30)


def _measured(base: str) -> list[tuple[str, str]]:
    tokens = Tokens("bench", first="a-static-token", obtain=None, monotonic=time.monotonic)
    connection = Connection(base_url=base, workers=WORKERS)
    transport = Transport("bench", connection, clock=lambda: datetime.now(UTC), tokens=tokens, rate=None)
    with (
        httpx.HTTPTransport(trust_env=False) as bare,
        httpx.Client(headers=_HEADERS, trust_env=False) as client,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        prepared = client.build_request("GET", f"{base}/plan", params={"customerToken": "c-17", "page": "1"})

        def direct(_number: int) -> None:
            response = bare.handle_request(prepared)
            response.read()
            response.close()

        def usual(number: int) -> None:
            client.get(f"{base}/plan", params={"customerToken": f"c-{number}", "page": "1"})

        def product(number: int) -> None:
            call = Call("GET", "/plan", "/plan", (("customerToken", f"c-{number}"), ("page", "1")))
            transport.read(call, lambda reply: reply.body)

        ways = {"httpx.HTTPTransport, one request made once": direct, "httpx.Client.get": usual, "planrecon": product}
        spent: dict[tuple[str, int], list[float]] = {(name, flight): [] for flight in (1, WORKERS) for name in ways}
        for _ in range(ROUNDS + 1):
            for (name, flight), figures in spent.items():
                each: Callable[..., object] = pool.map if flight > 1 else map
                started = time.process_time()
                list(each(ways[name], range(REQUESTS)))  # type: ignore[call-overload]  # map and pool.map are one here
                figures.append((time.process_time() - started) * 1000 / REQUESTS)
    transport.close()
    lines = []
    for (name, flight), figures in spent.items():
        yardstick = spent[next(iter(ways)), flight]
        ratio = statistics.median(mine / theirs for mine, theirs in zip(figures[1:], yardstick[1:], strict=True))
        lines.append((f"{name}, {flight} in flight", f"{statistics.median(figures[1:]):6.2f} CPU ms   {ratio:.2f} x"))
    return lines


class _Canned(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            self.transport.write(_ANSWER)  # type: ignore[attr-defined]  # of a socket: it can write


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
