"""Expected cash, exposure and the matrix of buckets, worked out a second time from the rows of the slow answer.

Nothing here is shared with the product. Money is in major units. Plans and terms are rows of `truth`, of the as-of date
or of an earlier one; both are of what the world knows now.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
IN_FORCE = {"ACTIVE", "UNKNOWN"}
SATISFIED = {"WAIVED", "PAID_EARLY", "PAID_ON_TIME", "PAID_LATE"}


def is_in_force(plan: Row) -> bool:
    return plan["status"] in IN_FORCE and "VANISHED" not in (plan["flags"] or "").split(";")


def _group(row: Row) -> tuple[str, str, str]:
    return row["provider"], row["tenant_id"], row["currency"]


def _key(row: Row) -> tuple[str, str, str]:
    return row["provider"], row["tenant_id"], row["plan_id"]


def cash(plans: Sequence[Row], terms: Iterable[Row], as_of: date) -> dict[tuple[Any, ...], tuple[Decimal, ...]]:
    """Return scheduled, arrears and what pending money covers, by provider, tenant, currency and horizon."""
    owing = {_key(plan) for plan in plans if is_in_force(plan)}
    listed = [row for row in terms if _key(row) in owing]
    found = {}
    for group in {_group(plan) for plan in plans if is_in_force(plan)}:
        own = [row for row in listed if _group(row) == group]
        late = sum((Decimal(row["outstanding"]) for row in own if row["due_date"] < as_of.isoformat()), Decimal(0))
        for days in (0, 7, 14, 30, 60, 90):
            until = (as_of + timedelta(days)).isoformat()
            start = as_of.isoformat()
            ahead = [row for row in own if (start < row["due_date"] <= until if days else row["due_date"] == start)]
            covered = sum(min(Decimal(row["pending"]), Decimal(row["outstanding"])) for row in ahead)
            found[*group, days] = (sum(Decimal(row["outstanding"]) for row in ahead), late, covered)
    return found


def came(
    plans: Sequence[Row],
    start: Iterable[Row],
    end: Iterable[Row],
    window: tuple[date, date],
    told: Mapping[str, date],
) -> dict[tuple[str, str, str], Decimal]:
    """Return by provider, tenant and currency what came inside the window (its first day left out) for terms due in it.

    `start` and `end` are the terms as of its two ends, `told` the day on which the provider of a balance last changed the plan.
    """
    first, last = (day.isoformat() for day in window)
    of_balance = {_key(plan) for plan in plans if plan["basis"] == "PROVIDER_BALANCE"}

    def had(row: Row, day: date) -> Decimal:
        if _key(row) not in of_balance:
            return Decimal(row["received"])
        since = row["satisfied_on"] or told[row["plan_id"]].isoformat()
        return Decimal(row["received"]) if since <= day.isoformat() else Decimal(0)

    before = {(*_key(row), row["term_id"]): had(row, window[0]) for row in start}
    found: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in end:
        if first < row["due_date"] <= last:
            gained = had(row, window[1]) - before.get((*_key(row), row["term_id"]), Decimal(0))
            found[_group(row)] += max(gained, Decimal(0))
    return dict(found)


def exposure(plans: Iterable[Row]) -> dict[tuple[Any, ...], tuple[int, Decimal, Decimal]]:
    """Return number of plans, money and what the share is of, by provider, tenant, currency and metric."""
    found = {}
    owing = defaultdict(list)
    for plan in filter(is_in_force, plans):
        owing[_group(plan)].append(plan)
    for group, own in owing.items():
        whole = sum(Decimal(plan["outstanding"]) for plan in own)
        for days in (0, 30, 60, 90):
            late = [plan for plan in own if plan["days_past_due"] > days]
            found[*group, f"PAR>{days}"] = (len(late), sum(Decimal(plan["outstanding"]) for plan in late), whole)
        debtors = defaultdict(list)
        for plan in own:
            name = ("customer", plan["customer_id"]) if plan["customer_id"] else ("account", plan["account_id"])
            debtors[name].append(Decimal(plan["outstanding"]))
        largest = sorted((sum(money) for money in debtors.values()), reverse=True)[:10]
        found[*group, "LARGEST_10"] = (-1, sum(largest, Decimal(0)), whole)
    return found


def is_paid_off(plan: Row, terms: Iterable[Row]) -> bool:
    """Tell whether every term was satisfied, those that no longer count before they stopped counting."""
    if plan["status"] in {"PROPOSED", "REJECTED", "SUPERSEDED", "DELETED"}:
        return False
    counted = [row for row in terms if row["state"] not in {"VOID", "SUPERSEDED"} or plan["status"] == "DEACTIVATED"]
    return bool(counted) and all(
        row["state"] in SATISFIED or (row["state"] == "VOID" and Decimal(row["received"]) >= Decimal(row["amount"]))
        for row in counted
    )


def roll(
    before: Iterable[Row], plans: Iterable[Row], terms: Iterable[Row], from_as_of: date
) -> dict[tuple[Any, ...], tuple[int, Decimal]]:
    """Return plans and opening, by provider, tenant, currency, earlier date, bucket then and bucket now."""
    of_plan = defaultdict(list)
    for row in terms:
        of_plan[_key(row)].append(row)
    was = {_key(plan): plan for plan in before if is_in_force(plan)}
    now = {_key(plan): plan for plan in plans}
    found: dict[tuple[Any, ...], tuple[int, Decimal]] = {}

    def count(group: tuple[str, str, str], start: str, end: str, money: str) -> None:
        number, total = found.get((*group, from_as_of.isoformat(), start, end), (0, Decimal(0)))
        found[*group, from_as_of.isoformat(), start, end] = (number + 1, total + Decimal(money))

    def end_of(plan: Row) -> str:
        if is_paid_off(plan, of_plan[_key(plan)]):
            return "PAID_OFF"
        if is_in_force(plan):
            return str(plan["bucket"])
        return "VANISHED" if "VANISHED" in (plan["flags"] or "").split(";") else "CANCELLED"

    for key, plan in was.items():
        count(_group(plan), plan["bucket"], end_of(now[key]), plan["outstanding"])
    for key, plan in now.items():
        if is_in_force(plan) and key not in was:
            count(_group(plan), "NEW", end_of(plan), plan["outstanding"])
    return found


def rates(matrix: Mapping[tuple[Any, ...], tuple[int, Decimal]], labels: Sequence[str]) -> dict[tuple[Any, ...], Any]:
    """Return roll and cure rate, each by count and by money, of each row of the matrix; None where there is none."""
    found = {}
    for row in {key[:5] for key in matrix}:
        cells = {key[5]: value for key, value in matrix.items() if key[:5] == row}
        worse = set(labels[labels.index(row[4]) + 1 :]) if row[4] in labels else set()
        found[row] = tuple(
            _share(cells, weight, chosen) if row[4] in labels else None
            for chosen in (worse.__contains__, {labels[0], "PAID_OFF"}.__contains__)
            for weight in (0, 1)
        )
    return found


def _share(cells: Mapping[str, tuple[int, Decimal]], weight: int, chosen: Callable[[str], bool]) -> Decimal | None:
    whole = sum(Decimal(value[weight]) for value in cells.values())
    part = sum(Decimal(value[weight]) for name, value in cells.items() if chosen(name))
    return part / whole if whole else None
