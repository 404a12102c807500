"""Work at a log from a process of its own: what two people do at a time.

    python clerk.py append STATE_DIR NAME COUNT     COUNT wishes of one's own, each sent and done
    python clerk.py effect STATE_DIR FILE           the wish `shared`, once: its effect is a line in FILE
    python clerk.py hold STATE_DIR INTENT           keep an intent to oneself until a line comes in

`effect` prints what became of it; the others print a line when they are at work.
"""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from writes.errors import Underway
from writes.intents import APPROVED, DONE, SENDING, Draft
from writes.ledger import Ledger


def now():
    return datetime.now(UTC)


def say(words):
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def draft(key):
    return Draft("payt", "create", "1001", None, "50", key, "5" * 64, "create a plan at payt/1001")


def append(ledger, name, count):
    say("at work")
    for number in range(int(count)):
        at = now()
        one, is_new = ledger.plan(draft(f"{name} {number}"), f"{name} {number}".encode(), at=at, who=name, since=at)
        assert is_new
        one = ledger.move(one, SENDING, at=now(), who=name)
        one = ledger.move(one, DONE, at=now(), who=name, plan_id=f"{name}-{number}")
        ledger.read_back(one, (), at=now(), who=name)


def effect(ledger, file):
    at = now()
    one, _ = ledger.plan(draft("shared"), b"shared", at=at, who=str(os.getpid()), since=at)
    try:
        with ledger.claim(one) as mine:
            if mine.state != APPROVED:
                say(mine.state)
                return
            sending = ledger.move(mine, SENDING, at=now(), who=str(os.getpid()))
            with Path(file).open("a", encoding="ascii") as effects:
                effects.write(f"{os.getpid()}\n")
            time.sleep(0.3)
            ledger.move(sending, DONE, at=now(), who=str(os.getpid()), plan_id="7")
    except Underway:
        say("underway")
    else:
        say("sent")


def hold(ledger, name):
    with ledger.claim(ledger.get(name)):
        say("at work")
        sys.stdin.readline()


if __name__ == "__main__":
    work, state_dir, *rest = sys.argv[1:]
    {"append": append, "effect": effect, "hold": hold}[work](Ledger(Path(state_dir)), *rest)
