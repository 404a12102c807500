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
from flows.commands.options import ProviderName
from flows.commands.writes.outcomes import NEEDS_A_PERSON, Choice, Outcome
from flows.commands.writes.plans import create, reject_by_policy
from flows.configuration import beside, chosen_file, load
from flows.deploy import flow_runs
from flows.reconcile import PrefectTasks, ended
from reports.markdown import listed


@flow(
    name="create-plans",
    flow_run_name="create plans at {provider}",
    persist_result=False,
    retries=0,
    **flow_runs.AT_THE_END,
)
def create_plans(file: str, provider: ProviderName, config: str | None = None, *, send: bool = False) -> State[None]:
    """Create the plans of a file.

    Args:
        file: JSON or CSV file with the provider's documented bodies; a relative path starts at the configuration's folder.
        provider: Name of a configured provider.
        config: Path of the configuration file on the machine where the run takes place, from the root; set by
            `planrecon deploy` and `planrecon serve`.
        send: Send what the dry run shows.
    """
    choice, given = Choice(yes=send), _path(config)
    place = beside(chosen_file(given), Path(file))
    return _shown("create plans", lambda: create(given, provider=provider, file=place, choice=choice), given, choice)


@flow(
    name="reject-plans",
    flow_run_name="reject plans at {provider}",
    persist_result=False,
    retries=0,
    **flow_runs.AT_THE_END,
)
def reject_plans(provider: ProviderName = "payt", config: str | None = None, *, send: bool = False) -> State[None]:
    """Reject the proposed plans that break the configured policy.

    Args:
        provider: Name of a configured provider whose plans can be rejected.
        config: Path of the configuration file on the machine where the run takes place, from the root; set by
            `planrecon deploy` and `planrecon serve`.
        send: Send what the dry run shows.
    """
    choice, given = Choice(yes=send), _path(config)
    return _shown("reject by policy", lambda: reject_by_policy(given, provider=provider, choice=choice), given, choice)


def _path(config: str | None) -> Path | None:
    return Path(config) if config else None


def _shown(name: str, step: Callable[[], Outcome], config: Path | None, choice: Choice) -> State[None]:
    """Run the step as one task that is never repeated, and show what came of it."""

    def shown() -> State[None]:
        tasks = PrefectTasks()
        tasks.begin(load(config).warehouse.state_dir)
        outcome = tasks.call(name, step)
        tasks.show("planrecon-writes", markdown=listed(log.masked(outcome.brief).splitlines()))
        rows = [{key: str(value or "") for key, value in one.to_dict().items()} for one in outcome.results]
        tasks.show("planrecon-write-results", table=rows)
        if outcome.code:
            headline = "NeedsAPerson" if outcome.code == NEEDS_A_PERSON else "NotDone"
            return Failed(name=headline, message=outcome.brief)
        return Completed(name="Sent" if choice.yes else "DryRun", message=outcome.brief)

    return ended(shown)
