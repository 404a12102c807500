"""One Payt administration of any size, its pages made as they are asked for, and what a run has to find in it.

`python -m benchmarks.pages 100000` prints its address as one JSON line and serves until its input ends. Every plan
follows from its number, so nothing is kept: a million plans cost the server no memory. One plan in fifty has one of
three faults; `manifest` counts rows, money and faults from the numbers alone, without a page.
"""

import contextlib
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from sandbox.credentials import CREDENTIALS
from sandbox.payt.lists import LISTINGS, only, shown
from sandbox.world import Row
from sandbox.worlds.generate_payt import Administration, stamp

AS_OF = date(2026, 6, 30)
OFFICE = Administration("1001")
FAULTS = {
    "undated": ("STATUS_CONTRADICTION", "PAID_WITHOUT_DATE"),
    "owed": ("STATUS_CONTRADICTION", "DATE_WITH_MONEY_DUE"),
    "stamps": ("STATUS_CONTRADICTION", "ACTIVE_AND_DEACTIVATED"),
}
"""What is wrong with a plan, and the code and reason of the one break that tells of it."""
LISTS = {"payment_plans": 500, "invoices": 500, "debtors": 500, "payments": 200}
"""Plans whose rows make one page of a list; no page holds more than 500 rows."""


class Numbers:
    """What follows from a plan's number: 3 to 21 monthly terms of one amount, the first one to four of them paid.

    One plan in five has missed a term. Number 57 has 3 terms (57 * 7 % 19 = 0), of which 2 are paid, and a fault.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.terms = 3 + number * 7 % 19
        self.paid = min(1 + number % 4, self.terms - 1)
        self.amount = 1_000 + number * 37 % 90_000
        self.day = 1 + number % 28
        self.due_by_now = self.paid + (number % 5 == 0)
        self.fault = list(FAULTS)[number // 50 % 3] if number % 50 == 7 else ""

    def due(self, term: int) -> date:
        """Return the due date of a term, from 0: the last that is due by now is due in the month of `AS_OF`."""
        month = AS_OF.year * 12 + AS_OF.month - self.due_by_now + term
        return date(month // 12, month % 12 + 1, self.day)

    def id(self, kind: int, place: int = 0) -> str:
        """Return the id of a row of this plan; kinds have a leading digit each."""
        return f"{kind}{self.number:07d}{place:02d}"

    def payment_plan(self) -> Row:
        """Return the plan with its terms."""
        created = self.due(0) - timedelta(days=20)
        terms = [
            OFFICE.term(
                self.id(5, term),
                self.amount,
                0 if term < self.paid else self.amount,
                self.due(term),
                self.due(term) if term < self.paid else None,
            )
            for term in range(self.terms)
        ]
        last = self.due(self.paid - 1)
        changed: Row = {"updated_at": stamp(last)}
        if self.fault == "undated":
            terms[self.paid - 1]["payment_date"] = None
        elif self.fault == "owed":
            terms[-1]["payment_date"] = last.isoformat()
        elif self.fault == "stamps":
            changed["deactivated_at"] = stamp(last)
        return OFFICE.plan(self.id(1), self.id(2), terms, created, **changed)

    def invoice(self) -> Row:
        """Return the invoice the plan covers."""
        total, issued = self.terms * self.amount, self.due(0) - timedelta(days=65)
        return OFFICE.invoice(
            self.id(3),
            self.id(2),
            total,
            total - self.paid * self.amount,
            issued,
            updated_at=stamp(self.due(self.paid - 1)),
            active_payment_plan_id=self.id(1),
        )

    def rows(self, kind: str) -> list[Row]:
        """Return the plan's rows of one list."""
        if kind == "payment_plans":
            return [self.payment_plan()]
        if kind == "invoices":
            return [self.invoice()]
        if kind == "debtors":
            return [OFFICE.debtor(self.id(2), self.due(0) - timedelta(days=20))]
        return [OFFICE.payment(self.id(4, k), self.id(3), self.amount, self.due(k)) for k in range(self.paid)]


def manifest(plans: int) -> dict[str, Any]:
    """Return rows of plans, terms and payments, their money in minor units, and the breaks, by `CODE REASON`."""
    counted: Counter[str] = Counter()
    breaks: Counter[str] = Counter()
    for number in range(plans):
        plan = Numbers(number)
        counted["terms"] += plan.terms
        counted["payments"] += plan.paid
        counted["promised"] += plan.terms * plan.amount
        counted["received"] += plan.paid * plan.amount
        if plan.fault:
            breaks[" ".join(FAULTS[plan.fault])] += 1
    return {"plans": plans, **counted, "breaks": dict(breaks)}


def page(kind: str, start: int, plans: int, fields: str | None = None) -> bytes:
    """Return the page of a list whose first plan is `start`, of each row the fields asked for."""
    end = min(plans, start + LISTS[kind])
    listing, wanted = LISTINGS[kind], only(fields)
    rows = [shown(row, listing, wanted) for number in range(start, end) for row in Numbers(number).rows(kind)]
    answer: Row = {"data": rows}
    if end < plans:
        answer["pagination"] = {"cursor": str(end)}
    return msgspec.json.encode(answer)


class _Desk(BaseHTTPRequestHandler):
    """Answers the token call, the list of administrations and the lists; what changed since a moment is nothing."""

    protocol_version = "HTTP/1.1"
    plans = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer(b'{"access_token": "benchmark", "token_type": "Bearer", "expires_in": 7200}')

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        asked, kind = dict(parse_qsl(where.query)), where.path.removeprefix("/v1/")
        if kind == "administrations":
            self._answer(msgspec.json.encode({"data": [OFFICE.row("Administration")]}))
        elif kind in LISTS and "updated_after" not in asked:
            self._answer(page(kind, int(asked.get("cursor", 0)), self.plans, asked.get("fields")))
        else:
            self._answer(b'{"data": []}')

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002  the clock stands still
        return f"{AS_OF:%a, %d %b %Y} 20:00:00 GMT"

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(plans: int) -> Iterator[str]:
    """Serve so many plans in a process of its own while the block runs; yield the address."""
    command = [sys.executable, "-m", "benchmarks.pages", str(plans)]
    root, pipe = Path(__file__).resolve().parents[1], subprocess.PIPE
    with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout and child.stdin
        try:
            yield str(json.loads(child.stdout.readline()))
        finally:
            child.stdin.close()  # ends it


def configuration(url: str, folder: Path) -> str:
    """Return a `planrecon.toml` for the administration at that address, everything kept below `folder`."""
    here, known = folder.as_posix(), CREDENTIALS["payt"]
    return (
        f'[warehouse]\npath = "{here}/planrecon.duckdb"\nstate_dir = "{here}/state"\n[reports]\ndir = "{here}/reports"\n'
        f'[providers.payt]\nbase_url = "{url}"\nclient_id = "{known["client_id"]}"\n'
        f'client_secret = "{known["client_secret"]}"\nrequests_per_second = 100000\n'
    )


def main(plans: int) -> None:
    """Serve until the input ends."""
    _Desk.plans = plans
    with ThreadingHTTPServer(("127.0.0.1", 0), _Desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps(f"http://127.0.0.1:{server.server_port}"), flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
