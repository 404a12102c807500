"""Changes at the providers as flows: dry runs unless told otherwise, never retried, their results an artifact.

An orchestrator may call a flow again, twice at a time, or bring a dead one back: the log of intents decides what
is still to be done, so none of that has a second effect.
"""

from collections.abc import Callable
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import log
from flows.outcomes import NEEDS_A_PERSON, Choice, Outcome
from flows.plans import create, reject_by_policy
from flows.reconcile import PrefectTasks
from flows.settings import beside, chosen_file


@flow(name="create-plans", persist_result=False, retries=0)
def create_plans(file: str, provider: str, config: str | None = None, *, send: bool = False) -> State[None]:
    """Create the plans of a file.

    Args:
        file: JSON or CSV file with the provider's documented bodies; a relative path starts at the configuration's folder.
        provider: Name of a configured provider.
        config: Path of the configuration file; `planrecon.toml` or the environment where empty.
        send: Send what the dry run shows.
    """
    choice, given = Choice(yes=send), _path(config)
    place = beside(chosen_file(given), Path(file))
    return _shown("create plans", lambda: create(given, provider=provider, file=place, choice=choice), choice)


@flow(name="reject-plans", persist_result=False, retries=0)
def reject_plans(provider: str = "payt", config: str | None = None, *, send: bool = False) -> State[None]:
    """Reject the proposed plans that break the configured policy.

    Args:
        provider: Name of a configured provider whose plans can be rejected.
        config: Path of the configuration file; `planrecon.toml` or the environment where empty.
        send: Send what the dry run shows.
    """
    choice = Choice(yes=send)
    return _shown("reject by policy", lambda: reject_by_policy(_path(config), provider=provider, choice=choice), choice)


def _path(config: str | None) -> Path | None:
    return Path(config) if config else None


def _shown(name: str, step: Callable[[], Outcome], choice: Choice) -> State[None]:
    """Run the step as one task that is never repeated, and show what came of it."""
    tasks = PrefectTasks()
    outcome = tasks.call(name, step)
    tasks.show("planrecon-writes", markdown=f"```\n{log.masked(outcome.brief)}\n```")
    rows = [{key: str(value or "") for key, value in one.to_dict().items()} for one in outcome.results]
    tasks.show("planrecon-write-results", table=rows)
    if outcome.code:
        ended = "NeedsAPerson" if outcome.code == NEEDS_A_PERSON else "NotDone"
        return Failed(name=ended, message=outcome.brief)
    return Completed(name="Sent" if choice.yes else "DryRun", message=outcome.brief)
