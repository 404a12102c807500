"""Changes payment plans at PayIQ: create, update, deactivate; and looks for what came of it.

Nothing lists plans here: an account's setup names the plan it is in, and a plan is found through
its account. The accounts are those of the accounts file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from providers.base import AccountRef, Clock, Connection, assumed
from providers.checking import Field
from providers.errors import ProviderError
from providers.http.answers import Reply, unmarked
from providers.http.redaction import LIVE
from providers.http.transport import Call
from providers.pages import parsed
from providers.payiq.assumed import WRITES as ASSUMED
from providers.payiq.decode import Envelope, open_envelope
from providers.payiq.orders import (
    NAMED,
    NAMING,
    PLAN,
    PLAN_FIELD,
    TOKEN,
    Accounts,
    Words,
    named,
    order_of,
    plan_number,
)
from providers.payiq.reading import ASSUMED as READS
from providers.payiq.reading import NAME, SETUP, PayiqClient, connect, naming, opened, plan_ids
from providers.payiq.rows import Setup, account_key
from providers.payiq.rule import monthly
from providers.payiq.shown import Policy, Shown, differing, objections, plan_now, policy_of, remarks
from providers.reader import Reader
from providers.rows import NAME as RENAME
from providers.rows import renamed
from providers.sending import CREATED, NOT_FOUND, OK, NotProvenError, Refusal, expect_status, known_words, sent, typed
from providers.writing import Answer, Before, Desk, Found, Impossible, Order, Outcome, PlanNow, UnknownPlan, Wanted

MISSING = "DataNotFound"
REFUSALS = {2: "Validation", 3: MISSING, 4: "DuplicatePayment", 5: "PreAuthError", 6: "Declined", 8: "UserLocked"}
"""Error codes that say no for good; the others say nothing about what was executed."""
_CLASHES = {"DuplicatePayment"}
_CLASHES_ON_CHANGE = _CLASHES | {"Validation", MISSING}


class _Said(msgspec.Struct, rename="pascal"):
    """What an envelope says when it says no."""

    success: bool
    error_code: str | int | None = None
    errors: list[str] | None = None


@dataclass(frozen=True, slots=True)
class PayiqWriter(Reader):
    """Changes plans of the configured accounts of one biller."""

    client: PayiqClient
    accounts: Accounts
    words: Words

    def locate(self, wanted: Wanted) -> Wanted:
        """Return the change with the account's key; the account of an existing plan is looked for in every setup."""
        keyed = self.accounts.without_secret(wanted)
        if keyed.body.get(TOKEN) or wanted.operation not in {"update", "deactivate"}:
            return keyed
        ref = self._having(plan_number(keyed))
        given = {name: value for name, value in keyed.body.items() if value or name not in NAMING}
        return replace(keyed, body={**named(ref), **given})

    def fields(self, operation: str) -> Mapping[str, Field]:
        """Return the fields that a body may have."""
        if operation == "deactivate":
            return NAMED
        return self.words.fields() | ({PLAN: PLAN_FIELD} if operation == "update" else {})

    def order(self, wanted: Wanted) -> Order:
        """Return the call that makes the change."""
        return order_of(wanted, self.accounts, self.words)

    def before(self, order: Order) -> Before:
        """Return what PayIQ shows now: the account's policy and balance, and the plan that is to change."""
        ref = self._account(order)
        policy = self._policy(ref)
        plan = None
        if order.plan_id is not None:
            shown = self._plan(ref, order.plan_id)
            if shown is None:
                raise _no_plan(order.plan_id)
            plan = plan_now(shown, order.owner, self.words, is_named=order.plan_id in policy.plan_ids())
        wrong: list[str] = []
        worth: list[str] = []
        if order.operation != "deactivate":
            wrong += objections(policy, order.body, self.words, is_new=order.operation == "create")
            worth += remarks(policy, order.body, self.words)
        return Before(
            clock=self.transport.until_now(),
            plan=plan,
            owner=order.owner,
            plan_ids=policy.plan_ids(),
            removes=() if plan is None else plan.terms,
            symbol=policy.symbol() or "",
            total=policy.balance if order.operation != "deactivate" else None,
            facts=policy.facts(),
            objections=tuple(wrong),
            remarks=tuple(worth),
        )

    def send(self, order: Order) -> Answer:
        """Send the call, once, and tell what its answer proves."""
        try:
            token = self.accounts.token(order.owner)
        except Impossible as error:
            return Answer(Outcome.NOT_EXECUTED, None, error.what)
        LIVE.learn(token)
        body = {**order.body, TOKEN: token} if order.media else None
        query = tuple((name, token if name == "customerToken" else value) for name, value in order.query)
        call = Call(order.method, order.path, order.route, query, json=body)
        return sent(self.transport, call, form=partial(_refusal, order=order), proof=partial(self._proof, order=order))

    def look(self, order: Order, before: Before) -> Found:
        """Return what PayIQ shows of the effect: the plan as asked for, or the plan that the account is in now."""
        ref = self._account(order)
        named_now = self._policy(ref).plan_ids()
        if order.operation == "create":
            new = [plan_id for plan_id in named_now if plan_id not in before.plan_ids]
            shown = [plan for plan_id in new if (plan := self._plan(ref, plan_id)) is not None]
            made = [plan_now(plan, order.owner, self.words, is_named=True) for plan in shown]
            ours = tuple(plan for plan in made if not differing(order.body, plan.fields, self.words))
            return Found(plans=ours, others=tuple(plan for plan in made if plan not in ours))
        plan_id = order.plan_id or ""
        plan = self._plan(ref, plan_id)
        if order.operation == "update":
            if plan is None:
                return Found(contradicts="PayIQ no longer shows the plan")
            now = plan_now(plan, order.owner, self.words, is_named=plan_id in named_now)
            return Found() if differing(order.body, now.fields, self.words) else Found(plans=(now,))
        is_gone = plan_id not in named_now and (plan is None or self.words.ended != MISSING)
        return Found(plans=(_ended(order, before),)) if is_gone else Found()

    def read(self, tenant_id: str, plan_id: str, owner: str = "") -> PlanNow:  # noqa: ARG002  a key is one biller's
        """Return one plan as PayIQ shows it now; it shows terms only if the plan has payments of its own."""
        refs = [ref for ref in self.accounts.refs if owner and account_key(ref.customer_token) == owner]
        ref = refs[0] if refs else self._having(plan_id)
        plan = self._plan(ref, plan_id)
        if plan is None:
            raise _no_plan(plan_id)
        is_named = any(plan_id in self._policy(each).plan_ids() for each in refs or [ref])
        return plan_now(plan, account_key(ref.customer_token), self.words, is_named=is_named)

    def _account(self, order: Order) -> AccountRef:
        """Return the account an order is about: the one in its body, else the first of the customer that has the plan."""
        if order.body.get(TOKEN):
            return self.accounts.find(order.body)
        mine = [ref for ref in self.accounts.refs if account_key(ref.customer_token) == order.owner]
        if not mine:
            self.accounts.token(order.owner)
        having = (ref for ref in mine if order.plan_id in self._policy(ref).plan_ids())
        return mine[0] if len(mine) == 1 else next(having, mine[0])

    def _having(self, plan_id: str) -> AccountRef:
        """Return the first account whose setup names the plan; if none does, raise what kept a setup from being read."""
        failed: ProviderError | None = None
        for ref in self.accounts.refs:
            try:
                if plan_id in plan_ids(self._setup(ref)):
                    return ref
            except ProviderError as error:
                if error.may_retry:
                    raise
                failed = failed or error
        raise failed if failed is not None else _no_plan(plan_id)

    def _setup(self, ref: AccountRef) -> Envelope:
        call = Call("POST", SETUP, SETUP, json=naming(ref))
        return self.transport.read(call, lambda reply: opened(reply, f"POST {SETUP}")[1])

    def _policy(self, ref: AccountRef) -> Policy:
        return policy_of(typed(self._setup(ref).result, Setup, provider=NAME, place=f"POST {SETUP}"))

    def _plan(self, ref: AccountRef, plan_id: str) -> Shown | None:
        path = self.words.path
        query = (("customerToken", ref.customer_token), ("paymentPlanID", plan_id))
        call = Call("GET", path, path, query)
        try:
            envelope = self.transport.read(call, lambda reply: _found(reply, f"GET {path}"))
        except ProviderError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        if envelope is None or bytes(envelope.result) == b"null":
            return None
        return self._shown(envelope, f"GET {path}")

    def _shown(self, envelope: Envelope, place: str) -> Shown:
        prefix = len(RENAME)
        names = tuple(sorted((name[prefix:], word) for name, word in self.client.names["plan"].items()))
        shape: type[Shown] = renamed(Shown, names)
        return typed(envelope.result, shape, provider=NAME, place=place)

    def _proof(self, reply: Reply, order: Order) -> str | None:
        """Return the plan's id, if the envelope says success and shows the plan as it was asked for."""
        expect_status(reply, OK, CREATED)
        place = f"{order.method} {order.route}"
        envelope = parsed(reply, open_envelope, provider=NAME, place=place)
        if envelope.failed():
            raise NotProvenError("the answer says no for a reason that proves nothing")
        plan = self._shown(envelope, place)
        plan_id = str(plan.payment_plan_id)
        if order.plan_id not in {None, plan_id}:
            raise NotProvenError("the answer shows another plan than the one that was to change", plan_id)
        shown = plan_now(plan, order.owner, self.words, is_named=True)
        wrong = [] if order.operation == "deactivate" else differing(order.body, shown.fields, self.words)
        if wrong:
            raise NotProvenError(f"the plan in the answer differs in {', '.join(wrong)}", plan_id)
        return plan_id


def _found(reply: Reply, place: str) -> Envelope | None:
    """Return the envelope of a read; None if it says that nothing has this id."""
    envelope = parsed(reply, open_envelope, provider=NAME, place=place)
    if not envelope.success and envelope.error_code in {MISSING, 3, "3"}:
        return None
    return opened(reply, place)[1]


def _refusal(reply: Reply, order: Order) -> Refusal | None:
    """Return PayIQ's refusal: an envelope with Success false and a code that says so for good."""
    try:
        said = msgspec.json.decode(unmarked(reply.body), type=_Said)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    code = REFUSALS.get(int(said.error_code)) if str(said.error_code).isdecimal() else said.error_code  # type: ignore[arg-type]
    if said.success or code not in REFUSALS.values():
        return None
    about = known_words(said.errors or (), (*order.body, "CustomerToken", "PaymentPlanID"))
    clashes = _CLASHES if order.operation == "create" else _CLASHES_ON_CHANGE
    return Refusal(f"PayIQ refused it: {code}{about}", clashes=code in clashes)


def _ended(order: Order, before: Before) -> PlanNow:
    """Return the plan as it was last seen, now ended."""
    if before.plan is not None:
        return replace(before.plan, status="DEACTIVATED")
    return PlanNow(order.plan_id or "", order.owner, "DEACTIVATED", "")


def _no_plan(plan_id: str) -> UnknownPlan:
    return UnknownPlan(f"no configured account has plan {plan_id}", provider=NAME)


def _words(words: Mapping[str, str]) -> Words:
    return Words(
        path=words["plan_path"],
        create=words["write.create"],
        due_date=words["write.due_date"],
        day_of_month=words["write.day_of_month"],
        date=words["write.payment_date"],
        amount=words["write.payment_amount"],
        ended=words["write.ended"],
    )


def compose(connection: Connection, *, clock: Clock, wire: object = None) -> PayiqWriter:
    """Return a writer that has sent nothing yet."""
    words = assumed(NAME, {**READS, **ASSUMED}, connection.overrides)
    client = connect(connection, clock=clock, wire=wire)
    accounts = Accounts(connection.accounts)
    return PayiqWriter(transport=client.transport, client=client, accounts=accounts, words=_words(words))


DESK = Desk(NAME, ASSUMED, compose, rule=monthly, hidden=frozenset({"PaymentAccount", "PaymentAccountToken"}))
