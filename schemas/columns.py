"""Every column of the core and result tables, once: type, unit, meaning.

A table (`core.py`, `results.py`) lists column names; type, nullability and
checks come from here, so one meaning has one name and one type everywhere.
Provider field names do not belong here.
"""

from dataclasses import dataclass

import polars as pl

from schemas import words

MAX_MINOR = 10**15
"""Largest magnitude of one amount; leaves room for 9,000 such rows in an Int64 sum."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `nullable` is the default; a table may be stricter. `at_least` and
    `at_most` bound integers. `values` closes a set of words; `words` names one for readers that
    the gates leave open. `empty` says what a null, or a text without letters, means.
    """

    dtype: pl.DataType
    meaning: str
    nullable: bool = False
    at_least: int | None = None
    at_most: int | None = None
    values: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    empty: str = ""
    unit: str = ""

    def comment(self) -> str:
        """Return what readers of a view are told: the meaning, the unit, the words of a closed list, what empty means."""
        parts = [self.meaning.replace("minor units", "major units") + (f" ({self.unit})" if self.unit else "")]
        parts += [f"one of {', '.join(self.values or self.words)}"] if self.values or self.words else []
        missing = self.empty or ("not known" if self.nullable else "")
        return "; ".join([*parts, f"empty: {missing}" if missing else "never empty"])


def _text(
    meaning: str,
    *,
    nullable: bool = False,
    values: tuple[str, ...] = (),
    words: tuple[str, ...] = (),
    empty: str = "",
) -> Column:
    return Column(pl.String(), meaning, nullable=nullable, values=values, words=words, empty=empty)


def _date(meaning: str, *, nullable: bool = True, empty: str = "") -> Column:
    return Column(pl.Date(), meaning, nullable=nullable, empty=empty, unit="date")


def _instant(meaning: str, *, nullable: bool = False, empty: str = "") -> Column:
    return Column(pl.Datetime("us", "UTC"), meaning, nullable=nullable, empty=empty, unit="UTC")


def _minor(meaning: str, *, nullable: bool = False, signed: bool = False, empty: str = "") -> Column:
    return Column(
        pl.Int64(),
        meaning + " (minor units of `currency`)",
        nullable=nullable,
        at_least=-MAX_MINOR if signed else 0,
        at_most=MAX_MINOR,
        empty=empty,
    )


def _sum(meaning: str, *, nullable: bool = False, empty: str = "") -> Column:
    return Column(pl.Int64(), meaning + " (minor units of `currency`)", nullable=nullable, empty=empty)


def _share(meaning: str, *, nullable: bool = False, empty: str = "") -> Column:
    """Return a column in parts per million, which readers see as a fraction with six places."""
    return Column(pl.Int64(), meaning, nullable=nullable, at_least=0, empty=empty, unit="fraction")


def _rate_of_row(meaning: str) -> Column:
    return _share(
        meaning + "; the same on each of its rows", nullable=True, empty="NEW plans, no bucket, or nothing outstanding"
    )


def _count(meaning: str, *, nullable: bool = False, empty: str = "", unit: str = "number") -> Column:
    return Column(pl.Int64(), meaning, nullable=nullable, at_least=0, empty=empty, unit=unit)


def _flag(meaning: str, *, nullable: bool = False, empty: str = "") -> Column:
    return Column(pl.Boolean(), meaning, nullable=nullable, empty=empty, unit="true or false")


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
    "plan_id": _text("the provider's plan id", nullable=True, empty="the row is about no single plan"),
    "term_id": _text(
        "the provider's term id, or the derived one", nullable=True, empty="the row is about no single term"
    ),
    "term_no": _count("1 to n within the plan, by due date, provider sequence, term id", unit="number"),
    "payment_no": _count("surrogate of a payment's share of one account"),
    "payment_id": _text(
        "the provider's payment id; `psp:` before a payment-service transaction",
        nullable=True,
        empty="the row is about no payment",
    ),
    "account_no": _count("surrogate of the account", nullable=True),
    "account_id": _text(
        "loan, billing account, `invoice:<id>` or `case:<id>`", nullable=True, empty="the row is about no account"
    ),
    "customer_id": _text("debtor or customer, never a secret token", nullable=True, empty="the provider names none"),
    "customer": _text("one's own id of a person or invoice, from the file of customers"),
    "own_customer": _text(
        "one's own id of who the plan is of, from the file of customers; of several the first by name",
        nullable=True,
        empty="no such file is set, or it names neither the customer nor an account of the plan",
    ),
    "currency": _text("ISO 4217 code", nullable=False),
    # plans
    "basis": _text("where the outstanding of a term comes from", values=words.BASES),
    "created_on": _date("day the row came into being, in the provider's zone", nullable=False),
    "created_at": _instant("moment the row came into being", nullable=True, empty="the provider gives a plain date"),
    "updated_on": _date(
        "day of the provider's last change to this version, in its zone", empty="the provider names no day"
    ),
    "proposed_on": _date("day the plan was proposed"),
    "approved_on": _date("day the plan was approved"),
    "rejected_on": _date("day the plan was rejected"),
    "deactivated_on": _date("day the provider says the plan was deactivated"),
    "deleted_on": _date("day the provider deleted the row"),
    "ended_on": _date("earliest day a version of the plan was inactive, where the provider gives no date itself"),
    "inactive_at": _instant("moment of `ended_on`; empty where only the day is known", nullable=True),
    "removed_on": _date("day the provider no longer showed the row in a complete fetch"),
    "is_active": _flag("the provider's own word that the plan is active", nullable=True),
    "stated_total_minor": _minor(
        "the plan's total as the provider states it", nullable=True, empty="the provider states none"
    ),
    "cadence": _text(
        "whether terms are one anchored month apart; BY_DATES: look at the due dates", values=words.CADENCES
    ),
    "anchor_day": Column(
        pl.Int64(), "day of the month the plan falls due on, 31 for the last", nullable=True, at_least=1, at_most=31
    ),
    # terms
    "term_sequence": _count("the provider's own order of terms on one day", nullable=True),
    "nominal_due_date": _date("due date before any weekend or holiday shift, where known", empty="not known"),
    "due_date": _date("when the term is due", nullable=False),
    "amount_minor": _minor("what the row promises or moves", signed=True),
    "provider_outstanding_minor": _minor(
        "what the provider says is still owed on the term",
        nullable=True,
        signed=True,
        empty="the provider keeps no balance of terms",
    ),
    "provider_paid_on": _date("day the provider says the term was fully paid"),
    "linked_payment_no": _count("payment that the provider ties to this term", nullable=True),
    # payments
    "effective_date": _date("receipt date of the payment", nullable=False),
    "effective_at": _instant("moment of the receipt; empty where the provider gives a plain date", nullable=True),
    "planned_on": _date("day the payment is to be made on, where it was entered ahead of it"),
    "told_on": _date("day of the fetch that showed the row as it is"),
    "class": _text("what the status means for us", values=words.CLASSES),
    "provider_status": _text("the provider's word", nullable=True, empty="the provider gives none"),
    "reversed_on": _date("day the money went back", empty="nothing went back by the as-of date"),
    "reversed_at": _instant("moment the money went back", nullable=True, empty="only the day is known"),
    "fees_minor": _minor("part of the payment that went to fees", nullable=True),
    "reversed_amount_minor": _minor("money that went back", nullable=True, empty="nothing went back by the as-of date"),
    "is_money": _flag("false for promises, pre-notes, repeats and costs: they are listed, never counted"),
    "is_reversal_amount_known": _flag("false where the provider reversed a part and does not say how much"),
    # accounts and policies
    "kind_of_account": _text("what the account is", values=("loan", "billing", "invoice", "case")),
    "reference": _text(
        "what people call the account: number of the invoice, case or billing account, external id of the loan",
        nullable=True,
        empty="there is no account, or the provider gives none",
    ),
    "account_status": _text("the provider's word for the account", nullable=True, empty="the provider gives none"),
    "balance_minor": _minor(
        "balance of the account as the provider states it", nullable=True, signed=True, empty="the provider states none"
    ),
    "account_amount_due_minor": _minor(
        "amount due of the account as the provider states it",
        nullable=True,
        signed=True,
        empty="the provider states none",
    ),
    "account_total_minor": _minor("what the account was worth when it was made", nullable=True, signed=True),
    "parent_account_no": _count("credit case that the invoice is part of", nullable=True),
    "account_due_date": _date("due date of the account's current bill", empty="the provider names none"),
    "is_stopped": _flag("no payment may fire on the account", nullable=True, empty="the provider does not say"),
    "active_plan_no": _count("plan that the account names as its active one", nullable=True),
    "linked_on": _date("day the link between plan and account was first seen", empty="not known"),
    "allow_due_day": _flag(
        "the plan may fire on the due day of the bill", nullable=True, empty="the policy does not say"
    ),
    "enforce_due_date": _flag(
        "the plan must fire on the due day of the bill", nullable=True, empty="the policy does not say"
    ),
    "day_due": _count(
        "due day of the current bill", nullable=True, empty="the policy does not say", unit="days of the month"
    ),
    "plan_type": _text("Fixed or Variable", nullable=True, empty="the policy does not say"),
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
    "default_monthly_minor": _minor(
        "monthly payment the provider suggests", nullable=True, empty="the policy does not say"
    ),
    "initial_balance_minor": _minor(
        "balance the policy was worked out from", nullable=True, empty="the policy does not say"
    ),
    "maximum_term": _count("most payments a plan may have", nullable=True, empty="the policy sets no limit"),
    "restricted_override_minimum_minor": _minor(
        "least amount of one payment, overriding the tiers", nullable=True, empty="the tiers hold"
    ),
    "tiers": Column(pl.List(TIER), "allowed payment counts by balance", nullable=True, empty="the policy has none"),
    "pause_start": _date("first day of the pause", nullable=False),
    "pause_end": _date("first day that counts again", empty="the pause goes on"),
    # what we compute, per term
    "waived_minor": _minor("part of the amount that is no longer owed"),
    "received_minor": _sum("settled money"),
    "outstanding_minor": _sum("amount less waived less received; ours"),
    "pending_minor": _sum("initiated, not settled; never part of received"),
    "fresh_pending_minor": _sum("pending that is not stale"),
    "tolerance_minor": _minor("shortfall at which the term still counts as satisfied"),
    "is_satisfied": _flag("outstanding is within the tolerance at the as-of date"),
    "satisfied_on": _date(
        "first day of the spell of being satisfied that still holds", empty="not satisfied, or no longer owed"
    ),
    "days_late": _count(
        "days from due date to satisfaction, or to the as-of date", nullable=True, empty="no longer owed", unit="days"
    ),
    "state": _text("where the term stands at the as-of date", values=words.STATES),
    "expected_due_date": _date(
        "due date by our own regeneration", empty="no schedule can be made, or none of its terms belongs to this one"
    ),
    "expected_amount_minor": _minor(
        "amount by our own regeneration",
        nullable=True,
        empty="no schedule can be made, or the total it would add up to is not known",
    ),
    "flags": _text(
        "caveats, joined by `;`: AS_OF_APPROXIMATE, a partly paid term shows a later figure; INVOICES_OWE_LESS, what names the plan owes less than it asks for; NEAR_BREAK, too little of its next term has come for the day; PAUSED, its provider or the file of pauses has paused it; VANISHED, a complete fetch no longer showed it",
        empty="there is none",
    ),
    # what we compute, per plan
    "status": _text("the provider's word for the plan at the as-of date", values=words.STATUSES),
    "is_in_force": _flag("the plan carries money at the as-of date"),
    "plan_in_force": _flag(
        "the plan that the row is about carries money at the as-of date",
        nullable=True,
        empty="the row is about no single plan, or about one that is not there",
    ),
    "closes_on": _date("day the plan was over or replaced; later terms are not owed. Empty: it goes on"),
    "closes_at": _instant("moment of `closes_on`; empty where only the day is known", nullable=True),
    "replaced_by_plan_no": _count("newer plan on the same account", nullable=True),
    "replaced_by_plan_id": _text(
        "the newer plan on the same account that replaced this one", nullable=True, empty="it was not replaced"
    ),
    "outcome": _text("how the plan went up to the as-of date, by replay", values=words.OUTCOMES),
    "broken_at": _date("first day on which a rule for broken plans held", empty="none ever held"),
    "cured_at": _date("first day after `broken_at` with nothing overdue", empty="not broken, or not cured since"),
    "redefaulted_at": _date("first day of the newest time the plan was broken after a cure", empty="there was none"),
    "kept_so_far": _flag(
        "every term whose deadline passed was satisfied by it", nullable=True, empty="no deadline has passed yet"
    ),
    "terms": _count("terms of the plan, void ones included"),
    "terms_satisfied": _count("terms satisfied at the as-of date"),
    "missed_terms": _count("terms past grace with nothing received"),
    "delinquent_terms": _count("terms past grace and not satisfied"),
    "amount_due_minor": _sum("outstanding of terms due on or before the as-of date"),
    "overdue_minor": _sum("outstanding of terms due before the as-of date"),
    "overdue_past_grace_minor": _sum("outstanding of terms whose grace ended before the as-of date"),
    "due_today_minor": _sum("outstanding of terms due on the as-of date"),
    "not_due_minor": _sum("outstanding of terms due after the as-of date"),
    "unapplied_minor": _sum(
        "settled money beyond the last term",
        nullable=True,
        empty="the provider keeps the balances (basis PROVIDER_BALANCE)",
    ),
    "unapplied_since": _date(
        "day of the oldest payment of which something is unapplied", empty="nothing is unapplied, or that is not known"
    ),
    "last_receipt_date": _date(
        "day of the newest settled payment on the plan of which something is left, or, where its provider states "
        "balances, of the newest payment of a term",
        empty="nothing came in by the as-of date",
    ),
    "work_lists": _text(
        "lists of the day's work that the plan stands on, joined by `;`: "
        + "; ".join(f"{word}, {meaning}" for word, meaning in words.WORK_LIST_MEANINGS.items()),
        empty="none",
    ),
    "coverage_ppm": _share("fresh pending over amount due, at most 1", nullable=True, empty="nothing is due"),
    "days_past_due": _count("by the configured options", unit="days"),
    "days_past_due_business": _count("business days in (oldest unpaid, as-of]", unit="days"),
    "shadow_days_past_due": _count("days past due if all fresh pending money settled today", unit="days"),
    "mba_months": _count(
        "full months past due, mortgage-bankers' count; monthly plans only",
        nullable=True,
        empty="the plan is not monthly",
        unit="months",
    ),
    "ots_months": _count(
        "full months past due, thrift count; monthly plans only",
        nullable=True,
        empty="the plan is not monthly",
        unit="months",
    ),
    "bucket": _text(
        "delinquency bucket: days or months past due as first-last; `none` in a set of months for what has no months"
    ),
    "worst_bucket": _text(
        "bucket of the customer's plan in force that is worst off",
        nullable=True,
        empty="no plan in a bucket is in force",
    ),
    "worst_bucket_no": _count(
        "position of that bucket in its set, from 0", nullable=True, empty="no plan in a bucket is in force"
    ),
    "worst_days_past_due": _count("days past due of the plan in force that has most; 0: none is past due", unit="days"),
    "bucket_no_then": _count(
        "position of the bucket in its set at that run, from 0",
        nullable=True,
        empty="the bucket is `none`, or no plan in force was in it at that run",
    ),
    "bucket_no": _count("position of the bucket in its set, from 0", nullable=True, empty="the bucket is `none`"),
    "oldest_unpaid_due_date": _date(
        "earliest due date before the as-of date among unsatisfied terms", empty="nothing is past due"
    ),
    "next_due_date": _date(
        "earliest due date not before the as-of date among unsatisfied terms",
        empty="no unsatisfied term is due from that day on",
    ),
    "next_due_amount_minor": _sum(
        "outstanding on the next due date", nullable=True, empty="no unsatisfied term is due from that day on"
    ),
    "last_due_date": _date(
        "latest due date of the terms that count, satisfied or not: the day the plan is to be finished",
        empty="no term counts",
    ),
    "provider_amount_due_minor": _minor(
        "the provider's own figure for what is due",
        nullable=True,
        signed=True,
        empty="the provider gives no such figure",
    ),
    "conformance": _text(
        "how the terms compare with our regeneration", nullable=True, words=words.CONFORMANCES, empty="not compared"
    ),
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
    "allocated_minor": _sum(
        "part of the payment that terms took",
        nullable=True,
        empty="the provider keeps the balances (basis PROVIDER_BALANCE of its plans), so no payment is spread over terms",
    ),
    "is_stale": _flag("pending for longer than the limit"),
    "pending_business_days": _count(
        "business days the payment has been pending", nullable=True, empty="the payment is not pending", unit="days"
    ),
    # what a break is
    "code": _text("break code, see docs/checks.md", words=words.BREAK_CODES),
    "reason": _text("what narrows the code; empty if nothing does", empty="nothing narrows the code"),
    "side": _text("whose figure is off", values=words.SIDES),
    "kind": _text("timing: time alone will mend it; real: it will not", values=words.KINDS),
    "declared_severity": _text("severity where no amount gives one", values=words.SEVERITIES),
    "least_severity": _text(
        "severity the break has at least, whatever its amount; empty: any", nullable=True, values=words.SEVERITIES
    ),
    "severity": _text("what amount, check and age make of it", values=words.SEVERITIES),
    "break_state": _text("life of the break over runs", values=words.BREAK_STATES),
    "expected": _text(
        "what should be there, as text",
        nullable=True,
        empty="nothing should be there, or it cannot be written as one value",
    ),
    "actual": _text(
        "what is there, as text", nullable=True, empty="nothing is there, or it cannot be written as one value"
    ),
    "difference_minor": _sum(
        "actual less expected; positive: the provider claims more", nullable=True, empty="no money is concerned"
    ),
    "difference_days": Column(
        pl.Int64(), "actual less expected", nullable=True, empty="no date is concerned", unit="days"
    ),
    "break_currency": _text(
        "ISO 4217 code",
        nullable=True,
        empty="no money is concerned, or its currency is not known",
    ),
    "explanation": _text("one sentence for a clerk"),
    "fingerprint": _text("identity of the break: SHA-256 without amounts"),
    "payload_hash": _text("hash of what may change while the break stays the same"),
    "first_seen": _date("as-of date of the first published run that showed the break", nullable=False),
    "age_days": _count("as-of date less first seen", unit="days"),
    "last_seen": _date("as-of date of the last published run that showed the break", nullable=False),
    "is_open": _flag("the break was there when its rows were last examined"),
    "reopened": _count("times the break came back after it had been resolved"),
    "owner": _text(
        "who answers for accepting the break", nullable=True, empty="nobody accepted it, or it was taken back"
    ),
    "accepted_because": _text(
        "why the break was accepted", nullable=True, empty="nobody accepted it, or it was taken back"
    ),
    "expires_on": _date(
        "last as-of date on which the acceptance holds", empty="not accepted, or until it is taken back"
    ),
    "maximum_minor": _minor(
        "largest difference, above or below zero, that the acceptance covers",
        nullable=True,
        empty="not accepted, or any difference",
    ),
    "acceptance_no": _count("counts from 1 in the order in which people decided"),
    "accepted_at": _instant("when the decision became known; known-at refers to it"),
    "accepted_by": _text("user and machine that wrote the decision down"),
    "is_withdrawn": _flag("the acceptance before it was taken back"),
    "is_newest": _flag("the last decision on its break, and so the one that counts"),
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
    "missing_input": _text("input without which no schedule can be made", nullable=True, empty="nothing is missing"),
    "sequence": Column(pl.Int64(), "1 to n in the order the rule makes the terms", at_least=1),
    "trace": _text("how the nominal date became the expected one"),
    "notes": _text("caveats on the date, joined by `;`"),
    # what a comparison of two schedules says
    "paired_by": _text("pass that joined the two terms, or why there is no pair", values=words.PAIRED_BY),
    "calendar_date": _date("day the reason is about: the holiday, the weekend day, the nominal date"),
    "created_week": _date("Monday of the week the plan was created in"),
    "of_breaks": _count("breaks of the same code and provider"),
    # what we changed at a provider, and what became of it
    "intent_id": _text("our name of one change at a provider"),
    "operation": _text("what was to be done", words=("create", "update", "approve", "reject", "deactivate")),
    "wanted_plan_id": _text(
        "the provider's id of the plan", nullable=True, empty="the plan was not there yet, or is not known"
    ),
    "wanted_minor": _minor(
        "sum of the plan; two places where the currency is not known", nullable=True, empty="only the provider knows it"
    ),
    "write_state": _text("how far the change came", words=words.INTENT_STATES),
    "write_reason": _text(
        "why the change is where it is, and in what the plan read back is not as agreed",
        empty="there is nothing to say",
    ),
    "request_sha256": _text("hash of what was, or would be, sent"),
    "answer_status": Column(
        pl.Int64(),
        "status of the answer",
        nullable=True,
        empty="no answer came",
        unit="HTTP status code",
    ),
    "planned_at": Column(pl.Datetime("us", "UTC"), "when the change was written down", unit="UTC"),
    "sent_at": Column(
        pl.Datetime("us", "UTC"), "when the request last left", nullable=True, empty="not sent", unit="UTC"
    ),
    "ended_at": Column(
        pl.Datetime("us", "UTC"),
        "when it was known to be done or refused",
        nullable=True,
        empty="not ended",
        unit="UTC",
    ),
    "agreed_terms": _text(
        "due date and amount of each term that was agreed, in order",
        nullable=True,
        empty="only the provider knows them, or nothing was agreed",
    ),
    "agreed_currency": _text("ISO 4217 code of the amounts agreed", nullable=True),
    "agreed_count": _count("terms that were agreed; 0 where only the provider knows them"),
    "agreed_minor": _sum("what the agreed terms add up to"),
    "shown_count": _count("terms the provider shows that still count", nullable=True),
    "shown_minor": _sum("what these terms add up to", nullable=True),
    "agreed_due_date": _date("due date of the first term that is not as agreed"),
    "agreed_amount_minor": _minor("agreed amount of the first term that is not as agreed", nullable=True),
    # what reports sum up
    "plans": _count("plans in the row", unit="plans"),
    "aged_terms": _count("unsatisfied terms due by the as-of date", unit="terms"),
    "horizon_days": _count("days after the as-of date that are looked ahead, 0 is that day", unit="days"),
    "scheduled_minor": _sum(
        "outstanding of terms due after the as-of date and inside the horizon; horizon 0: due on it"
    ),
    "arrears_minor": _sum("outstanding of terms due before the as-of date; in no horizon"),
    "pending_covered_minor": _sum("part of what is scheduled that pending money covers"),
    "risk_adjusted_minor": _sum(
        "what is scheduled times `rate`", nullable=True, empty="no term had its deadline in the 90 days before"
    ),
    "rate_ppm": _share(
        "money there by the deadlines of the 90 days before, over the money due by them",
        nullable=True,
        empty="no term had its deadline then",
    ),
    "rate_from": _text(
        "whose rate it is: SEGMENT of this provider, tenant and currency; PORTFOLIO of the currency over all, where the "
        "segment has fewer than 30 such terms",
        values=("SEGMENT", "PORTFOLIO", "NONE"),
    ),
    "rate_terms": _count("terms the rate comes from", unit="terms"),
    "backtest_as_of": _date(
        "as-of date of the newest earlier run whose horizon of as many days has ended",
        empty="there is none, or it had no such row; always for horizon 0, whose day is over when it is told of",
    ),
    "backtest_forecast_minor": _sum(
        "`risk_adjusted` of that run, as it was first published", nullable=True, empty="there is none"
    ),
    "backtest_received_minor": _sum(
        "money that came after that date and by the end of the horizon for terms due in it, by what is known now",
        nullable=True,
        empty="there is no such run",
    ),
    "backtest_error_minor": _sum(
        "what came less what was expected; below zero: less came",
        nullable=True,
        empty="nothing was expected, or is known of",
    ),
    "window_days": _count("days looked back from the as-of date", unit="days"),
    "evaluated": _count("terms whose deadline lies in the window", unit="terms"),
    "kept": _count("terms satisfied by their deadline", unit="terms"),
    "firm_kept": _count("terms kept without money that may still be returned", unit="terms"),
    "firm_kept_rate_count_ppm": _share(
        "kept over evaluated terms without money that may still be returned",
        nullable=True,
        empty="nothing was evaluated",
    ),
    "firm_kept_rate_amount_ppm": _share(
        "money there by the deadlines, without what may still be returned, over the money due by them",
        nullable=True,
        empty="nothing was evaluated",
    ),
    "is_provisional": _flag("received so few business days ago that it may still be returned"),
    "partly_kept": _count("terms with some money by their deadline, not satisfied", unit="terms"),
    "broken": _count("terms with no money by their deadline", unit="terms"),
    "kept_rate_count_ppm": _share("kept over evaluated terms", nullable=True, empty="nothing was evaluated"),
    "kept_rate_amount_ppm": _share(
        "money there by the deadlines over the money due by them", nullable=True, empty="nothing was evaluated"
    ),
    "from_as_of": _date("earlier date the plans are followed from", nullable=False),
    "from_bucket": _text("bucket on the earlier date; NEW for plans that came later"),
    "to_bucket": _text(
        "bucket on the as-of date; PAID_OFF for plans with all terms satisfied, VANISHED for plans no longer shown, CANCELLED "
        "for plans out of force otherwise"
    ),
    "from_bucket_no": _count(
        "position of the earlier bucket in its set, from 0", nullable=True, empty="no bucket", unit="number"
    ),
    "to_bucket_no": _count(
        "position of the later bucket in its set, from 0", nullable=True, empty="no bucket", unit="number"
    ),
    "opening_minor": _sum("outstanding on the earlier date; of NEW plans on the as-of date"),
    "roll_rate_count_ppm": _rate_of_row("plans now in worse buckets over all plans of `from_bucket`"),
    "roll_rate_amount_ppm": _rate_of_row("opening of plans now in worse buckets over that of all of `from_bucket`"),
    "cure_rate_count_ppm": _rate_of_row("plans now in the first bucket or PAID_OFF over all plans of `from_bucket`"),
    "cure_rate_amount_ppm": _rate_of_row(
        "opening of plans now in the first bucket or PAID_OFF over that of all of `from_bucket`"
    ),
    "metric": _text(
        "what the money is: all that plans in force past due by more days than that still owe; what the ten largest debtors "
        "owe; money received that no term took, also of ended plans; payments naming a plan or account that does not exist",
        values=("PAR>0", "PAR>30", "PAR>60", "PAR>90", "LARGEST_10", "UNAPPLIED", "ORPHANS"),
    ),
    "exposed": _count("plans the money is of; in the row ORPHANS payments", unit="plans"),
    "share_ppm": _share(
        "amount over the outstanding of all plans in force",
        nullable=True,
        empty="nothing is outstanding, or the money is no part of what is",
    ),
    # what customers owe
    "plans_in_force": _count("plans of the row that carry money at the as-of date", unit="plans"),
    "providers": _count(
        "providers at which one's own customer has plans in force",
        nullable=True,
        empty="the file of customers does not name the customer",
    ),
    # payments beside plans
    "payment_plan_id": _text(
        "plan in whose time the payment falls",
        nullable=True,
        empty="it is in no plan's time, or the provider ties payments to accounts alone, not to plans: see v_plan_payments",
    ),
    "tied_by": _text(
        "plan: the payment is counted for this plan; account: it only lies on an account that the plan covers",
        words=("plan", "account"),
    ),
    "is_in_plan_time": _flag("the payment is effective on or after the day the plan was created"),
    "plans_of_payment": _count(
        "plans this payment stands beside; above 1, sums over plans count it again", unit="plans"
    ),
    # the ledger of fetches and runs
    "load_no": _count("number of the load, from 1, in the order in which rows became known", unit="number"),
    "snapshot_id": _text("fetch of one tenant whose pages were loaded"),
    "sweep": _text("list of the provider that was asked for, of its own name"),
    "since": _instant("changes since when were asked for", nullable=True, empty="everything was asked for"),
    "mode": _text("what the load holds", words=("FULL", "CHANGES", "REPLAY")),
    "fetch_reason": _text("why the sweep is not complete", empty="it is complete"),
    "pages": _count("answers received", unit="pages"),
    "rows": _count("top-level rows received, rejected ones included", unit="rows"),
    "started_clock": _instant("the provider's clock at the first answer", nullable=True, empty="it tells no time"),
    "clock_skew_seconds": Column(
        pl.Int64(),
        "how far the provider's clock was ahead of ours at that answer, below zero where it was behind",
        nullable=True,
        empty="it tells no time",
        unit="seconds",
    ),
    "watermark": _instant(
        "moment from which the next sweep may ask", nullable=True, empty="it must ask for everything"
    ),
    "fetched_at": _instant("when the fetch began, by our clock"),
    "loaded_at": _instant("when the rows became known; known-at refers to it"),
    "rejection_code": _text("what was wrong with the row, as a code"),
    "rejection_reason": _text("what was wrong with the row, as a sentence without its values"),
    "rejected_minor": _minor(
        "money that stayed out; two places where the currency is not known", nullable=True, empty="it could not be read"
    ),
    "rejected_rows": _count("rows that stayed out because of this one, itself included", unit="rows"),
    "replay_load_no": _count(
        "load of mode REPLAY that brought the row in later", nullable=True, empty="no replay brought it in"
    ),
    "row_id": _text("names the row that was rejected, however often and for whatever reasons"),
    "first_rejected": _instant("when the row was first rejected"),
    "last_rejected": _instant("when the row was last rejected"),
    "column_name": _text("column that is wrong", nullable=True, empty="the whole row is"),
    "row_key": _text("key of the row at the provider", nullable=True, empty="it could not be read"),
    "page_sha256": _text("hash of the page that holds the row", nullable=True, empty="no page is concerned"),
    "page_no": _count("number of the page in its fetch", nullable=True, empty="no page is concerned", unit="number"),
    "position": Column(
        pl.Int64(), "place of the row on its page, from 0; -1 is the whole page", nullable=True, unit="number"
    ),
    "schema_version": _count("version of the tables that refused it", unit="number"),
    "run_no": _count("number of the run, from 1, in the order in which runs ended", unit="number"),
    "before_as_of": _date("as-of date of the published run before", nullable=False),
    "changed_column": _text("column of `v_plan_history` that is another; `listed` where a plan came or went"),
    "value_before": _text("what the run before showed", nullable=True, empty="nothing, or the plan was not listed"),
    "value_after": _text("what the latest published run shows", nullable=True, empty="nothing"),
    "version_entity": _text("what was said anew", words=("plans", "terms", "payments")),
    "version_id": _text("id of that plan, term or payment, as the provider writes it"),
    "version_column": _text("column that is another", nullable=True, empty="the first version of the row"),
    "version_before": _text("what the version before says; money in major units", nullable=True, empty="nothing"),
    "version_after": _text("what the version says; money in major units", nullable=True, empty="nothing"),
    "version_known_at": _instant("when the version became known"),
    "known_until": _instant("when a later version became known", nullable=True, empty="it still holds"),
    "is_changed": _flag("something in the row is another than at the run before"),
    "is_newest_of_day": _flag("no later published run is of this date"),
    "run_id": _text("name of the run and of its folder"),
    "run_key": _text(
        "hash of what decides its bytes: settings, version, as-of date, known-at",
        empty="it ended before they were known",
    ),
    "run_state": _text("how the run ended", words=words.RUN_STATES),
    "run_reason": _text("why it was held or failed", empty="it was published"),
    "exit_code": Column(pl.Int64(), "exit code of the command", unit="number"),
    "known_load": _count("newest load the run looked at, 0 for none", unit="number"),
    "known_at": _instant("moment up to which facts had reached us"),
    "started_at": _instant("when the run began"),
    "run_ended_at": _instant("when the run ended"),
    "folder": _text("where its files are", nullable=True, empty="none were written"),
    "moves_breaks": _flag("the run moved the life of breaks on"),
    "summary": _text("the run's summary.json"),
    # fetches and conservation
    "names": _text("what the row names that does not exist", values=("plan", "term", "account")),
    "entity": _text("what the rows are", words=("plans", "terms", "payments", "accounts", "policies", "customers")),
    "fetched": _count("rows received in this run"),
    "accepted": _count("rows that entered the tables as new or changed"),
    "quarantined": _count("rows rejected with a reason"),
    "deduplicated": _count("rows that repeat what was known"),
    "unreadable": _count("rows whose amount could not be read; no money is counted for them"),
    "amount_fetched_minor": _sum("money received", nullable=True, empty="no amount of them can be read"),
    "amount_accepted_minor": _sum(
        "money that entered the tables", nullable=True, empty="no amount of them can be read"
    ),
    "amount_quarantined_minor": _sum("money rejected", nullable=True, empty="no amount of them can be read"),
    "amount_deduplicated_minor": _sum(
        "money that repeats what was known", nullable=True, empty="no amount of them can be read"
    ),
    "complete": _flag("the fetch reached the provider's end signal and no page failed"),
    "fresh_at": Column(
        pl.Datetime("us", "UTC"),
        "when the last complete fetch began",
        nullable=True,
        empty="never fetched completely",
        unit="UTC",
    ),
}
