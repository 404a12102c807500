"""The commands below `planrecon plan`. Each calls one function of this room and returns its exit code."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from flows import log
from flows.commands.options import Config, Format, ProviderName, Raw
from flows.errors import UsageError
from schemas.words import IntentState

if TYPE_CHECKING:
    from flows.commands.writes.outcomes import Outcome

app = App(
    name="plan",
    help="Create, approve, reject, end or change plans at a provider, each at most once; a dry run unless --yes is given.",
)
Answered = Annotated[Literal["text", "json"], Parameter(name="--format", help="How the results are written.")]
PlanIds = Annotated[tuple[str, ...], Parameter(help="Ids of the plans at the provider.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Sending:
    """What every command that changes something takes.

    Attributes:
        provider: At which provider; it must be configured.
        yes: Send it; without this nothing is changed anywhere.
        preview: Send only if the preview is still the one with this hash: the dry run prints it.
        format: How the results are written.
    """

    provider: ProviderName
    yes: Annotated[bool, Parameter(negative="")] = False
    preview: str = ""
    format: Literal["text", "json"] = "text"
    config: Config = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Changing(Sending):
    """What every command that changes an existing plan takes.

    Attributes:
        tenant: Administration, lender or biller; found by the plan's id where not given.
    """

    tenant: str = ""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Deciding(Changing):
    """What the commands that decide on a proposal take.

    Attributes:
        provider: At which provider; only Payt has proposals.
    """

    provider: ProviderName = "payt"


@app.command
def create(
    *,
    file: Annotated[
        Path, Parameter(help="One JSON object or a list of them, or a CSV: the provider's documented body.")
    ],
    again: Annotated[str, Parameter(help="Reason to create once more what was created before.")] = "",
    sending: Sending,
) -> int:
    """Create the plans of FILE. A Totality body names its loan as `loanUuid` beside the other fields."""
    from flows.commands.writes.outcomes import Choice
    from flows.commands.writes.plans import create as create_plans

    choice = Choice(yes=sending.yes, again=again, seen=sending.preview)
    return _answer(create_plans(sending.config, provider=sending.provider, file=file, choice=choice), sending.format)


@app.command
def approve(plan_id: PlanIds, /, *, changing: Deciding = Deciding()) -> int:
    """Approve proposed plans."""
    return _change("approve", plan_id, changing)


@app.command
def reject(
    plan_id: PlanIds = (),
    /,
    *,
    where: Annotated[
        Literal["policy"] | None, Parameter(help="Instead of ids: the proposed plans that break [writes.policy].")
    ] = None,
    changing: Deciding = Deciding(),
) -> int:
    """Reject proposed plans, by id or by rule."""
    if where is None:
        return _change("reject", plan_id, changing)
    if plan_id:
        raise UsageError("give ids or --where, not both")
    from flows.commands.writes.outcomes import Choice
    from flows.commands.writes.plans import reject_by_policy

    choice = Choice(yes=changing.yes, seen=changing.preview)
    done = reject_by_policy(changing.config, provider=changing.provider, tenant=changing.tenant, choice=choice)
    return _answer(done, changing.format)


@app.command
def deactivate(plan_id: PlanIds, /, *, changing: Changing) -> int:
    """End active plans; at Totality and PayIQ this is their DELETE call."""
    return _change("deactivate", plan_id, changing)


@app.command
def update(
    plan_id: Annotated[str, Parameter(help="Id of the plan at the provider.")],
    /,
    *,
    file: Annotated[Path, Parameter(help="One JSON object: what the provider's update or revise call takes.")],
    changing: Changing,
) -> int:
    """Change a plan: collector, contact method or state at Totality, any documented field at PayIQ."""
    return _change("update", (plan_id,), changing, file)


@app.command(name="list")
def list_plans(
    *,
    state: Annotated[IntentState | None, Parameter(help="Only intents in this state.")] = None,
    format: Format = "table",  # noqa: A002  the option's name is fixed
    raw: Raw = False,
    config: Config = None,
) -> int:
    """List what was wanted of the providers, and how far it came."""
    from flows.commands.writes.intents import list_intents

    return list_intents(config, state=state, style=format, raw=raw)


@app.command
def show(
    intent: Annotated[str, Parameter(help="Id of the intent, or its beginning.")],
    /,
    *,
    format: Answered = "text",  # noqa: A002  the option's name is fixed
    config: Config = None,
) -> int:
    """Show one intent: what was agreed, and everything that happened to it."""
    from flows.commands.writes.intents import show_intent

    return show_intent(config, intent, style=format)


@app.command
def resume(
    intent: Annotated[
        str | None, Parameter(help="Id of the intent, or its beginning; all open ones where not given.")
    ] = None,
    /,
    *,
    yes: Annotated[
        bool, Parameter(name="--yes", negative="", help="Also send what was approved; without this only look.")
    ] = False,
    as_: Annotated[
        Literal["done", "refused"] | None,
        Parameter(name="--as", help="Decide a parked intent by what you saw at the provider."),
    ] = None,
    plan_id: Annotated[
        str | None, Parameter(name="--plan", help="With --as done: the plan's id at the provider.")
    ] = None,
    reason: Annotated[str, Parameter(help="With --as: how you know; it stays in the log.")] = "",
    format: Answered = "text",  # noqa: A002  the option's name is fixed
    config: Config = None,
) -> int:
    """Go on with changes whose end is not known: look at the provider, then decide."""
    from flows.commands.writes.intents import decide
    from flows.commands.writes.intents import resume as resume_intents

    if as_ is None:
        return _answer(resume_intents(config, intent, yes=yes), format)
    if intent is None:
        raise UsageError("name the intent that --as decides")
    return _answer(decide(config, intent, ending=as_, plan_id=plan_id, reason=reason), format)


@app.command
def verify(
    *,
    online: Annotated[
        bool, Parameter(negative="", help="Also compare every created plan with what its provider shows.")
    ] = False,
    config: Config = None,
) -> int:
    """Check that nobody has changed the log of write-backs."""
    from flows.commands.writes.intents import verify as verify_log

    return verify_log(config, online=online)


def _change(operation: str, plan_ids: tuple[str, ...], asked: Changing, file: Path | None = None) -> int:
    from flows.commands.writes.outcomes import Choice
    from flows.commands.writes.plans import change

    outcome = change(
        asked.config,
        provider=asked.provider,
        operation=operation,
        plan_ids=plan_ids,
        tenant=asked.tenant,
        file=file,
        choice=Choice(yes=asked.yes, seen=asked.preview),
    )
    return _answer(outcome, asked.format)


def _answer(outcome: "Outcome", style: str) -> int:
    from flows import streams
    from flows.commands.writes.outcomes import as_json
    from reports.texts import exact

    if style == "json":
        print(exact(as_json(outcome)))
    else:
        streams.say(log.masked(outcome.text))
    return outcome.code
