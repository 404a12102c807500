"""Reads PayIQ: a signed token, failures inside a 200, and no call that lists its customers.

The accounts come from a file. Each is asked for its setup, then for the plans the setup names,
its payments and its bills; these count as they were where the setup is, to the byte. The setup call is a POST and a read: it may be repeated. Changes of
plans are in `writing`.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import count, islice
from time import monotonic

import msgspec
from msgspec import UNSET

from providers.base import AccountRef, Assumption, Before, Clock, Connection, Page, Provider, SweepRequest, assumed
from providers.errors import (
    Misdirected,
    NotConfigured,
    NotPermitted,
    ProviderError,
    Refused,
    Unreachable,
    Unreadable,
    Unstable,
    Untrusted,
)
from providers.http.answers import Reply
from providers.http.auth import Signed, Tokens
from providers.http.transport import Call, Transport
from providers.pages import LOG, Limits, Rows, Settling, Watch, by_field, parsed
from providers.payiq.assumed import WRITES
from providers.payiq.decode import OUTLINES, Envelope, decode, open_envelope
from providers.payiq.rows import SHAPES, TABLES, Setup, account_key
from providers.reader import Reader, page_of, with_evidence
from providers.rows import NAME as RENAME
from providers.rows import UNREADABLE

NAME = "payiq"
PORTFOLIO = "portfolio"
SETUP = "Api/PaymentPlan/Setup"
PAGE_SIZE = 100
AHEAD = 16
"""Accounts asked for before their turn; their pages wait in memory."""
TOLD_ACCOUNTS = 500
"""After how many accounts the progress is told."""
FAILED_ACCOUNTS = 100
"""Accounts that may fail on their own before the provider as a whole is given up."""
ERROR_CODES = {
    "None",
    "SystemError",
    "Validation",
    "DataNotFound",
    "DuplicatePayment",
    "PreAuthError",
    "Declined",
    "ServiceUnavailable",
    "UserLocked",
}
_PASSING = {"SystemError", "ServiceUnavailable", "1", "7"}
_LOCKED = {"UserLocked", "8"}

ASSUMED: Mapping[str, Assumption] = {
    "auth_path": Assumption("Api/Auth", "token call below base_url; token_url overrides it"),
    "signature": Assumption("hex HMAC-SHA256 of APIKey + CreationDate", "how a token request is signed"),
    "token_minutes": Assumption("60", "life of a token; a refused one is replaced once"),
    "plan_path": Assumption("Api/PaymentPlan", "read of one plan, customerToken and paymentPlanID in the query"),
    "payment_path": Assumption(
        "Api/Payment", "list of an account's payments, pages from 1, ends with an empty list", ("payments",)
    ),
    "setup_tells": Assumption(
        "yes",
        "a payment, a bill or a change of plan shows in the account's setup: where that is as it was, nothing else is asked "
        "for between two fetches of everything; no: everything always is",
        ("plan", "payments", "invoices"),
    ),
    "invoice_end": Assumption("an empty list", "how the documented list of bills ends"),
    "lookback": Assumption(
        "", "LookbackDate of payments and bills; empty: none is sent and everything is asked for", ("payments",)
    ),
    "pending_status": Assumption(
        "Initiated or a pending PaymentStatusType", "values of a pending payment's Status", ("payments",)
    ),
    **{
        f"{entity}.{item.encode_name}": Assumption(item.encode_name, "field of an answer that no page shows", (entity,))
        for entity, names in {
            "plan": {"DateToStart", "Payments"},
            "payments": {"Status", "Total", "PaymentDate"},
        }.items()
        for item in msgspec.structs.fields(SHAPES[entity].struct)
        if item.encode_name in names
    },
}


_NAMING = ("reference_number", "other_data", "account_key")
"""What in a page's context names the account it is about."""

Batch = tuple[list[Page], ProviderError | None]
"""What one account gave, and the error that ended it early."""


@dataclass(frozen=True, slots=True)
class PayiqClient(Reader):
    """Reads the accounts of one biller, a few at a time."""

    accounts: tuple[AccountRef, ...]
    page_size: int
    connection: Connection
    workers: int
    words: Mapping[str, str]
    names: Mapping[str, Mapping[str, str]]

    def tenants(self) -> Iterator[Page]:
        """Nothing: an API key is one biller."""
        return iter(())

    def sweeps(self, tenant_id: str, since: Mapping[str, datetime | None]) -> list[SweepRequest]:
        """One: everything of every account. Nothing here can be asked for by date of change."""
        return [SweepRequest(PORTFOLIO, tenant_id, since.get(PORTFOLIO), by_owner=True)]

    def pull(self, sweep: SweepRequest) -> Iterator[Page]:
        """Yield every account's pages in the order of the accounts, though several are requested at once.

        An account that is refused or cannot be read does not keep the others from being read;
        its error is raised at the end, so that the sweep does not pass for complete.
        """
        failed: list[ProviderError] = []
        unread: list[Mapping[str, str]] = []
        refs = self._wanted(sweep)
        with ThreadPoolExecutor(self.workers, thread_name_prefix=NAME) as pool:
            try:
                batches = _in_order(pool, lambda ref: self._account(ref, sweep), refs)
                for number, (ref, (pages, error)) in enumerate(zip(refs, batches, strict=True), start=1):
                    yield from pages
                    if number % TOLD_ACCOUNTS == 0:
                        LOG.info("  %s: %d of %d accounts so far", NAME, number, len(refs))
                    if error is None:
                        continue
                    failed.append(error)
                    unread.append(_context(ref))
                    if not _about_one_account(error) or len(failed) > FAILED_ACCOUNTS:
                        break
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        if failed:
            told = failed[0] if _about_one_account(failed[-1]) and len(failed) <= FAILED_ACCOUNTS else failed[-1]
            told.unread = tuple(unread)
            raise told

    def _wanted(self, sweep: SweepRequest) -> tuple[AccountRef, ...]:
        if sweep.owners is None:
            return self.accounts
        asked = {tuple(owner.get(name) for name in _NAMING) for owner in sweep.owners}
        return tuple(ref for ref in self.accounts if tuple(_context(ref)[name] for name in _NAMING) in asked)

    def _account(self, ref: AccountRef, sweep: SweepRequest) -> Batch:
        pages: list[Page] = []
        name = ties(_context(ref))[0]
        try:
            for page in self._pages(ref, sweep.tenant_id):
                pages.append(page)
                if len(pages) == 1 and self._is_as_it_was(page, sweep.before.get(name, ())):
                    if name not in sweep.moving:
                        return [replace(page, speaks_for=("plan", "payments", "invoices"))], None
                    pages[0] = replace(page, speaks_for=("plan",))
                    pages += self._paged(ref, sweep.tenant_id, "payments")
                    pages[-1] = replace(pages[-1], speaks_for=("invoices",))
                    break
        except ProviderError as error:
            return pages, error
        return pages, None

    def _is_as_it_was(self, setup: Page, before: Sequence[Before]) -> bool:
        """Tell whether the setup is that of the last fetch, and the other pages would be read today as they were then."""
        if self.words["setup_tells"] != "yes" or not before or before[0].context != setup.context:
            return False
        names = (
            (one.entity, {name: word for name, word in one.context.items() if name.startswith(RENAME)})
            for one in before
        )
        return sha256(setup.body).hexdigest() == before[0].sha256 and all(
            own == self.names.get(entity) for entity, own in names
        )

    def _pages(self, ref: AccountRef, tenant_id: str) -> Iterator[Page]:
        asked = naming(ref)
        about = Asked(tenant_id, _context(ref))
        setup = yield from self._one(Call("POST", SETUP, SETUP, json=asked), about.named("setup", {}))
        for plan_id in plan_ids(setup):
            path = self.words["plan_path"]
            call = Call("GET", path, path, (("customerToken", ref.customer_token), ("paymentPlanID", plan_id)))
            yield from self._one(call, about.named("plan", {**self.names["plan"], "payment_plan_id": plan_id}))
        for entity in ("payments", "invoices"):
            yield from self._paged(ref, tenant_id, entity)

    def _paged(self, ref: AccountRef, tenant_id: str, entity: str) -> Iterator[Page]:
        path = self.words["payment_path"] if entity == "payments" else "Api/Invoice"
        about = Asked(tenant_id, _context(ref)).named(entity, self.names[entity])
        return self._list(path, tuple(naming(ref).items()), about)

    def _one(self, call: Call, about: "Asked") -> Generator[Page, None, Envelope]:
        """Return the answer to one call as a page; a refusal is kept as evidence and raised."""
        answers: list[Envelope] = []

        def ask() -> Iterator[Page]:
            page, envelope = self._ask(call, about)
            answers.append(envelope)
            yield page

        yield from with_evidence(ask(), about.sweep, about.context)
        return answers[0]

    def _ask(self, call: Call, about: "Asked") -> tuple[Page, Envelope]:
        reply, envelope = self.transport.read(call, lambda reply: opened(reply, f"{call.method} {call.route}"))
        return page_of(reply, about.entity, about.tenant_id, about.context), envelope

    def _list(self, path: str, asked: tuple[tuple[str, str], ...], about: "Asked") -> Iterator[Page]:
        limits = Limits.of(self.connection)
        back = (("LookbackDate", self.words["lookback"]),) if self.words["lookback"] else ()

        def walk(_since: datetime | None) -> Iterator[tuple[Page, Rows]]:
            watch = Watch(NAME, f"GET {path}", limits)
            for number in count(1):
                paged = (("Page", str(number)), ("PageSize", str(self.page_size)))
                page, envelope = self._ask(Call("GET", path, path, (*asked, *paged, *back)), about)
                rows = _rows(envelope)
                yield page, rows
                if not rows:
                    return
                watch.new(bytes(envelope.result))

        # Pages are numbered: a row that comes or goes while they are read shifts every page behind it.
        field = str(SHAPES[about.entity].key)
        key = by_field(about.context.get(RENAME + field, field))
        pages = Settling(walk, self.transport.until_now, key, looks=False, full=self.page_size).pages(None)
        yield from with_evidence(pages, about.sweep, about.context)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is an answer to."""

    tenant_id: str
    context: Mapping[str, str]
    entity: str = ""

    def named(self, entity: str, more: Mapping[str, str]) -> "Asked":
        """Return the same account, to be asked for one entity."""
        return Asked(self.tenant_id, {**self.context, **more}, entity)

    @property
    def sweep(self) -> SweepRequest:
        """Return the sweep under which evidence is kept."""
        return SweepRequest(self.entity, self.tenant_id)


def naming(ref: AccountRef) -> dict[str, str]:
    """Return how the provider is told which account is meant; holds the customer's token."""
    return {
        "CustomerToken": ref.customer_token,
        "ReferenceNumber": ref.reference_number,
        "OtherData": ref.other_data,
    }


def _names(entity: str, words: Mapping[str, str]) -> dict[str, str]:
    """Return what decoding needs to know of fields that a live system names otherwise than assumed."""
    mine = f"{entity}."
    fields = {name[len(mine) :]: word for name, word in words.items() if name.startswith(mine)}
    return {RENAME + name: word for name, word in fields.items() if word != name}


def _context(ref: AccountRef) -> dict[str, str]:
    """Return what names the account without the customer's token, which is a secret; its hash tells accounts apart."""
    return {
        "reference_number": ref.reference_number,
        "other_data": ref.other_data,
        "account_key": account_key(ref.customer_token),
    }


def ties(context: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a page is read with: the account as asked, the customer, the reference, and the plan it shows.

    A payment finds its account by the reference, a plan may be shown by several accounts.
    """
    told = context.get
    reference, other, key = told("reference_number", ""), told("other_data", ""), told("account_key", "")
    plan = told("payment_plan_id")
    named = (f"{key} {reference} {other}", f"customer {key}", f"reference {reference} {other}")
    return (*named, f"plan {plan}") if plan else named


def opened(reply: Reply, place: str) -> tuple[Reply, Envelope]:
    """Return the answer and its envelope, if it says that the call succeeded."""
    envelope = parsed(reply, open_envelope, provider=NAME, place=place)
    if not envelope.failed():
        return reply, envelope
    code = str(envelope.error_code or "")
    kind: type[ProviderError] = Unreachable if code in _PASSING else NotPermitted if code in _LOCKED else Refused
    named = code if code in ERROR_CODES else "an error code nobody documented"
    raise kind(
        f"the answer says Success false, {named}",
        provider=NAME,
        endpoint=place,
        status=reply.status,
        request_id=envelope.error_id,
        evidence=reply.evidence(),
        next_step="Look the account up at the provider; the line of accounts_file may be out of date.",
    )


def _about_one_account(error: ProviderError) -> bool:
    if isinstance(error, (NotPermitted, Misdirected, Untrusted)):
        return False
    return isinstance(error, (Refused, Unreadable, Unstable))


def _rows(envelope: Envelope) -> Rows:
    """Return the rows of one page of a list; anything else counts as one row: decoding says what is wrong with it."""
    if bytes(envelope.result).strip() == b"null":
        return []
    try:
        return msgspec.json.decode(envelope.result, type=list[msgspec.Raw])
    except UNREADABLE:
        return [envelope.result]


def plan_ids(setup: Envelope) -> list[str]:
    """Return the plans that a setup names, each once; none if it cannot be read: decoding says what is wrong."""
    try:
        row = msgspec.json.decode(setup.result, type=Setup)
    except UNREADABLE:
        return []
    named = (account.existing_payment_plan_id for account in row.accounts or [])
    return list(dict.fromkeys(str(plan_id) for plan_id in named if plan_id not in {UNSET, None, 0, "", "0"}))


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[AccountRef], Batch], refs: Iterable[AccountRef]
) -> Iterator[Batch]:
    """Yield what `work` makes of each, in order; only a few more than there are threads wait at any time."""
    waiting: deque[Future[Batch]] = deque()
    left = iter(refs)
    for ref in islice(left, AHEAD):
        waiting.append(pool.submit(work, ref))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(work, ref) for ref in islice(left, 1))


def connect(connection: Connection, *, clock: Clock, wire: object = None) -> PayiqClient:
    """Return a client for these credentials and accounts that has sent nothing yet."""
    words = assumed(NAME, {**ASSUMED, **WRITES}, connection.overrides)
    if words["setup_tells"] not in {"yes", "no"}:
        raise NotConfigured(
            f"setup_tells of its assumptions is {words['setup_tells'][:40]!r}, and may be yes or no", provider=NAME
        )
    if not connection.api_key or not connection.signing_secret:
        raise NotConfigured("api_key and signing_secret are both needed", provider=NAME)
    if not connection.accounts:
        raise NotConfigured("accounts_file names no account, and this provider lists none", provider=NAME)
    route = words["auth_path"]
    signed = Signed(
        NAME,
        connection.token_url or f"{connection.base_url.rstrip('/')}/{route}",
        route,
        clock,
        connection.api_key,
        connection.signing_secret,
        connection.role,
        float(words["token_minutes"]) * 60,
    )
    tokens = Tokens(NAME, first=connection.token, obtain=signed, monotonic=monotonic)
    transport = Transport(NAME, connection, clock=clock, tokens=tokens, rate=None, wire=wire)
    return PayiqClient(
        transport,
        connection.accounts,
        connection.page_size or PAGE_SIZE,
        connection,
        max(connection.workers, 1),
        words,
        {entity: _names(entity, words) for entity in SHAPES},
    )


def tenant_ids(_pages: Iterable[Page]) -> list[str]:
    """None: the configuration names the biller."""
    return []


PROVIDER = Provider(
    name=NAME,
    ASSUMED=ASSUMED,
    TABLES={table.name: table.types() for table in TABLES.values()},
    connect=connect,
    decode=decode,
    OUTLINES=OUTLINES,
    tenant_ids=tenant_ids,
    tenant=NAME,
    account_columns=("CustomerToken", "ReferenceNumber", "OtherData"),
    ties=ties,
)
