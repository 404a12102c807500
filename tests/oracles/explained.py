"""Every figure of a plan, calculated again from a printed explanation alone, by the formulas of the glossary.

Reads the JSON of `planrecon explain` and nothing else. Day by day and term by term; slow on purpose.
"""

from calendar import monthrange
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

SETTLED = {"received", "reversed", "partly_reversed"}
ZERO = Decimal(0)
PAID = {"WAIVED", "PAID_EARLY", "PAID_ON_TIME", "PAID_LATE"}


def day(text):
    return date.fromisoformat(text) if text else None


class Told:
    """The inputs of an explanation, read."""

    def __init__(self, told):
        self.as_of = day(told["as_of"])
        self.plan = told["plan"]
        self.settings = {each["name"]: each["value"] for each in told["settings"]}
        self.grace = int(self.settings["grace_days"])
        self.terms = told["terms"]
        self.money = [each for each in told["payments"] if each["currency"] == told["currency"] and each["is_money"]]
        self.pauses = [(day(each["start"]), day(each["end"]) or date.max) for each in told["pauses"]]
        self.closed = {day(text) for text in told["closed_days"]}
        self.weekend = {int(number) for number in self.settings["weekend"].split(",") if number}
        self.differences = told["schedule_differences"]
        self.is_ours = self.plan["basis"] == "PAYMENTS"
        places = (
            -Decimal(told["figures"][[each["name"] for each in told["figures"]].index("amount")]["value"])
            .as_tuple()
            .exponent
        )
        self.unit = Decimal(1).scaleb(-places)

    def room(self, term):
        return Decimal(term["amount"]) if term["is_listed"] else ZERO

    def tolerance(self, term):
        mode, _, rest = self.settings["tolerance"].partition(":")
        payable = max(self.room(term), ZERO)
        numbers = [Decimal(each) for each in rest.split(",") if each]
        share = (payable * numbers[-1] / 100) // self.unit * self.unit if mode in {"PCT", "MAX", "MIN"} else ZERO
        fixed = numbers[0] // self.unit * self.unit if mode in {"ABS", "MAX", "MIN"} else ZERO
        return {
            "EXACT": ZERO, "CENT": self.unit, "ABS": fixed, "PCT": share, "MAX": max(fixed, share), "MIN": min(fixed, share),
        }[mode]  # fmt: skip

    def is_business(self, when):
        return when.isoweekday() not in self.weekend and when not in self.closed

    def counted(self, after, until, *, business):
        """Days in (after, until], those of pauses left out."""
        days = (after + timedelta(number) for number in range(1, (until - after).days + 1))
        return sum((not business or self.is_business(each)) and not self.is_paused(each) for each in days)

    def is_paused(self, when):
        return any(start <= when < end for start, end in self.pauses)


def usable_on(payment, when):
    """What of a settled payment terms can take at the end of a day."""
    if payment["class"] not in SETTLED or day(payment["effective_date"]) > when:
        return ZERO
    whole = Decimal(payment["amount"]) - Decimal(payment["unusable"])
    back_on = max(day(payment["reversed_on"]) or date.min, day(payment["effective_date"]))
    return whole - (min(Decimal(payment["back"]), whole) if back_on <= when else ZERO)


def received_on(told, when):
    """What each term has at the end of a day: named money first, then payment by payment the oldest term first."""
    if not told.is_ours:
        return balances_on(told, when)
    rests = [usable_on(each, when) for each in told.money]
    names = [each["name"] for each in told.money]
    return laid(told, rests, names, [told.room(term) for term in told.terms])


def laid(told, rests, names, room, closed=()):
    got = [ZERO] * len(room)
    for at, term in enumerate(told.terms):
        if term["linked_payment"] in names:
            source = names.index(term["linked_payment"])
            got[at] = min(max(rests[source], ZERO), room[at])
            rests[source] -= got[at]
    skips = told.settings["residual"] == "SKIP"
    tolerances = [told.tolerance(term) for term in told.terms]
    if not skips:
        rests = [sum(rests, ZERO)]
    for money in rests:
        rest = money
        is_open = [at not in closed and (not skips or room[at] - got[at] > tolerances[at]) for at in range(len(room))]
        for at in range(len(room)):
            if is_open[at]:
                share = max(min(rest, room[at] - got[at]), ZERO)
                got[at] += share
                rest -= share
    return got


def balances_on(told, when):
    """The same where the provider keeps the balances: what it says now, and nothing before the day a term was met."""
    found = []
    for term in told.terms:
        amount, paid_on = Decimal(term["amount"]), day(term["provider_paid_on"])
        created = day(told.plan["created_on"])
        paid_on = created if amount == 0 else paid_on
        if term["provider_outstanding"] is not None:
            stated = Decimal(term["provider_outstanding"])
        else:
            stated = ZERO if paid_on and paid_on <= told.as_of else amount
        rest = amount if (day(term["provider_paid_on"]) or date.min) > told.as_of else min(max(stated, ZERO), amount)
        is_met = term["is_owed"] and rest <= told.tolerance(term)
        version = day(term["updated_on"]) or day(told.plan["updated_on"])
        met_on = (
            (paid_on if paid_on and paid_on <= told.as_of else min(version or told.as_of, told.as_of))
            if is_met
            else None
        )
        found.append(ZERO if met_on and met_on > when else amount - rest)
    return found


def unsatisfied(told, got, at):
    term = told.terms[at]
    return term["is_owed"] and Decimal(term["amount"]) - got[at] > told.tolerance(term)


def figures(explanation):
    """Return name and value of every figure that the explanation tells, from its inputs; and what each term received."""
    told = Told(explanation)
    now, got = told.as_of, received_on(told, told.as_of)
    dues = [day(term["due_date"]) for term in told.terms]
    amounts = [Decimal(term["amount"]) for term in told.terms]
    owed = [term["is_owed"] for term in told.terms]
    left = [max(amount - paid, ZERO) for amount, paid in zip(amounts, got, strict=True)]
    waived = [ZERO if is_owed else rest for is_owed, rest in zip(owed, left, strict=True)]
    rest = [amount - paid - lost for amount, paid, lost in zip(amounts, got, waived, strict=True)]
    is_open = [unsatisfied(told, got, at) for at in range(len(dues))]
    rows = range(len(dues))

    def total(values, picked):
        return sum((values[at] for at in rows if picked(at)), ZERO)

    pending = [each for each in told.money if each["class"] == "pending" and day(each["counts_from"]) <= now]
    fresh = [each for each in pending if not each["is_stale"]]
    on_way, trusted = (sum((Decimal(each["amount"]) for each in some), ZERO) for some in (pending, fresh))
    due = total(rest, lambda at: dues[at] <= now)
    late = [at for at in rows if is_open[at] and dues[at] < now]
    ahead = [at for at in rows if is_open[at] and dues[at] >= now]
    states = [state(told, at, got, is_open[at]) for at in rows]
    next_due = dues[ahead[0]] if ahead else None
    oldest = dues[late[0]] if late else None
    settled = [each for each in told.money if each["class"] in SETTLED and day(each["effective_date"]) <= now]
    whole = sum((Decimal(each["amount"]) - Decimal(each["back"]) for each in settled), ZERO)
    received = total(amounts, lambda at: True) - total(waived, lambda at: True) - total(rest, lambda at: True)
    since, shadow = counted_from(told, got, rest, late, fresh)
    found = {
        "amount": total(amounts, lambda at: True),
        "waived": total(waived, lambda at: True),
        "received": received,
        "outstanding": total(rest, lambda at: True),
        "amount_due": due,
        "overdue": total(rest, lambda at: dues[at] < now),
        "overdue_past_grace": total(rest, lambda at: dues[at] + timedelta(told.grace) < now),
        "due_today": total(rest, lambda at: dues[at] == now),
        "not_due": total(rest, lambda at: dues[at] > now),
        "unapplied": whole - received if told.is_ours else None,
        "unapplied_since": unapplied_since(settled, whole - received) if told.is_ours else None,
        "pending": on_way,
        "fresh_pending": trusted,
        "coverage": (max(min(trusted, due), ZERO) / due).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        if due > 0
        else None,
        "terms": len(dues),
        "terms_satisfied": sum(each in PAID for each in states),
        "missed_terms": states.count("MISSED"),
        "delinquent_terms": states.count("MISSED") + states.count("PARTIAL_OVERDUE"),
        "oldest_unpaid_due_date": oldest,
        "days_past_due": days(told, since),
        "shadow_days_past_due": days(told, shadow),
        "days_past_due_business": business(told, oldest),
        "next_due_date": next_due,
        "next_due_amount": total(rest, lambda at: is_open[at] and dues[at] == next_due) if ahead else None,
    }
    found |= of_provider(told, dues)
    found["mba_months"], found["ots_months"] = months(told, late, dues)
    found["bucket"] = bucket(told, found)
    found["status"] = status(told, states)
    found["conformance"] = conformance(told)
    found |= life(told, found["status"], [*zip(rest, waived, strict=True)])
    return found, got


def unapplied_since(settled, unapplied):
    left = [each for each in settled if Decimal(each["amount"]) - Decimal(each["back"]) > Decimal(each["allocated"])]
    return min((day(each["effective_date"]) for each in left), default=None) if unapplied else None


def state(told, at, got, is_open):
    term = told.terms[at]
    due, late_by = day(term["due_date"]), (told.as_of - day(term["due_date"])).days
    if not term["is_owed"]:
        return "VOID"
    if not is_open:
        return "PAID_ON_TIME"
    if due >= told.as_of or late_by <= told.grace:
        return "WAITING"
    return "PARTIAL_OVERDUE" if got[at] > 0 else "MISSED"


def counted_from(told, got, rest, late, fresh):
    """Return the days after which days past due are counted, now and had the fresh pending money settled."""
    oldest = day(told.terms[late[0]]["due_date"]) if late else None
    skips = told.settings["residual"] == "SKIP"
    closed = [at for at in range(len(rest)) if skips and told.terms[at]["is_owed"] and not unsatisfied(told, got, at)]
    room = [ZERO if at in closed else max(each, ZERO) for at, each in enumerate(rest)]
    usable = [Decimal(each["amount"]) - Decimal(each["unusable"]) for each in fresh]
    taken = shadow_taken(told, usable, [each["name"] for each in fresh], room)
    still = [at for at in late if rest[at] - taken[at] > told.tolerance(told.terms[at])]
    oldest_then = day(told.terms[still[0]]["due_date"]) if still else None
    if told.settings["dpd_origin"] == "OLDEST_UNPAID":
        return oldest, oldest_then
    since = told.as_of
    while oldest and is_over(told, since, received_on(told, since)):
        since -= timedelta(1)
    since = since if oldest and since < told.as_of else None
    open_then = sum((rest[at] - taken[at] for at in still), ZERO)
    left_then = sum(rest, ZERO) - sum(taken, ZERO)
    return since, since if since and exceeds(told, open_then, left_then) else None


def shadow_taken(told, usable, names, room):
    """Pending money is laid over what is open as a whole, named money first, whatever the residual rule."""
    got, left = [ZERO] * len(room), list(usable)
    for at, term in enumerate(told.terms):
        if term["linked_payment"] in names and room[at] > 0:
            source = names.index(term["linked_payment"])
            got[at] = min(max(left[source], ZERO), room[at])
            left[source] -= got[at]
    money = sum(left, ZERO)
    for at, each in enumerate(room):
        share = max(min(money, each - got[at]), ZERO)
        got[at] += share
        money -= share
    return got


def is_over(told, when, got):
    owed = [at for at, term in enumerate(told.terms) if term["is_owed"]]
    open_now = {at: told.room(told.terms[at]) - got[at] for at in owed}
    late = [
        at for at in owed if day(told.terms[at]["due_date"]) < when and open_now[at] > told.tolerance(told.terms[at])
    ]
    return exceeds(told, sum((open_now[at] for at in late), ZERO), sum(open_now.values(), ZERO))


def exceeds(told, overdue, remaining):
    if told.settings["dpd_origin"] != "FIRST_MATERIAL":
        return overdue > 0
    amount = Decimal(told.settings["material_amount"]) // told.unit * told.unit
    return overdue > amount and overdue * 100 > remaining * Decimal(told.settings["material_percent"])


def days(told, since):
    if since is None:
        return 0
    counted = told.counted(since, told.as_of, business=told.settings["day_basis"] == "BUSINESS")
    mode = told.settings["grace_mode"]
    if mode == "SHIFT":
        return max(0, counted - told.grace)
    return 0 if mode == "GATE" and counted <= told.grace else counted


def business(told, oldest):
    each = (oldest + timedelta(number) for number in range(1, (told.as_of - oldest).days + 1)) if oldest else ()
    return sum(told.is_business(when) for when in each)


def months(told, late, dues):
    anchor = told.plan["anchor_day"] if told.plan["cadence"] == "MONTHLY" else None
    listed = [due for due, term in zip(dues, told.terms, strict=True) if term["is_listed"]]
    if told.plan["cadence"] == "BY_DATES" and len(listed) > 1:
        largest = max(due.day for due in listed)
        numbers = [due.year * 12 + due.month for due in listed]
        follow = all(after - before == 1 for before, after in pairwise(numbers))
        falls = all(due.day == min(largest, monthrange(due.year, due.month)[1]) for due in listed)
        anchor = largest if follow and falls else None
    if anchor is None:
        return None, None
    if not late:
        return 0, 0
    term = told.terms[late[0]]
    start = day(term["nominal_due_date"]) or dues[late[0]]
    return tuple(full_months(start, until, anchor) for until in (told.as_of + timedelta(1), told.as_of))


def full_months(start, until, anchor):
    count = 0
    while True:
        year, month = divmod(start.year * 12 + start.month + count, 12)
        when = date(year, month + 1, min(anchor, monthrange(year, month + 1)[1]))
        if when > until:
            return count
        count += 1


def bucket(told, found):
    labels, _, measure = told.settings["bucket_set"].rpartition(" of ")
    value = found[measure]
    if value is None:
        return "none"
    for label in labels.split(", "):
        first, _, last = label.rstrip("+").partition("-")
        if value >= int(first) and (label.endswith("+") or value <= int(last or first)):
            return label
    raise AssertionError(value)


def of_provider(told, dues):
    if told.is_ours:
        given = told.plan["provider_amount_due"]
        return {"provider_amount_due": None if given is None else Decimal(given)}
    stated = [Decimal(term["provider_outstanding"] or 0) if term["is_listed"] else ZERO for term in told.terms]
    due = sum((each for each, when in zip(stated, dues, strict=True) if when <= told.as_of), ZERO)
    return {"provider_amount_due": due, "provider_outstanding": sum(stated, ZERO)}


def status(told, states):
    plan = told.plan
    ends = [day(plan["deleted_on"])]
    if not plan["is_active"]:
        ends += [day(plan["deactivated_on"]), day(plan["ended_on"])]
    stages = (
        ("DELETED", plan["deleted_on"]),
        ("REJECTED", plan["rejected_on"]),
        ("SUPERSEDED", plan["replaced_by_plan_id"]),
        ("DEACTIVATED", any(end is not None for end in ends)),
        ("DELETED", plan["is_vanished"]),
        ("PROPOSED", not plan["is_approved"]),
        ("ACTIVE", plan["is_active"]),
    )
    for word, holds in stages:
        if holds:
            return word
    counted = [each for each in states if each != "VOID"]
    if counted and all(each in PAID for each in counted):
        return "FINISHED"
    owing = [term for term in told.terms if term["is_owed"]]
    later = (
        owing
        and not told.is_ours
        and all(
            term["provider_outstanding"] is not None and Decimal(term["provider_outstanding"]) <= told.tolerance(term)
            for term in owing
        )
    )
    return "ACTIVE" if later else "UNKNOWN"


def conformance(told):
    if not told.plan["judges_schedule"] or not told.plan["is_in_force"]:
        return "NOT_APPLICABLE"
    if told.plan["missing_input"] is not None:
        return "NOT_REGENERABLE"
    if told.differences:
        return "DIFFERS"
    expected = [term["expected_amount"] for term in told.terms if term["expected_due_date"]]
    return "DATES_ONLY" if None in expected else "CONFORMS"


def life(told, status, left):
    """Return the outcome and its days: the plan day by day, in which a rule that holds breaks it until nothing is overdue."""
    rules = dict(each.split(" ") for each in told.settings["broken_rules"].split("; "))
    owed = [at for at, term in enumerate(told.terms) if term["is_owed"]]
    unpaid = sum(
        (rest + (lost if term["is_listed"] else 0) for (rest, lost), term in zip(left, told.terms, strict=True)), ZERO
    )
    over = day(told.plan["closes_on"]) or date.max
    times, is_broken, late = [], False, []
    for when in changing(told):
        got = received_on(told, when)
        is_open = [unsatisfied(told, got, at) for at in range(len(told.terms))]
        due = [day(term["due_date"]) for term in told.terms]
        overdue = [at for at in owed if is_open[at] and due[at] < when]
        late = [at for at in overdue if due[at] + timedelta(told.grace) < when]
        if is_broken and not overdue:
            times[-1][1], is_broken = when, False
        if not is_broken and when <= over and breaks(told, rules, owed, late, got):
            times.append([when, None])
            is_broken = True
    cured = times[0][1] if times else None
    return {
        "outcome": outcome(told, status, owed, unpaid, (is_broken, bool(cured), bool(late))),
        "broken_at": times[0][0] if times else None,
        "cured_at": cured,
        "redefaulted_at": times[-1][0] if len(times) > 1 else None,
        "kept_so_far": kept_so_far(told, owed),
    }


def changing(told):
    days = {told.as_of}
    for term in told.terms:
        due = day(term["due_date"])
        days |= {
            due + timedelta(1),
            due + timedelta(told.grace + 1),
            day(term["satisfied_on"]),
            day(term["updated_on"]),
        }
    days.add(day(told.plan["updated_on"]))
    for payment in told.money:
        days |= {day(payment["effective_date"]), day(payment["reversed_on"])}
    return sorted(each for each in days if each and each <= told.as_of)


def breaks(told, rules, owed, late, got):
    payable = sum((Decimal(told.terms[at]["amount"]) for at in owed), ZERO)
    wanted, total, share = (int(rules[name]) for name in ("consecutive_missed", "total_late", "overdue_share_ppm"))
    run = longest = 0
    for at in owed:
        run = run + 1 if at in late else 0
        longest = max(longest, run)
    money = sum((Decimal(told.terms[at]["amount"]) - got[at] for at in late), ZERO)
    return (
        (wanted and longest >= wanted)
        or (total and len(late) >= total)
        or (share and money * 1_000_000 > payable * share)
    )


def outcome(told, status, owed, unpaid, times):
    is_broken, was_cured, is_late = times
    if status in {"PROPOSED", "REJECTED", "SUPERSEDED"}:
        return status
    if status == "DELETED":
        return "CANCELLED"
    is_done = owed and all(told.terms[at]["is_satisfied"] for at in owed)
    if is_done and not (status == "DEACTIVATED" and unpaid > 0):
        return "KEPT"
    if status == "DEACTIVATED":
        return "CANCELLED"
    if is_broken:
        return "REDEFAULT" if was_cured else "BROKEN"
    return "AT_RISK" if is_late else "CURED" if was_cured else "ON_TRACK"


def kept_so_far(told, owed):
    found = []
    for at in owed:
        term = told.terms[at]
        deadline = day(term["due_date"]) + timedelta(told.grace)
        if deadline < told.as_of and term["state"] != "WAIVED":
            version = day(term["updated_on"]) or day(told.plan["updated_on"]) or told.as_of
            met_on = day(term["satisfied_on"]) or min(version, told.as_of)
            found.append(term["is_satisfied"] and met_on <= deadline)
    return all(found) if found else None
