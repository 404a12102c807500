"""A log of changes in a folder of its own, and a person who writes into it, a second between two entries."""

from datetime import UTC, date, datetime, timedelta

import pytest

from writes.intents import APPROVED, DONE, PARKED, PLANNED, REFUSED, SENDING, UNKNOWN, AgreedTerm, Draft
from writes.ledger import Ledger

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
WHO = "anna@desk"
WAYS = {
    APPROVED: (),
    SENDING: (SENDING,),
    DONE: (SENDING, DONE),
    REFUSED: (SENDING, REFUSED),
    UNKNOWN: (SENDING, UNKNOWN),
    PARKED: (SENDING, UNKNOWN, PARKED),
}
"""How an approved intent comes into each state."""


def drafted(key="one", **changed):
    terms = (AgreedTerm(date(2026, 12, 1), 10_000), AgreedTerm(date(2027, 1, 1), 20_000))
    fields = {
        "provider": "payt",
        "operation": "create",
        "tenant_id": "1001",
        "plan_id": None,
        "owner": "50",
        "key": key,
        "request_sha256": "5" * 64,
        "summary": "create a plan at payt/1001",
        "currency": "EUR",
        "amount_minor": 30_000,
        "terms": terms,
    }
    return Draft(**fields | changed)


class Office:
    """One person at one log."""

    def __init__(self, state_dir):
        self.state_dir = state_dir
        self.ledger = Ledger(state_dir)
        self.at = NOW

    def now(self):
        self.at += timedelta(seconds=1)
        return self.at

    def plan(self, key="one", *, material=b'{"wanted":1}', again="", since=None, **changed):
        at = self.now()
        return self.ledger.plan(drafted(key, **changed), material, at=at, who=WHO, since=since or at, again=again)

    def move(self, intent, *states, **facts):
        for state in states:
            intent = self.ledger.move(intent, state, at=self.now(), who=WHO, **facts)
        return intent

    def brought(self, state, key="one"):
        """An intent in a state."""
        return self.begun(key) if state == PLANNED else self.move(self.plan(key)[0], *WAYS[state])

    def begun(self, key="one"):
        """An intent whose process ended between its first line and the one that approves it."""
        usual = Ledger._append
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                Ledger, "_append", lambda own, file, kind, facts: kind == "intent" and usual(own, file, kind, facts)
            )
            return self.plan(key)[0]

    def read_back(self, intent, *differences):
        return self.ledger.read_back(intent, differences, at=self.now(), who=WHO)

    def material_of(self, intent):
        return self.ledger.folder / f"{intent.intent_id}.json"

    def reopened(self):
        """The same log, as a later process finds it."""
        return Ledger(self.state_dir)

    def lines(self):
        return self.ledger.path.read_bytes().splitlines(keepends=True)


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path / "state")
