"""What the clients of all providers have in common: a transport, its closing, and keeping evidence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from providers.base import Page, SweepRequest, Traffic
from providers.errors import ProviderError
from providers.http.answers import Reply
from providers.http.transport import Transport


@dataclass(frozen=True, slots=True)
class Reader:
    """A client's base; thread-safe, closes its connections on leaving."""

    transport: Transport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.transport.close()

    def traffic(self) -> Traffic:
        """Requests, retries and bytes so far."""
        return self.transport.traffic()


def page_of(reply: Reply, entity: str, tenant_id: str, context: Mapping[str, str]) -> Page:
    """Return the answer as a page to store."""
    return Page(entity, tenant_id, reply.body, context, reply.status, reply.clock, reply.received_at)


def with_evidence(pages: Iterator[Page], sweep: SweepRequest, context: Mapping[str, str]) -> Iterator[Page]:
    """Yield the same pages; an unreadable answer is yielded too, so that it is kept, before its error is raised."""
    try:
        yield from pages
    except ProviderError as error:
        kept = error.evidence
        if kept is not None:
            yield Page(sweep.name, sweep.tenant_id, kept.body, context, kept.status, kept.clock, kept.received_at)
        raise
