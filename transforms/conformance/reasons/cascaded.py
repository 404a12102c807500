"""The provider counts the next term from the moved date instead of from the first one, or the other way round."""

from transforms.conformance.changes import Change

REASON = "CASCADED"
CAUSE = "later terms follow a moved date, or do not"

_CHAIN = frozenset({"chain"})

CHANGES = (
    Change(
        says="later terms are counted from a moved date",
        touches=_CHAIN,
        conventions={"cascade": True, "drift": False},
    ),
    Change(says="later terms do not follow a moved date", touches=_CHAIN, conventions={"cascade": False}),
)
