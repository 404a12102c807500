"""Automations on a Prefect server: whoever is to know is told of a run that published nothing, and of a morning without one."""

from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any
from uuid import UUID

from flows.errors import UsageError

PREFIX = "planrecon: "
BAD_ENDS = frozenset({"prefect.flow-run.Held", "prefect.flow-run.Failed", "prefect.flow-run.Crashed"})
GOOD_ENDS = frozenset({"prefect.flow-run.Completed", "prefect.flow-run.CompletedWithBreaks"})
HOW = (
    "make one in the UI under Blocks (Slack, Microsoft Teams, Email, Custom Webhook, ...), or in Python: "
    "`from prefect.blocks.notifications import SlackWebhook; SlackWebhook(url='https://...').save('morning')`, "
    "which is then slack-webhook/morning"
)


def notification_block(wanted: str) -> UUID:
    """Return the id of the notification block called `type/name`, as `slack-webhook/morning`.

    Raises:
        UsageError: there is none; the sentence names those there are and how one is made.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        blocks = client.read_block_documents(include_secrets=False)
    known = {
        f"{block.block_type.slug}/{block.name}": block.id
        for block in blocks
        if block.block_type and block.block_schema and "notify" in (block.block_schema.capabilities or ())
    }
    if wanted in known:
        return known[wanted]
    there = f"there are {', '.join(sorted(known))}" if known else "there is none yet"
    raise UsageError(f"no notification block {wanted!r} at this Prefect server; {there}; {HOW}")


def patience(cron: str, by: time) -> timedelta:
    """Return how long after its last completed run a daily deployment has not run although it should have by the hour.

    Raises:
        UsageError: the hour is less than one hour behind the schedule: a run takes its time.
    """
    minute, hour = (int(field) for field in cron.split()[:2])
    slack = timedelta(hours=by.hour, minutes=by.minute) - timedelta(hours=hour, minutes=minute)
    if slack < timedelta(hours=1):
        raise UsageError(
            f"--by {by:%H:%M} is not an hour behind the daily run at {hour:02}:{minute:02}; give a later time"
        )
    return timedelta(days=1) + slack


def ensure_alerts(block: UUID, *, flow_id: UUID, daily_id: UUID, within: timedelta, by: time) -> list[str]:
    """Create both automations, or bring those that are there up to date; return their names.

    The second starts to count when the daily deployment completes: a window that nothing completes in is reported once.
    """
    from prefect.client.orchestration import get_client

    wanted = [_of_bad_ends(block, flow_id), _of_silence(block, daily_id, within, by)]
    with get_client(sync_client=True) as client:
        for automation in wanted:
            there: Sequence[Any] = client.read_automations_by_name(automation.name)
            if not there:
                client.create_automation(automation)
                continue
            client.update_automation(there[0].id, automation)
            for double in there[1:]:
                client.delete_automation(double.id)
    return [automation.name for automation in wanted]


def _of_bad_ends(block: UUID, flow_id: UUID) -> Any:
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

    return AutomationCore(
        name=f"{PREFIX}a run published nothing",
        description="Held by a gate, failed or crashed. Made by `planrecon deploy --notify`.",
        trigger=EventTrigger(
            expect=set(BAD_ENDS),
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "flow", "prefect.resource.id": f"prefect.flow.{flow_id}"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[
            _telling(
                block,
                "planrecon {{ flow_run.state.name }}: {{ flow_run.name }}",
                "{{ flow_run.state.message }}{% if flow_run|ui_url %}\n{{ flow_run|ui_url }}{% endif %}",
            )
        ],
    )


def _of_silence(block: UUID, daily_id: UUID, within: timedelta, by: time) -> Any:
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

    return AutomationCore(
        name=f"{PREFIX}no completed run in the morning",
        description=f"The daily deployment had not completed by {by:%H:%M}. Made by `planrecon deploy --notify`.",
        trigger=EventTrigger(
            expect=set(GOOD_ENDS),
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={
                "prefect.resource.role": "deployment",
                "prefect.resource.id": f"prefect.deployment.{daily_id}",
            },
            posture=Posture.Proactive,
            threshold=1,
            within=within,
        ),
        actions=[
            _telling(
                block,
                f"planrecon: no completed run by {by:%H:%M}",
                f"reconcile/daily has not completed since {within.total_seconds() / 3600:g} hours. Is a worker or "
                "`planrecon serve` running? Yesterday's page still stands below reports/latest.",
            )
        ],
    )


def _telling(block: UUID, subject: str, body: str) -> Any:
    from prefect.events.actions import SendNotification

    return SendNotification(block_document_id=block, subject=subject, body=body)
