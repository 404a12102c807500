"""Whatever sequence of fetches came: the image says what the provider last showed, and no older image ever changes."""

import random
from datetime import date, timedelta

import polars as pl
import pytest

from sql.core import images

START = date(2026, 1, 1)


class Lender:
    """A provider in plain dicts that changes a little every day."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.plans: dict[str, dict] = {}
        self.terms: dict[str, dict] = {}
        self.serial = 0

    def live(self, day: date) -> set[str]:
        """Change something; return the ids that a fetch of changes would show."""
        changed = set()
        stamp = f"{day}T12:00:00Z"
        for _ in range(self.dice.randint(1, 3)):
            self.serial += 1
            number = f"p{self.serial}"
            self.plans[number] = {
                "uuid": number,
                "loan_uuid": f"l{self.dice.randint(1, 3)}",
                "is_active": True,
                "created_at": stamp,
                "updated_at": stamp,
            }
            changed.add(number)
            for term in range(self.dice.randint(0, 3)):
                name = f"{number}t{term}"
                due = str(day + timedelta(days=30 * term))
                self.terms[name] = {
                    "uuid": name,
                    "loan_uuid": "l1",
                    "payment_plan_uuid": number,
                    "amount": 100,
                    "payment_date": due,
                    "updated_at": stamp,
                }
                changed.add(name)
        for name in self.dice.sample(sorted(self.terms), k=len(self.terms) // 4):
            self.terms[name] = self.terms[name] | {"amount": self.dice.randint(0, 500), "updated_at": stamp}
            changed.add(name)
        for name in self.dice.sample(sorted(self.terms), k=len(self.terms) // 6):
            del self.terms[name]
            changed.discard(name)
        return changed

    def shown(self, only: set[str] | None) -> dict[str, list[dict]]:
        rows = {"payment_plans": self.plans, "scheduled_payments": self.terms}
        found = {
            name: [row for key, row in table.items() if only is None or key in only] for name, table in rows.items()
        }
        for table in found.values():
            self.dice.shuffle(table)
        return found


def image(intake, known: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    plans = images.plans(intake.con, known)
    return plans, images.terms(intake.con, known, plans["plan_no"])


@pytest.mark.parametrize("seed", range(2))
def test_images_follow_the_provider_and_older_ones_stay(intake, seed):
    lender, kept = Lender(seed), []
    for step in range(6):
        day = START + timedelta(days=step)
        changed = lender.live(day)
        is_full = step % 3 == 0 or step == 5
        report = intake.fetch("totality", lender.shown(None if is_full else changed), day=day, changes=not is_full)
        kept.append((report.load_no, image(intake, report.load_no)))
        if is_full:
            plans, terms = kept[-1][1]
            named = terms.filter(pl.col("removed_on").is_null()).join(plans.select("plan_no", "plan_id"), on="plan_no")
            expected = {
                (row["payment_plan_uuid"], row["uuid"], row["amount"], row["payment_date"])
                for row in lender.terms.values()
            }
            assert {
                (r["plan_id"], r["term_id"], r["amount_minor"], str(r["due_date"])) for r in named.iter_rows(named=True)
            } == expected
            assert set(plans.filter(pl.col("removed_on").is_null())["plan_id"]) == set(lender.plans)
    again = intake.fetch("totality", lender.shown(None), day=day)
    assert again.counts["accepted"].sum() == 0
    for load_no, (plans, terms) in kept:
        plans_now, terms_now = image(intake, load_no)
        assert plans_now.equals(plans)
        assert terms_now.equals(terms)


def test_the_order_of_rows_in_the_pages_changes_no_image(intake):
    first, second = Lender(9), Lender(9)
    second.dice = random.Random(9)
    for lender, tenant in ((first, "a"), (second, "b")):
        lender.live(START)
        rows = lender.shown(None)
        if tenant == "b":
            rows = {name: table[::-1] for name, table in rows.items()}
        intake.fetch("totality", rows, day=START, tenant=tenant)
    plans, terms = image(intake, 2)
    sides = [plans.filter(pl.col("tenant_id") == tenant) for tenant in "ab"]
    assert sides[0]["plan_id"].to_list() == sides[1]["plan_id"].to_list()
    lists = [terms.join(side.select("plan_no"), on="plan_no", how="semi").drop("plan_no") for side in sides]
    assert lists[0].equals(lists[1])
