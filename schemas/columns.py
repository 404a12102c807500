"""Every column of the core and result tables, once: type, unit, meaning.

A table (`core.py`, `results.py`) lists column names; type, nullability and
checks come from here, so one meaning has one name and one type everywhere.
Provider field names do not belong here.
"""

from dataclasses import dataclass

import polars as pl

MAX_MINOR = 10**15
"""Largest magnitude of one amount; leaves room for 9,000 such rows in an Int64 sum."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `nullable` is the default; a table may be stricter. `at_least` and
    `at_most` bound integers. `values` closes a set of words.
    """

    dtype: pl.DataType
    meaning: str
    nullable: bool = False
    at_least: int | None = None
    at_most: int | None = None
    values: tuple[str, ...] = ()


STATUSES = ("PROPOSED", "ACTIVE", "REJECTED", "DEACTIVATED", "FINISHED", "DELETED", "SUPERSEDED", "UNKNOWN")
STATES = (
    "VOID",
    "SUPERSEDED",
    "WAIVED",
    "PAID_EARLY",
    "PAID_ON_TIME",
    "PAID_LATE",
    "NOT_DUE",
    "PREPAID_PART",
    "DUE_TODAY",
    "IN_GRACE",
    "MISSED",
    "PARTIAL_OVERDUE",
)
CLASSES = (
    *("received", "pending", "failed", "void", "reversed", "partly_reversed"),
    *("written_off", "cost", "credit", "unknown"),
)
BASES = ("PAYMENTS", "PROVIDER_BALANCE")
CADENCES = ("MONTHLY", "OTHER", "BY_DATES")
SIDES = ("provider", "ours", "both")
KINDS = ("timing", "real")
SEVERITIES = ("low", "medium", "high", "critical")
BREAK_STATES = ("NEW", "ONGOING", "CHANGED", "RESOLVED", "REOPENED", "NOT_EVALUATED", "ACCEPTED")
PAIRED_BY = ("DATE_AND_AMOUNT", "DATE", "AMOUNT", "ORDINAL", "RULE", "AMBIGUOUS", "MISSING", "EXTRA")
CONFORMANCES = ("CONFORMS", "DIFFERS", "DATES_ONLY", "NOT_REGENERABLE", "NOT_APPLICABLE")


def _text(meaning: str, *, nullable: bool = False, values: tuple[str, ...] = ()) -> Column:
    return Column(pl.String(), meaning, nullable=nullable, values=values)


def _date(meaning: str, *, nullable: bool = True) -> Column:
    return Column(pl.Date(), meaning, nullable=nullable)


def _moment(meaning: str) -> Column:
    return Column(pl.Datetime("us", "UTC"), meaning, nullable=True)


def _minor(meaning: str, *, nullable: bool = False, signed: bool = False) -> Column:
    return Column(
        pl.Int64(),
        meaning + " (minor units of `currency`)",
        nullable=nullable,
        at_least=-MAX_MINOR if signed else 0,
        at_most=MAX_MINOR,
    )


def _sum(meaning: str, *, nullable: bool = False) -> Column:
    return Column(pl.Int64(), meaning + " (minor units of `currency`)", nullable=nullable)


def _count(meaning: str, *, nullable: bool = False) -> Column:
    return Column(pl.Int64(), meaning, nullable=nullable, at_least=0)


def _flag(meaning: str, *, nullable: bool = False) -> Column:
    return Column(pl.Boolean(), meaning, nullable=nullable)


TIER = pl.Struct(
    {
        "minimum_minor": pl.Int64(),
        "maximum_minor": pl.Int64(),
        "payment_count": pl.Int64(),
        "restricted_minimum_minor": pl.Int64(),
    }
)

COLUMNS: dict[str, Column] = {
    # who
    "as_of": _date("civil date whose end the run describes; facts after it do not exist", nullable=False),
    "provider": _text("short name of the provider"),
    "tenant_id": _text("administration, lender or biller the row belongs to"),
    "plan_no": _count("surrogate of the plan, from 0, stable for the life of the warehouse"),
    "plan_id": _text("the provider's plan id", nullable=True),
    "term_id": _text("the provider's term id, or the derived one", nullable=True),
    "term_no": _count("1 to n within the plan, by due date, provider sequence, term id"),
    "payment_no": _count("surrogate of a payment's share of one account"),
    "payment_id": _text("the provider's payment id; `psp:` before a payment-service transaction", nullable=True),
    "account_no": _count("surrogate of the account", nullable=True),
    "account_id": _text("loan, billing account, `invoice:<id>` or `case:<id>`", nullable=True),
    "customer_id": _text("debtor or customer, never a secret token", nullable=True),
    "currency": _text("ISO 4217 code", nullable=False),
    # plans
    "basis": _text("where the outstanding of a term comes from", values=BASES),
    "created_on": _date("day the row came into being, in the provider's zone", nullable=False),
    "created_at": _moment("moment the row came into being; empty where the provider gives a plain date"),
    "updated_on": _date("day of the provider's last change to this version, in its zone"),
    "proposed_on": _date("day the plan was proposed"),
    "approved_on": _date("day the plan was approved"),
    "rejected_on": _date("day the plan was rejected"),
    "deactivated_on": _date("day the provider says the plan was deactivated"),
    "deleted_on": _date("day the provider deleted the row"),
    "ended_on": _date("earliest day a version of the plan was inactive, where the provider gives no date itself"),
    "inactive_at": _moment("moment of `ended_on`; empty where only the day is known"),
    "removed_on": _date("day the provider no longer showed the row in a complete fetch"),
    "is_active": _flag("the provider's own word that the plan is active", nullable=True),
    "stated_total_minor": _minor("the plan's total as the provider states it", nullable=True),
    "cadence": _text("whether terms are one anchored month apart; BY_DATES: look at the due dates", values=CADENCES),
    "anchor_day": Column(
        pl.Int64(), "day of the month the plan falls due on, 31 for the last", nullable=True, at_least=1, at_most=31
    ),
    # terms
    "term_sequence": _count("the provider's own order of terms on one day", nullable=True),
    "nominal_due_date": _date("due date before any weekend or holiday shift, where known"),
    "due_date": _date("when the term is due", nullable=False),
    "amount_minor": _minor("what the row promises or moves", signed=True),
    "provider_outstanding_minor": _minor(
        "what the provider says is still owed on the term", nullable=True, signed=True
    ),
    "provider_paid_on": _date("day the provider says the term was fully paid"),
    "linked_payment_no": _count("payment that the provider ties to this term", nullable=True),
    # payments
    "effective_date": _date("receipt date of the payment", nullable=False),
    "effective_at": _moment("moment of the receipt; empty where the provider gives a plain date"),
    "planned_on": _date("day the payment is to be made on, where it was entered ahead of it"),
    "told_on": _date("day of the fetch that showed the row as it is"),
    "class": _text("what the status means for us", values=CLASSES),
    "provider_status": _text("the provider's word", nullable=True),
    "reversed_on": _date("day the money went back"),
    "reversed_at": _moment("moment the money went back; empty where only the day is known"),
    "fees_minor": _minor("part of the payment that went to fees", nullable=True),
    "reversed_amount_minor": _minor("money that went back", nullable=True),
    "is_money": _flag("false for promises, pre-notes, repeats and costs: they are listed, never counted"),
    "is_reversal_amount_known": _flag("false where the provider reversed a part and does not say how much"),
    # accounts and policies
    "kind_of_account": _text("loan, billing, invoice, case"),
    "account_status": _text("the provider's word for the account", nullable=True),
    "balance_minor": _minor("balance of the account as the provider states it", nullable=True, signed=True),
    "account_amount_due_minor": _minor(
        "amount due of the account as the provider states it", nullable=True, signed=True
    ),
    "account_total_minor": _minor("what the account was worth when it was made", nullable=True, signed=True),
    "parent_account_no": _count("credit case that the invoice is part of", nullable=True),
    "account_due_date": _date("due date of the account's current bill"),
    "is_stopped": _flag("no payment may fire on the account", nullable=True),
    "active_plan_no": _count("plan that the account names as its active one", nullable=True),
    "linked_on": _date("day the link between plan and account was first seen"),
    "allow_due_day": _flag("the plan may fire on the due day of the bill", nullable=True),
    "enforce_due_date": _flag("the plan must fire on the due day of the bill", nullable=True),
    "day_due": _count("due day of the current bill", nullable=True),
    "plan_type": _text("Fixed or Variable", nullable=True),
    "fires_on_due_day": _flag(
        "the plan falls due on the due day of the account's bill, not on a day of its own", nullable=True
    ),
    "is_partial": _flag(
        "the plan covers a part of the account's balance; null: its provider gives no rule", nullable=True
    ),
    "balance_at_creation_minor": _minor(
        "balance of the account in the version valid when the plan was created; null: that was never seen",
        nullable=True,
        signed=True,
    ),
    "default_monthly_minor": _minor("monthly payment the provider suggests", nullable=True),
    "initial_balance_minor": _minor("balance the policy was worked out from", nullable=True),
    "maximum_term": _count("most payments a plan may have", nullable=True),
    "restricted_override_minimum_minor": _minor("least amount of one payment, overriding the tiers", nullable=True),
    "tiers": Column(pl.List(TIER), "allowed payment counts by balance", nullable=True),
    # what we compute, per term
    "waived_minor": _minor("part of the amount that is no longer owed"),
    "received_minor": _sum("settled money"),
    "outstanding_minor": _sum("amount less waived less received; ours"),
    "pending_minor": _sum("initiated, not settled; never part of received"),
    "fresh_pending_minor": _sum("pending that is not stale"),
    "tolerance_minor": _minor("shortfall at which the term still counts as satisfied"),
    "is_satisfied": _flag("outstanding is within the tolerance at the as-of date"),
    "satisfied_on": _date("first day of the spell of being satisfied that still holds"),
    "days_late": _count("days from due date to satisfaction, or to the as-of date", nullable=True),
    "state": _text("one of twelve term states", values=STATES),
    "expected_due_date": _date("due date by our own regeneration"),
    "expected_amount_minor": _minor("amount by our own regeneration", nullable=True),
    "flags": _text("caveats, joined by `;`; empty when there are none"),
    # what we compute, per plan
    "status": _text("the provider's word for the plan at the as-of date", values=STATUSES),
    "is_in_force": _flag("the plan carries money at the as-of date"),
    "closes_on": _date("day the plan was over or replaced; later terms are not owed. Empty: it goes on"),
    "closes_at": _moment("moment of `closes_on`; empty where only the day is known"),
    "replaced_by_plan_no": _count("newer plan on the same account", nullable=True),
    "replaced_by_plan_id": _text("the newer plan on the same account that replaced this one", nullable=True),
    "outcome": _text("what the day-by-day replay says", nullable=True),
    "terms": _count("terms of the plan, void ones included"),
    "terms_satisfied": _count("terms satisfied at the as-of date"),
    "missed_terms": _count("terms past grace with nothing received"),
    "delinquent_terms": _count("terms past grace and not satisfied"),
    "amount_due_minor": _sum("outstanding of terms due on or before the as-of date"),
    "overdue_minor": _sum("outstanding of terms due before the as-of date"),
    "overdue_past_grace_minor": _sum("outstanding of terms whose grace ended before the as-of date"),
    "due_today_minor": _sum("outstanding of terms due on the as-of date"),
    "not_due_minor": _sum("outstanding of terms due after the as-of date"),
    "unapplied_minor": _sum("settled money beyond the last term", nullable=True),
    "coverage_ppm": _count("fresh pending over amount due, parts per million; null when nothing is due", nullable=True),
    "days_past_due": _count("by the configured options"),
    "days_past_due_business": _count("business days in (oldest unpaid, as-of]"),
    "shadow_days_past_due": _count("days past due if all fresh pending money settled today"),
    "mba_months": _count("full months past due, mortgage-bankers' count; monthly plans only", nullable=True),
    "ots_months": _count("full months past due, thrift count; monthly plans only", nullable=True),
    "bucket": _text("delinquency bucket; `none` in a set of months for what has no months"),
    "bucket_no": _count("position of the bucket in its set, from 0; empty for `none`", nullable=True),
    "oldest_unpaid_due_date": _date("earliest due date before the as-of date among unsatisfied terms"),
    "next_due_date": _date("earliest due date not before the as-of date among unsatisfied terms"),
    "next_due_amount_minor": _sum("outstanding on the next due date", nullable=True),
    "provider_amount_due_minor": _minor("the provider's own figure for what is due", nullable=True, signed=True),
    "conformance": _text("how the terms compare with our regeneration", nullable=True),
    "was_gone_on": _date(
        "day of the complete fetch that last found the plan gone; null if none did, or if it still is"
    ),
    "was_due_date": _date("due date that was agreed; null for a term that came later"),
    "was_amount_minor": _minor("amount that was agreed; null for a term that came later", nullable=True),
    "now_due_date": _date("due date the provider shows now; null for a term that is gone"),
    "now_amount_minor": _minor("amount the provider shows now; null for a term that is gone", nullable=True),
    "changed_on": _date("day of the fetch that first showed the term otherwise than agreed"),
    "open_terms_due": _count("unsatisfied terms due on or before the as-of date"),
    "last_satisfied_on": _date("day since which every term that counts has been satisfied; null while one is not"),
    "business_days_satisfied": _count(
        "business days in (last satisfied, as-of]; null while a term is open", nullable=True
    ),
    "linked_accounts": _count(
        "invoices and cases that name the plan; null: changed since, or the provider keeps no balances", nullable=True
    ),
    "linked_total_minor": _sum("what these accounts were worth when they were made", nullable=True),
    "linked_open_minor": _sum("what these accounts still owe by the provider's own figures", nullable=True),
    "linked_received_minor": _sum("payments on the linked accounts since the plan was created", nullable=True),
    "linked_recent_minor": _sum("the part of `linked_received_minor` inside the settlement window", nullable=True),
    "linked_first_day_minor": _sum(
        "the part of `linked_received_minor` of the day the plan was created: before it or after it", nullable=True
    ),
    # what we compute, per payment
    "counts_from": _date("day from which the payment exists for the as-of date", nullable=False),
    "allocated_minor": _sum("part of the payment that terms took", nullable=True),
    "is_stale": _flag("pending for longer than the limit"),
    "pending_business_days": _count("business days the payment has been pending", nullable=True),
    # what a break is
    "code": _text("break code"),
    "reason": _text("what narrows the code; empty if nothing does"),
    "side": _text("whose figure is off", values=SIDES),
    "kind": _text("timing or real", values=KINDS),
    "declared_severity": _text("severity where no amount gives one", values=SEVERITIES),
    "least_severity": _text(
        "severity the break has at least, whatever its amount; empty: any", nullable=True, values=SEVERITIES
    ),
    "severity": _text("what amount, check and age make of it", values=SEVERITIES),
    "break_state": _text("life of the break over runs", values=BREAK_STATES),
    "expected": _text("what should be there, as text", nullable=True),
    "actual": _text("what is there, as text", nullable=True),
    "difference_minor": _sum("actual less expected; positive: the provider claims more", nullable=True),
    "difference_days": Column(pl.Int64(), "actual less expected, in days", nullable=True),
    "break_currency": _text("ISO 4217 code, empty where no money is concerned", nullable=True),
    "explanation": _text("one sentence for a clerk"),
    "fingerprint": _text("identity of the break: SHA-256 without amounts"),
    "payload_hash": _text("hash of what may change while the break stays the same"),
    "first_seen": _date("as-of date of the first published run that showed the break", nullable=False),
    "age_days": _count("as-of date less first seen"),
    "last_seen": _date("as-of date of the last published run that showed the break", nullable=False),
    "is_open": _flag("the break was there when its rows were last examined"),
    "reopened": _count("times the break came back after it had been resolved"),
    "owner": _text("who accepted the break"),
    "accepted_because": _text("why the break was accepted"),
    "expires_on": _date("last as-of date on which the acceptance holds; null: until it is withdrawn"),
    "maximum_minor": _minor("largest difference the acceptance covers; null: any", nullable=True),
    "check": _text("file name of the check"),
    "examined": _count("rows the check looked at"),
    "not_applicable": _count("rows the check does not apply to"),
    "breaks": _count("breaks found"),
    "is_evaluated": _flag("false where an incomplete fetch forbids a conclusion"),
    # what a plan's own rules say, before any schedule is made
    "convention_set": _text("which conventions apply; normally the provider"),
    "calendar": _text("which calendar of closed days applies; null: weekends only", nullable=True),
    "arrangement": _text("AMOUNT, NUMBER or CUSTOM: what fixes the number of terms", nullable=True),
    "frequency": _text("how often a term falls due", nullable=True),
    "pattern": _text("DAY or WEEKDAY of the month; null: DAY", nullable=True),
    "days_in_period": Column(pl.Int64(), "days from one term to the next, for plans counted in days", nullable=True),
    "first_due_date": _date("date no term falls before, and the anchor of every date"),
    "first_day": Column(pl.Int64(), "day of the month, 31 for the last; null: that of the first date", nullable=True),
    "second_day": Column(pl.Int64(), "second day of the month, 31 for the last", nullable=True),
    "first_weekday": Column(pl.Int64(), "ISO weekday, Monday is 1", nullable=True),
    "second_weekday": Column(pl.Int64(), "ISO weekday of the second term of a month", nullable=True),
    "first_week": Column(pl.Int64(), "week of the month, 1 to 5", nullable=True),
    "second_week": Column(pl.Int64(), "week of the month of the second term", nullable=True),
    "term_count": Column(pl.Int64(), "number of terms, where the plan or the provider's terms give it", nullable=True),
    "term_amount_minor": _sum("amount of each term but the last", nullable=True),
    "total_minor": _sum("what the terms must add up to; null: amounts are not judged", nullable=True),
    "weekend_shift": Column(pl.Int64(), "days to move a date off a weekend, 0 to leave it", nullable=True),
    "holiday_shift": Column(pl.Int64(), "days to move a date off a holiday, 0 to leave it", nullable=True),
    "missing_input": _text("input without which no schedule can be made", nullable=True),
    "sequence": Column(pl.Int64(), "1 to n in the order the rule makes the terms", at_least=1),
    "trace": _text("how the nominal date became the expected one"),
    "notes": _text("caveats on the date, joined by `;`; empty when there are none"),
    # what a comparison of two schedules says
    "paired_by": _text("pass that joined the two terms, or why there is no pair", values=PAIRED_BY),
    "calendar_date": _date("day the reason is about: the holiday, the weekend day, the nominal date"),
    "created_week": _date("Monday of the week the plan was created in"),
    "of_breaks": _count("breaks of the same code and provider"),
    # what we changed at a provider, and what became of it
    "intent_id": _text("our name of one change at a provider"),
    "operation": _text("create, update, approve, reject or deactivate"),
    "write_state": _text("planned, approved, sending, done, refused, unknown or parked"),
    "write_reason": _text("why the change is where it is, and in what the plan read back is not as agreed"),
    "request_sha256": _text("hash of what was, or would be, sent"),
    "answer_status": Column(pl.Int64(), "HTTP status of the answer; null where none came", nullable=True),
    "planned_at": Column(pl.Datetime("us", "UTC"), "when the change was written down"),
    "sent_at": Column(pl.Datetime("us", "UTC"), "when the request last left", nullable=True),
    "ended_at": Column(pl.Datetime("us", "UTC"), "when it was known to be done or refused", nullable=True),
    "agreed_terms": _text("due date and amount of each term that was agreed, in order", nullable=True),
    "agreed_currency": _text("ISO 4217 code of the amounts agreed", nullable=True),
    "agreed_count": _count("terms that were agreed; 0 where only the provider knows them"),
    "agreed_minor": _sum("what the agreed terms add up to"),
    "shown_count": _count("terms the provider shows that still count", nullable=True),
    "shown_minor": _sum("what these terms add up to", nullable=True),
    "agreed_due_date": _date("due date of the first term that is not as agreed"),
    "agreed_amount_minor": _minor("agreed amount of the first term that is not as agreed", nullable=True),
    # fetches and conservation
    "names": _text("what the row names that does not exist", values=("plan", "term", "account")),
    "entity": _text("plans, terms, payments, accounts or policies"),
    "fetched": _count("rows received in this run"),
    "accepted": _count("rows that entered the tables as new or changed"),
    "quarantined": _count("rows rejected with a reason"),
    "deduplicated": _count("rows that repeat what was known"),
    "unreadable": _count("rows whose amount could not be read; no money is counted for them"),
    "amount_fetched_minor": _sum("money received", nullable=True),
    "amount_accepted_minor": _sum("money that entered the tables", nullable=True),
    "amount_quarantined_minor": _sum("money rejected", nullable=True),
    "amount_deduplicated_minor": _sum("money that repeats what was known", nullable=True),
    "complete": _flag("the fetch reached the provider's end signal and no page failed"),
    "fresh_at": Column(pl.Datetime("us", "UTC"), "when the last complete fetch began", nullable=True),
}
