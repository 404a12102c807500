"""What the answer to a change proves. One table for all providers; only the form of a refusal is each one's own.

    connection refused, no token, 429                     not executed
    2xx with the plan that was asked for, or 204          done
    4xx, or a 2xx that says no, in the provider's form    refused
    everything else                                       unknown

Unknown is also what most failures are: a server error may come after the effect, a broken connection
says nothing, and an answer nobody can read proves nothing.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from providers.errors import ProviderError, Unreadable
from providers.http.answers import ERRORS, REDIRECTS, Reply, unmarked
from providers.http.transport import Call, Transport
from providers.rows import UNREADABLE, fault_of
from providers.writing import Answer, Outcome

T = TypeVar("T")
OK, CREATED, NO_CONTENT = 200, 201, 204
NOT_FOUND, TIMED_OUT, CONFLICT, UNPROCESSABLE, TOO_MANY, FAILED = 404, 408, 409, 422, 429, 500
_IDS, _LONGEST_ID = ("id", "uuid", "PaymentPlanID", "ID"), 60
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The provider's own no. `said` repeats none of its text but known words; `clashes` as in an answer."""

    said: str
    clashes: bool = False


class NotProvenError(Exception):
    """An answer of success that does not show what was asked for. `plan_id` where it names one."""

    def __init__(self, what: str, plan_id: str | None = None) -> None:
        super().__init__(what)
        self.what, self.plan_id = what, plan_id


Form = Callable[[Reply], Refusal | None]
"""Reads a refusal in the provider's own form; None if the answer is not a refusal."""
Proof = Callable[[Reply], str | None]
"""Reads the plan's id off an answer of success, or raises."""


def sent(transport: Transport, call: Call, *, form: Form, proof: Proof) -> Answer:
    """Send the call once and return what its answer proves. Never raises because of the provider."""
    try:
        reply = transport.deliver(call)
    except ProviderError as error:
        outcome = Outcome.NOT_EXECUTED if error.unsent else Outcome.UNKNOWN
        return Answer(outcome, error.status, _clause(error), retry_after=error.retry_after)
    return answered(reply, form=form, proof=proof)


def answered(reply: Reply, *, form: Form, proof: Proof) -> Answer:
    """Return what one whole answer proves."""
    status = reply.status
    if status == TOO_MANY:
        return Answer(Outcome.NOT_EXECUTED, status, "too many requests", retry_after=reply.retry_after)
    refusal = form(reply) if status < REDIRECTS or (ERRORS <= status < FAILED and status != TIMED_OUT) else None
    if refusal is not None:
        return Answer(Outcome.REFUSED, status, refusal.said, clashes=refusal.clashes)
    if status >= REDIRECTS:
        what = "the provider's server failed" if status >= FAILED else "an error that is not the provider's own"
        return Answer(Outcome.UNKNOWN, status, what)
    try:
        return Answer(Outcome.DONE, status, "the provider confirms it", plan_id=proof(reply))
    except NotProvenError as error:
        return Answer(Outcome.UNKNOWN, status, error.what, plan_id=error.plan_id)
    except ProviderError as error:
        return Answer(Outcome.UNKNOWN, status, _clause(error))


def _clause(error: ProviderError) -> str:
    return f"{error.what} ({error.endpoint})" if error.endpoint else error.what


def expect_status(reply: Reply, *statuses: int) -> None:
    """Raise unless the status is one of these; another success, such as `accepted`, says that work is still to come."""
    if reply.status not in statuses:
        raise NotProvenError("an answer of success that is not documented")


def nothing_more(reply: Reply) -> None:
    """Raise unless the answer is 204: done, without content."""
    expect_status(reply, NO_CONTENT)


def known_words(texts: Iterable[str], known: Iterable[str]) -> str:
    """Return the documented field names in these texts, as the end of a clause; nothing else of them is repeated."""
    standing = {word for text in texts for word in _WORD.findall(text)}
    found = [name for name in known if name in standing]
    return f", about {', '.join(found)}" if found else ""


def typed(raw: msgspec.Raw | bytes, kind: type[T], *, provider: str, place: str) -> T:
    """Return a row under its declared shape.

    Raises:
        Unreadable: it has another one.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except UNREADABLE as error:
        message = f"row {name_of(raw)} is not what is documented: {fault_of(error).reason}"
        raise Unreadable(message, provider=provider, endpoint=place) from None


def name_of(raw: msgspec.Raw | bytes) -> str:
    """Return the row's own id; `without an id` if it has none."""
    fields = as_fields(raw)
    shown = (bytes(fields[name]).decode().strip('"') for name in _IDS if name in fields)
    return next((text[:_LONGEST_ID] for text in shown if text), "without an id")


def as_object(reply: Reply) -> dict[str, msgspec.Raw]:
    """Return the answer as a JSON object; empty if it is none."""
    return as_fields(msgspec.Raw(unmarked(reply.body)))


def complaint(reply: Reply) -> tuple[str, dict[str, msgspec.Raw]] | None:
    """Return an error's message and the fields beside it, at the top of the body or below `error`; None without one."""
    fields = as_object(reply) if reply.status >= ERRORS else {}
    for said in (fields, as_fields(fields.get("error", msgspec.Raw()))):
        message = as_text(said.get("message"))
        if message is not None:
            return message, said
    return None


def as_fields(raw: msgspec.Raw | bytes) -> dict[str, msgspec.Raw]:
    """Return the fields of a JSON object; none if it is no object."""
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return {}


def as_text(raw: msgspec.Raw | None) -> str | None:
    """Return a JSON text; None if it is none."""
    try:
        return None if raw is None else msgspec.json.decode(raw, type=str)
    except UNREADABLE:
        return None
