"""Days in the life of a portfolio: what happens at the providers from one day to the next, drawn from a seed.

Plans are made, paid in time and late, from today and dated back; payments are returned, plans replaced, deleted and
moved. Each provider shows its rows as it would: a new stamp wherever something changed.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from oracles.model import Facts, Options
from oracles.read import read

from sandbox.world import Row, World
from sandbox.worlds import generate_payiq, generate_totality
from sandbox.worlds.generate import generate
from sandbox.worlds.generate_habits import split, uuid
from sandbox.worlds.generate_payt import stamp

FIRST = date(2026, 5, 4)
"""A Monday; the portfolio is as old as its plans by then."""
CLOSE = 21
"""Hour (UTC) at which each day is looked at: the same date in Amsterdam and in New York."""


@dataclass
class Month:
    """A portfolio whose days pass one by one.

    `told` names what happened on each day, `gone_terms` and `gone_plans` hold what the providers no longer show, each
    with the day it went.
    """

    seed: int = 3
    plans: int = 30
    day: date = FIRST
    told: list[str] = field(default_factory=list)
    gone_terms: list[tuple[Row, date]] = field(default_factory=list)
    gone_plans: list[tuple[Row, date]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world: World = generate(seed=self.seed, plans=self.plans, as_of=self.day)
        self.draw = random.Random(f"month {self.seed}")
        self._ticks = 0
        self._set_clock()

    @property
    def moment(self) -> datetime:
        """The moment at which the day is looked at."""
        return datetime(self.day.year, self.day.month, self.day.day, CLOSE, tzinfo=UTC)

    def tick(self) -> datetime:
        """Return the moment, a millisecond later on each call: no two runs begin at one."""
        self._ticks += 1
        return self.moment + timedelta(milliseconds=self._ticks)

    def _set_clock(self) -> None:
        self.world.clock = f"{self.moment:%Y-%m-%dT%H:%M:%SZ}"

    def pass_day(self) -> None:
        """Let one day pass, with money on every day and one of the other events on most."""
        others: tuple[Callable[[], None], ...] = (
            self._is_made, self._is_returned, self._is_dated_back, self._is_replaced, self._is_moved, self._is_deleted,
        )  # fmt: skip
        with self.world.changing():
            self.day += timedelta(days=1)
            self._set_clock()
            self._payt_pays()
            self._totality_pays()
            self._payiq_pays()
            number = (self.day - FIRST).days
            if number % 7 != 0:
                others[number % len(others)]()

    def facts(self, options: Options) -> Facts:
        """Return what was ever told, in the words of the slow answer: also what the providers no longer show."""
        whole = World.from_json(self.world.to_json())
        whole.totality.scheduled_payments += [row for row, _ in self.gone_terms]
        whole.payt.payment_plans += [row for row, _ in self.gone_plans]
        facts = read(whole, options)
        removed = {row["uuid"]: day for row, day in self.gone_terms}
        deleted = {row["id"]: day for row, day in self.gone_plans}
        for plan in facts.plans:
            plan.terms = [replace(term, removed=removed.get(term.term_id)) for term in plan.terms]
            if plan.provider == "payt":
                plan.deleted = deleted.get(plan.plan_id)
        return facts

    def _some(self, rows: list[Row], most: int) -> list[Row]:
        return self.draw.sample(rows, min(len(rows), self.draw.randint(0, most)))

    def _payt_pays(self) -> None:
        owing = [
            row
            for row in self.world.payt.payment_plans
            if row["active"] and any(Decimal(term["amount_due"]) > 0 for term in row["payment_terms"])
        ]
        for plan in self._some(owing, 3):
            term = next(term for term in plan["payment_terms"] if Decimal(term["amount_due"]) > 0)
            places = len(term["amount_due"].partition(".")[2])
            zero = f"{0:.{places}f}"
            term |= {"amount_due": zero, "payment_date": self.day.isoformat()}
            plan["updated_at"] = stamp(self.day)
            self.told.append(f"payt {plan['id']} pays")

    def _open_terms(self) -> list[Row]:
        active = {row["uuid"] for row in self.world.totality.payment_plans if row["isActive"]}
        return [
            term
            for term in self.world.totality.scheduled_payments
            if term["paymentPlanUuid"] in active and term["paymentUuid"] is None
        ]

    def _totality_pays(self) -> None:
        near = [
            term
            for term in self._open_terms()
            if date.fromisoformat(term["paymentDate"]) < self.day + timedelta(days=5)
        ]
        for term in self._some(near, 3):
            paid = generate_totality.payment(uuid(self.draw), term["loanUuid"], term["amount"], self.day)
            self.world.totality.payments.append(paid)
            self.told.append(f"totality {term['paymentPlanUuid']} pays")

    def _payiq_pays(self) -> None:
        for key in self.draw.sample(sorted(self.world.payiq.setups), 1):
            number = 900_000 + 10 * (self.day - FIRST).days
            row = generate_payiq.payment(number, key, self.draw.choice((5000, 7500, 12_000)), self.day)
            self.world.payiq.payments.setdefault(key, []).append(row)
            self.world.payiq.setups[key]["Accounts"][0]["UpdateDate"] = f"{self.day}T12:00:00Z"
            self.told.append(f"payiq {key[1]} pays")

    def _is_made(self) -> None:
        plan = generate_totality.add_plan(self.world, self.day, self.day, self.draw)
        self.world.totality.loans[-1]["updatedAt"] = stamp(self.day)
        self.told.append(f"totality {plan['uuid']} is made")

    def _is_returned(self) -> None:
        since = stamp(self.day - timedelta(days=20))
        fresh = [
            row
            for row in self.world.totality.payments
            if row["status"] == "Completed" and since <= row["processedAt"] < stamp(self.day)
        ]
        for row in self._some(fresh, 2) or fresh[:1]:
            row |= {"status": "Returned", "returnedAt": stamp(self.day), "updatedAt": stamp(self.day)}
            self.told.append(f"totality payment {row['uuid']} is returned")

    def _is_dated_back(self) -> None:
        for term in self._open_terms()[:1]:
            day = self.day - timedelta(days=6)
            late = {"createdAt": stamp(self.day), "updatedAt": stamp(self.day)}
            row = generate_totality.payment(uuid(self.draw), term["loanUuid"], term["amount"], day, **late)
            self.world.totality.payments.append(row)
            self.told.append(f"totality payment {row['uuid']} is dated back")

    def _is_replaced(self) -> None:
        for term in self._open_terms()[-1:]:
            old = next(row for row in self.world.totality.payment_plans if row["uuid"] == term["paymentPlanUuid"])
            old |= {"isActive": False, "updatedAt": stamp(self.day)}
            rows = self.world.totality.scheduled_payments
            gone = [row for row in rows if row["paymentPlanUuid"] == old["uuid"] and row["paymentUuid"] is None]
            self.gone_terms += [(row, self.day) for row in gone]
            rows[:] = [row for row in rows if row not in gone]
            first, amount = self.day + timedelta(days=10), 30_000
            new = generate_totality.plan(
                uuid(self.draw), old["loanUuid"], first, self.day, numberOfPayments=3, totalPlanAmount=amount,
                isPartialPaymentPlan=True, paymentFrequency="weekly",
            )  # fmt: skip
            self.world.totality.payment_plans.append(new)
            for number, part in enumerate(split(amount, 3)):
                due = first + timedelta(days=7 * number)
                rows.append(generate_totality.scheduled(uuid(self.draw), new, part, due))
            self.told.append(f"totality {old['uuid']} is replaced")

    def _is_moved(self) -> None:
        plans = [row for row in self.world.payt.payment_plans if row["active"] and len(row["payment_terms"]) > 1]
        for plan in self.draw.sample(plans, 1):
            last = plan["payment_terms"][-1]
            last["due_date"] = (date.fromisoformat(last["due_date"]) + timedelta(days=9)).isoformat()
            plan["updated_at"] = stamp(self.day)
            self.told.append(f"payt {plan['id']} is moved")

    def _is_deleted(self) -> None:
        # What changed on the day it was deleted was never shown.
        shown = stamp(self.day - timedelta(days=1))
        plans = [row for row in self.world.payt.payment_plans if row["active"] and row["updated_at"] <= shown]
        for plan in self.draw.sample(plans, 1):
            self.world.payt.payment_plans.remove(plan)
            self.gone_plans.append((plan, self.day))
            gone = {"id": plan["id"], "administration_id": plan["administration_id"], "deleted_at": stamp(self.day)}
            self.world.payt.deleted["payment_plans"].append(gone)
            self.told.append(f"payt {plan['id']} is deleted")
