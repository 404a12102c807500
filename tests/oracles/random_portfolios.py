"""Random portfolios as rows of the core model, and the same rows as plain facts of the slow answer."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st
from oracles import model

START = date(2025, 1, 1)
Row = dict[str, Any]


# --- the rows as facts of the slow answer ---------------------------------------------------


def facts_of(case, links: list[tuple[int, int]]) -> model.Facts:
    """Return the same portfolio in the words of the slow answer; plans, payments and accounts go by their numbers."""
    plans = {
        row["plan_no"]: as_plan(row, {account for plan, account in links if plan == row["plan_no"]})
        for row in case.plans.to_dicts()
    }
    for row in case.terms.to_dicts():
        plans[row["plan_no"]].terms.append(as_term(row))
    return model.Facts(list(plans.values()), [as_payment(row) for row in case.payments.to_dicts()])


def as_plan(row: Row, linked: set[int]) -> model.Plan:
    return model.Plan(
        **{name: row[name] for name in ("provider", "currency", "basis", "created_at")},
        **{name: row[f"{name}_on"] for name in STAMPS},
        tenant=row["tenant_id"], plan_id=str(row["plan_no"]), account_ids=sorted(map(str, linked | {row["account_no"]})),
        active=row["is_active"], ended_at=row["inactive_at"],
    )  # fmt: skip


STAMPS = ("created", "updated", "proposed", "approved", "rejected", "deactivated", "ended", "deleted", "removed")


def as_term(row: Row) -> model.Term:
    return model.Term(
        term_id=row["term_id"], due=row["due_date"], amount=row["amount_minor"], sequence=row["term_sequence"],
        owed=row["provider_outstanding_minor"], paid_on=row["provider_paid_on"], updated=row["updated_on"],
        linked=payment_id(row["linked_payment_no"]), removed=row["removed_on"],
    )  # fmt: skip


def as_payment(row: Row) -> model.Payment:
    """Where a return has no amount, all of a payment went back that was returned, and nothing of a part refund."""
    back = row["amount_minor"] if row["class"] == "reversed" else 0
    return model.Payment(
        **{name: row[name] for name in ("provider", "currency", "effective_at", "reversed_on", "is_money")},
        **{name: row[f"{name}_on"] for name in ("created", "planned", "told", "removed")},
        tenant=row["tenant_id"], payment_id=str(payment_id(row["payment_no"])), account_id=str(row["account_no"]),
        amount=row["amount_minor"], effective=row["effective_date"], word=row["class"], status=None,
        reversed_amount=back if row["reversed_amount_minor"] is None else row["reversed_amount_minor"],
        is_transaction=row["provider"] == PROVIDER_OF["PAYMENTS"] or row["payment_id"].startswith("psp:"),
    )  # fmt: skip


def payment_id(number: int | None) -> str | None:
    return None if number is None else f"{number:03}"


# --- random portfolios --------------------------------------------------------------------

PROVIDER_OF = {"PAYMENTS": "p", "PROVIDER_BALANCE": "q"}
OFFSET = st.integers(0, 40)
MAYBE = st.one_of(st.none(), OFFSET)
RARELY = st.one_of(st.none(), st.none(), st.none(), OFFSET)


def day_at(offset: int | None) -> date | None:
    return None if offset is None else START + timedelta(days=offset)


def hour_of(day: date | None, hour: int | None) -> datetime | None:
    return None if day is None or hour is None else datetime.combine(day, time(hour), UTC)


HOUR = st.sampled_from([None, 9, 15, 20])
Drawn = dict[str, list[Any]]


@st.composite
def customers(draw) -> Drawn:
    """One to three plans on three accounts, and the payments on them."""
    basis = draw(st.sampled_from(["PAYMENTS", "PAYMENTS", "PROVIDER_BALANCE"]))
    plans = [draw(a_plan(number, basis)) for number in range(draw(st.integers(1, 3)))]
    terms = [row for plan in plans for row in draw(terms_of(plan["plan_no"]))]
    payments = [draw(a_payment(number, PROVIDER_OF[basis])) for number in range(draw(st.integers(0, 6)))]
    links = draw(st.lists(st.tuples(st.integers(0, len(plans) - 1), st.integers(0, 2)), max_size=2, unique=True))
    return {"plans": plans, "terms": terms, "payments": payments, "links": links}


def together(drawn: list[Drawn]) -> Drawn:
    """Many customers side by side: a computation costs the same for one as for eight."""
    found: Drawn = {"plans": [], "terms": [], "payments": [], "links": []}
    for place_of, one in enumerate(drawn):
        shift = 10 * place_of
        for name in ("plans", "terms", "payments"):
            found[name].extend(shifted(row, shift) for row in one[name])
        found["links"].extend((plan + shift, account + shift) for plan, account in one["links"])
    return found


def shifted(row: Row, by: int) -> Row:
    numbers = ("plan_no", "account_no", "payment_no", "linked_payment_no")
    moved = {name: row[name] + by for name in numbers if row.get(name) is not None}
    if "payment_id" in row:
        moved["payment_id"] = row["payment_id"] + f"-{by}"
    return row | moved


def portfolios():
    return st.lists(customers(), min_size=1, max_size=5).map(together)


@st.composite
def a_plan(draw, number: int, basis: str) -> Row:
    stamps: Row = dict.fromkeys(("proposed_on", "approved_on", "rejected_on", "deactivated_on", "ended_on"))
    if basis == "PAYMENTS":
        active = draw(st.booleans())
        stamps["ended_on"] = None if active else day_at(draw(OFFSET))
    else:
        active = draw(st.sampled_from([True, False, None]))
        for name in ("proposed_on", "approved_on"):
            stamps[name] = day_at(draw(MAYBE))
        for name in ("rejected_on", "deactivated_on"):
            stamps[name] = day_at(draw(RARELY))
    rare = {name: day_at(draw(RARELY)) for name in ("deleted_on", "removed_on")}
    created = day_at(draw(st.integers(0, 15)))
    stamps |= {"created_at": hour_of(created, draw(HOUR)), "inactive_at": hour_of(stamps["ended_on"], draw(HOUR))}
    return {
        "plan_no": number, "account_no": draw(st.integers(0, 2)), "basis": basis, "is_active": active,
        "provider": PROVIDER_OF[basis],
        "created_on": created, "updated_on": day_at(draw(OFFSET)), **stamps, **rare,
    }  # fmt: skip


@st.composite
def terms_of(draw, plan_no: int) -> list[Row]:
    rows = []
    for number in range(draw(st.integers(0, 5))):
        amount = draw(st.integers(0, 8)) * draw(st.sampled_from([1, 25]))
        rows.append(
            {
                "plan_no": plan_no, "term_id": f"{plan_no}-{number}", "due_date": day_at(draw(OFFSET)),
                "term_sequence": draw(st.sampled_from([0, 1])), "amount_minor": amount,
                "removed_on": day_at(draw(RARELY)),
                "linked_payment_no": draw(st.one_of(st.none(), st.integers(0, 5))),
                "provider_outstanding_minor": draw(st.integers(0, amount)), "provider_paid_on": day_at(draw(MAYBE)),
                "updated_on": day_at(draw(OFFSET)),
            }
        )  # fmt: skip
    return rows


CLASSES = ["received"] * 4 + ["reversed"] * 4 + ["partly_reversed"] * 2 + ["pending"] * 2 + ["failed"]
"""Returns are drawn as often as receipts: most fall outside the plan's time or undo money that filled no term."""


@st.composite
def a_payment(draw, number: int, provider: str) -> Row:
    amount = draw(st.integers(0, 8)) * draw(st.sampled_from([1, 25]))
    word = draw(st.sampled_from(CLASSES))
    is_back = word in {"reversed", "partly_reversed"}
    effective = day_at(draw(OFFSET))
    return {
        "payment_no": number, "provider": provider, "payment_id": draw(st.sampled_from(["M", "psp:"])) + str(number),
        "account_no": draw(st.integers(0, 2)), "amount_minor": amount, "class": word,
        "currency": draw(st.sampled_from(["EUR", "EUR", "EUR", "EUR", "USD"])),
        "effective_date": effective, "effective_at": hour_of(effective, draw(HOUR)),
        "created_on": day_at(draw(OFFSET)), "planned_on": day_at(draw(RARELY)), "told_on": day_at(draw(RARELY)),
        "reversed_on": day_at(draw(OFFSET)) if is_back else None,
        "reversed_amount_minor": draw(st.one_of(st.none(), st.integers(0, amount))) if is_back else None,
        "removed_on": day_at(draw(RARELY)), "is_money": draw(st.sampled_from([True, True, True, False])),
    }  # fmt: skip


TOLERANCES = ["EXACT", "CENT", "ABS:0.02", "ABS:0.30", "PCT:10", "PCT:30", "MAX:0.02,20", "MIN:0.05,30", "FFIEC90"]
CHOICES = {
    "grace_days": st.sampled_from([0, 0, 5]),
    "tolerance": st.sampled_from(TOLERANCES),
    "residual": st.sampled_from(["FILL", "SKIP"]),
    "weekend": st.just((6, 7)),
}
COUNTING = {
    "grace_mode": st.sampled_from(["NONE", "NONE", "SHIFT", "GATE"]),
    "day_basis": st.sampled_from(["CALENDAR", "CALENDAR", "BUSINESS"]),
}
