"""The scheduled deployments: registered with a Prefect server, or served from this process."""

import asyncio
import importlib
import signal
from datetime import time, timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import yaml

from flows import log
from flows.configuration import chosen_file, load
from flows.deploy.alerts import ensure_alerts, notification_block, patience
from flows.errors import SettingsError, UsageError
from flows.orchestrator import program, require_answer, shown
from flows.settings import Settings

DECLARATION = Path(__file__).parents[2] / "prefect.yaml"
INSTEAD = "or let cron call `planrecon run`, which needs none"
DAILY = "daily"
"""The deployment that must have completed in the morning."""


def declared() -> list[dict[str, Any]]:
    """Return the deployments that `prefect.yaml` declares.

    Raises:
        UsageError: the file is not beside the program, as in a wheel.
    """
    if not DECLARATION.is_file():
        raise UsageError(f"{str(DECLARATION)!r} is missing; deploy from a checkout of the project")
    content = yaml.safe_load(DECLARATION.read_text(encoding="utf-8"))
    return list(content["deployments"])


def _parameters(config: Path | None) -> dict[str, Any]:
    """Return flow parameters that name the configuration by its absolute path: a worker starts elsewhere."""
    file = chosen_file(config)
    return {"config": str(file.parent.resolve() / file.name)} if file else {}


def register(config: Path | None, *, notify: str | None, by: time) -> int:
    """Register every declared deployment with the configured Prefect API, and make its work pool if needed.

    `notify` names the notification block through which a bad end, and no end `by` that time, are told.
    """
    _refuse_relative(load(config))
    parameters = _parameters(config)
    api = require_answer(INSTEAD)
    alert = _asked(notify, by) if notify else None
    from prefect.runner.storage import LocalStorage

    registered: dict[str, UUID] = {}
    for declaration in declared():
        pool = declaration["work_pool"]["name"]
        _ensure_pool(pool)
        flow = _flow(declaration)
        deployment: Any = flow.to_deployment(**_deployment(declaration, parameters), work_pool_name=pool)
        deployment.storage = LocalStorage(str(DECLARATION.parent))  # a worker starts in a folder of its own
        deployment.entrypoint = declaration["entrypoint"]
        identifier = registered[declaration["name"]] = deployment.apply()
        print(f"registered {flow.name}/{declaration['name']} ({identifier}) at {shown(api)}")
    if alert:
        _tell(alert, registered[DAILY], by)
    print(f"start a worker with: {program()} worker start --pool planrecon")
    return 0


def _asked(notify: str, by: time) -> tuple[UUID, timedelta]:
    """Return the block to tell through and how long to wait for a daily run; refused before anything is registered."""
    [declaration] = [each for each in declared() if each["name"] == DAILY]
    return notification_block(notify), patience(declaration["schedules"][0]["cron"], by)


def _tell(alert: tuple[UUID, timedelta], daily: UUID, by: time) -> None:
    """Make the automations that tell of bad ends of the flow, and of a morning without a completed daily run."""
    from prefect.client.orchestration import get_client

    block, within = alert
    with get_client(sync_client=True) as client:
        flow_id = client.read_deployment(daily).flow_id
    for name in ensure_alerts(block, flow_id=flow_id, daily_id=daily, within=within, by=by):
        log.LOGGER.info("automation %r tells through the block", name)


def _refuse_relative(settings: Settings) -> None:
    """Refuse what a worker would look for in its own folder: without a file, relative paths start where a run starts.

    Raises:
        SettingsError: there is no configuration file, and a path is relative.
    """
    places = {
        "warehouse.path": settings.warehouse.path,
        "warehouse.state_dir": settings.warehouse.state_dir,
        "reports.dir": settings.reports.dir,
    }
    relative = [name for name, path in places.items() if not path.is_absolute()]
    if relative:
        raise SettingsError(
            f"{', '.join(relative)} are relative and there is no configuration file whose folder they start at: a worker "
            "would make a second warehouse in its own; give the file with --config, or absolute paths"
        )


def _flow(declaration: dict[str, Any]) -> Any:
    """Import the flow that a declaration names as `flows/module.py:name`."""
    file, _, name = declaration["entrypoint"].partition(":")
    return getattr(importlib.import_module(".".join(Path(file).with_suffix("").parts)), name)


def _ensure_pool(name: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(name)
        except ObjectNotFound:
            client.create_work_pool(WorkPoolCreate(name=name, type="process"))


def _deployment(declaration: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.schedules import Cron

    limit = declaration["concurrency_limit"]
    schedules = declaration.get("schedules", [])
    return {
        "name": declaration["name"],
        "description": declaration["description"],
        "tags": declaration["tags"],
        "parameters": {**declaration["parameters"], **parameters},
        "schedules": [Cron(schedule["cron"], timezone=schedule["timezone"]) for schedule in schedules],
        "concurrency_limit": ConcurrencyLimitConfig(
            limit=limit["limit"], collision_strategy=ConcurrencyLimitStrategy(limit["collision_strategy"])
        ),
    }


def serve_here(config: Path | None, *, notify: str | None, by: time) -> int:
    """Serve the declared deployments until a signal ends the process; their schedules stay active."""
    load(config)  # refused now, not when the first run starts
    parameters = _parameters(config)
    require_answer(INSTEAD)
    alert = _asked(notify, by) if notify else None
    from prefect.runner import Runner

    runner = Runner(pause_on_shutdown=False)
    served = [_served(declaration, parameters) for declaration in declared()]
    deployments = [deployment for deployment, _ in served]
    if alert:
        [daily] = [identifier for deployment, identifier in served if deployment.name == DAILY]
        _tell(alert, daily, by)
    names = ", ".join(f"{each.flow_name}/{each.name}" for each in deployments)
    log.LOGGER.info("serving %s until stopped", names)
    for deployment in deployments:
        runner.add_deployment(deployment)
    _until_stopped(runner)
    return 0


def _until_stopped(runner: Any) -> None:
    """Let the runner work; SIGTERM ends it as Ctrl-C does, and is then answered as every other command answers it.

    Its own answer to SIGTERM leaves from the middle of the event loop, with a traceback.
    """
    own, told = signal.getsignal(signal.SIGTERM), []

    def stop(number: int, _: FrameType | None) -> None:
        told.append(number)
        signal.raise_signal(signal.SIGINT)

    runner.handle_sigterm = stop
    try:
        asyncio.run(runner.start())
    except KeyboardInterrupt:
        if not told:
            raise
    finally:
        signal.signal(signal.SIGTERM, own)
    if told:
        signal.raise_signal(signal.SIGTERM)


def _served(declaration: dict[str, Any], parameters: dict[str, Any]) -> tuple[Any, UUID]:
    """Return a deployment for this process with its id, and take it over from the workers where it was registered for them.

    Its flow is named by module, so that it is found wherever this process was started.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import DeploymentUpdate
    from prefect.types.entrypoint import EntrypointType

    deployment: Any = _flow(declaration).to_deployment(
        **_deployment(declaration, parameters), entrypoint_type=EntrypointType.MODULE_PATH
    )
    deployment.work_pool_name = None  # named, not left out: an update clears only what it names
    identifier: UUID = deployment.apply()
    with get_client(sync_client=True) as client:
        client.update_deployment(
            identifier, DeploymentUpdate(path=str(DECLARATION.parent), work_pool_name=None, pull_steps=None)
        )
    return deployment, identifier
