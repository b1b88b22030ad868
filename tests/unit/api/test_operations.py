"""Health and metrics say how the tasks fare, in status and body."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client import CollectorRegistry

from tieup.api.operations import operations_app
from tieup.api.server import listen, serving
from tieup.errors import SettingsError
from tieup.log.base import TaskHealth, TaskId
from tieup.metrics import Metrics

STORY = TaskId("tieup-story", "story", 0)
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


@dataclass
class Fares:
    is_ready: bool = True
    stuck: list[TaskId] = field(default_factory=list)

    def health(self) -> list[TaskHealth]:
        return [TaskHealth(STORY, "running", 3, NOON, "LogUnavailable: broker away", {"acts": 2})]

    def ready(self) -> bool:
        return self.is_ready

    def stalled(self) -> list[TaskId]:
        return self.stuck


def client(fares: Fares, registry: CollectorRegistry | None = None) -> httpx.AsyncClient:
    app = operations_app(fares, registry or CollectorRegistry())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tieup.example")


@pytest.mark.parametrize(
    ("fares", "path", "status"),
    [
        (Fares(), "/healthz", 200),
        (Fares(), "/readyz", 200),
        (Fares(is_ready=False), "/healthz", 200),
        (Fares(is_ready=False), "/readyz", 503),
        (Fares(stuck=[STORY]), "/healthz", 503),
        (Fares(stuck=[STORY]), "/readyz", 200),
    ],
)
async def test_status_tells_liveness_and_readiness(fares: Fares, path: str, status: int) -> None:
    async with client(fares) as http:
        assert (await http.get(path)).status_code == status


async def test_the_body_names_every_task_its_lag_and_its_error() -> None:
    async with client(Fares()) as http:
        body = (await http.get("/healthz")).json()
    assert body["tasks"] == [
        {
            "worker": "story",
            "partition": 0,
            "phase": "running",
            "lag": 3,
            "progressed_at": "2026-02-01T12:00:00Z",
            "error": "LogUnavailable: broker away",
            "acts": 2,
        }
    ]


async def test_metrics_are_in_the_text_format() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.dead_letters.labels("story").inc(2)
    async with client(Fares(), metrics.registry) as http:
        assert 'tieup_dead_letters_total{worker="story"} 2.0' in (await http.get("/metrics")).text


async def test_it_is_served_on_loopback_and_ends_with_its_context() -> None:
    app, at = operations_app(Fares(), CollectorRegistry()), listen("127.0.0.1:0")
    async with httpx.AsyncClient() as http, serving(app, at) as url:
        assert (await http.get(f"{url}/readyz")).json()["ready"] is True
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"{url}/readyz")


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "nowhere", "127.0.0.1:http"])
def test_an_address_that_cannot_be_had_is_named(address: str) -> None:
    with pytest.raises(SettingsError, match="cannot listen"):
        listen(address)
