"""Health and metrics of a running process.

`/healthz` (alive), `/readyz` (every task past its restore), `/metrics` (Prometheus).
"""

from collections.abc import Sequence
from typing import Protocol

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tieup.log.base import TaskHealth, TaskId


class Running(Protocol):
    """What the operations pages ask of the runner."""

    def health(self) -> list[TaskHealth]:
        """Every task of this process."""

    def ready(self) -> bool:
        """Whether all tasks are past their restore."""

    def stalled(self) -> list[TaskId]:
        """The tasks that have made no turn within the bound."""


def operations_app(running: Running, registry: CollectorRegistry) -> Starlette:
    """Return the ASGI application.

    A failing check answers 503 with the same body as a passing one, so that a person sees why.
    """

    async def alive(_: Request) -> Response:
        stalled = running.stalled()
        return _json(200 if not stalled else 503, {"alive": not stalled, "tasks": _tasks(running.health())})

    async def ready(_: Request) -> Response:
        is_ready = running.ready()
        return _json(200 if is_ready else 503, {"ready": is_ready, "tasks": _tasks(running.health())})

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    routes = [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]
    return Starlette(routes=routes)


def _tasks(health: Sequence[TaskHealth]) -> list[dict[str, object]]:
    return [
        {
            "worker": item.task.worker,
            "partition": item.task.partition,
            "phase": item.phase,
            "lag": item.lag,
            "progressed_at": item.progressed_at,
            "error": item.error,
            **item.details,
        }
        for item in health
    ]


def _json(status: int, body: object) -> Response:
    return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z), status, media_type="application/json")
