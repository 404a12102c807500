"""What can go wrong between a provider and its client, on purpose.

A fault is a coroutine function over one `Exchange`; the functions below build
them. `Faults.add` says which requests it befalls: the next `times` that match,
after letting `after` of them pass.

    faults.add(status(503), match="GET /v1/payments", times=2)
    faults.add(cut("chunked"), provider="totality", after=1)
"""

import json
import struct
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import parse_qs

from sandbox.exchange import Answer, Exchange
from sandbox.fault_script import Fault
from sandbox.world import World, dumps

FOREVER = 10**9

MAINTENANCE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"


def status(
    code: int, *, retry_after: str | int | None = None, body: bytes = b"", headers: dict[str, str] | None = None
) -> Fault:
    """Answer with that status, without executing; `Retry-After` may be seconds, a date or nonsense."""
    pairs = {"content-type": "application/json"} | (headers or {})
    if retry_after is not None:
        pairs["retry-after"] = str(retry_after)

    async def act(exchange: Exchange) -> None:
        await exchange.answer(made(code, body, pairs))

    return act


def executed_but(code: int, *, body: bytes = b"") -> Fault:
    """Execute the request, then answer with that status and body instead of the app's own."""

    async def act(exchange: Exchange) -> None:
        await exchange.execute()
        await exchange.answer(made(code, body, {"content-type": "application/json"}))

    return act


def executed_twice(*, last: bool = False) -> Fault:
    """Execute the request twice, as a network that repeats it does; the client reads the first answer, or the `last`."""

    async def act(exchange: Exchange) -> None:
        answers = [await exchange.execute(), await exchange.execute()]
        await exchange.answer(answers[-1] if last else answers[0])

    return act


def redirect(location: str, code: int = 302) -> Fault:
    """Send the client somewhere else."""
    return status(code, headers={"location": location})


def garbage(body: bytes = MAINTENANCE, *, content_type: str = "text/html; charset=utf-8", code: int = 200) -> Fault:
    """Answer with something that is not the provider's: a maintenance page by default."""
    return status(code, body=body, headers={"content-type": content_type})


def bomb(size: int = 1 << 30) -> Fault:
    """Answer a small gzip body that unpacks to `size` zero bytes, rounded up to whole mebibytes."""
    block, count = bytes(1 << 20), max(1, -(-size // (1 << 20)))
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(count):
        checksum = zlib.crc32(block, checksum)
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    body = head + packed * count + packer.flush() + struct.pack("<II", checksum, (count << 20) & 0xFFFFFFFF)
    return status(200, body=body, headers={"content-encoding": "gzip"})


def many_headers(count: int = 5000) -> Fault:
    """Answer with that many header lines."""
    return status(200, body=b"[]", headers={f"x-filler-{number}": "x" * 40 for number in range(count)})


def cut(how: Literal["length", "chunked", "close"] = "length", *, keep: float = 0.5) -> Fault:
    """Send only the first `keep` of the body and close.

    `length`: less than Content-Length says. `chunked`: the last chunk is
    missing. `close`: neither length nor chunks, so only the JSON shows the cut.
    """

    async def act(exchange: Exchange) -> None:
        answer = await exchange.execute()
        part = answer.body[: int(len(answer.body) * keep)]
        if how == "length":
            exchange.head(answer)
            exchange.write(part)
        elif how == "chunked":
            exchange.head(answer, "transfer-encoding: chunked", drop=("content-length",))
            exchange.write(b"%x\r\n%s\r\n" % (len(part), part))
        else:
            exchange.head(answer, "connection: close", drop=("content-length",))
            exchange.write(part)
        await exchange.close()

    return act


def cut_at(text: bytes, ending: bytes = b"") -> Fault:
    """Send the body up to the last `text` in it, then `ending`, without a length, and close.

    With an ending that closes the brackets the cut body is whole JSON again.
    """

    async def act(exchange: Exchange) -> None:
        answer = await exchange.execute()
        exchange.head(answer, "connection: close", drop=("content-length",))
        exchange.write(answer.body[: answer.body.rfind(text)] + ending)
        await exchange.close()

    return act


def drip(*, seconds: float = 0.5, size: int = 1) -> Fault:
    """Send the right answer, `size` bytes at a time with a pause between."""

    async def act(exchange: Exchange) -> None:
        answer = await exchange.execute()
        exchange.head(answer)
        for start in range(0, len(answer.body), size):
            exchange.write(answer.body[start : start + size])
            if not await exchange.wait(seconds):
                break
        await exchange.close()

    return act


def hang(seconds: float = 3600.0) -> Fault:
    """Say nothing for that long, then close."""

    async def act(exchange: Exchange) -> None:
        await exchange.wait(seconds)
        await exchange.close()

    return act


def delay(seconds: float) -> Fault:
    """Wait, then execute and answer as usual."""

    async def act(exchange: Exchange) -> None:
        await exchange.wait(seconds)
        await exchange.answer(await exchange.execute())

    return act


def drop(*, execute: bool = False) -> Fault:
    """Break the connection without an answer; with `execute` after the request took effect."""

    async def act(exchange: Exchange) -> None:
        if execute:
            await exchange.execute()
        await exchange.reset()

    return act


def late(seconds: float) -> Fault:
    """Break the connection at once and execute the request that much later."""

    async def act(exchange: Exchange) -> None:
        await exchange.reset()
        if await exchange.pause(seconds):
            await exchange.execute()

    return act


def headed(headers: dict[str, str]) -> Fault:
    """Execute and answer as usual, but with these headers: a `date` of its own, an encoding nobody asked for."""

    async def act(exchange: Exchange) -> None:
        answer = await exchange.execute()
        for name, value in headers.items():
            answer = answer.with_header(name, value)
        await exchange.answer(answer)

    return act


def before(action: Callable[[], object]) -> Fault:
    """Do something first, such as revoking every token, then execute and answer as usual."""

    async def act(exchange: Exchange) -> None:
        action()
        await exchange.answer(await exchange.execute())

    return act


def hook(change: Callable[[World], object]) -> Fault:
    """Change the world, then execute and answer as usual: rows move between two pages."""

    async def act(exchange: Exchange) -> None:
        with exchange.world.changing():
            change(exchange.world)
        await exchange.answer(await exchange.execute())

    return act


def rewrite(change: Callable[[Any], Any]) -> Fault:
    """Pass the decoded JSON answer through `change` and send what it returns; decimals stay exact."""

    async def act(exchange: Exchange) -> None:
        answer = await exchange.execute()
        changed = change(json.loads(answer.body, parse_float=Decimal))
        await exchange.answer(answer.with_body(dumps(changed).encode()))

    return act


def rewrite_bytes(change: Callable[[bytes], bytes]) -> Fault:
    """Pass the answer's body through `change`: for what no JSON value can say."""

    async def act(exchange: Exchange) -> None:
        answer = await exchange.execute()
        await exchange.answer(answer.with_body(change(answer.body)))

    return act


def bad_row(row: object, *, at: int = 0) -> Fault:
    """Put `row` among the rows of a list answer; a `Verbatim` row goes in as it stands."""

    def change(page: Any) -> Any:
        rows_of(page).insert(at, row)
        return page

    return rewrite(change)


def no_rows() -> Fault:
    """Empty the list of an answer and leave the rest, the cursor too, as it is."""

    def change(page: Any) -> Any:
        rows_of(page).clear()
        return page

    return rewrite(change)


def same_cursor() -> Fault:
    """Name as the next cursor the one the client has just used, or `stuck` on a first page."""

    async def act(exchange: Exchange) -> None:
        answer = await exchange.execute()
        page = json.loads(answer.body, parse_float=Decimal)
        used = parse_qs(exchange.recorded.query).get("cursor", ["stuck"])[0]
        page["pagination"] = {"cursor": used}
        await exchange.answer(answer.with_body(dumps(page).encode()))

    return act


def rows_of(page: Any) -> list[Any]:
    """Return the list of rows in an answer of any of the three providers."""
    rows = page if isinstance(page, list) else page.get("data", page.get("Result"))
    if not isinstance(rows, list):
        raise TypeError("the answer holds no list of rows: this fault is for list calls")
    return rows


def made(code: int, body: bytes, headers: dict[str, str]) -> Answer:
    """Return an answer made up here."""
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Answer(code, pairs, b"").with_body(body)
