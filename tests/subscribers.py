"""What subscribers fetch, served on loopback from a log of the embedded sort, for as long as a test wants."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry

from tests.unit.alerts.making import KEY, event, event_record, matcher, sealer, subscription
from tieup.alerting import alerts_served
from tieup.alerts.capabilities import Capabilities, Form
from tieup.alerts.subscribe import removal_record, subscription_record
from tieup.alerts.watch import ApiWatch
from tieup.api.server import listen
from tieup.api.settings import ApiSettings
from tieup.log.base import NewRecord
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import CATALOGUE, DELIVERIES
from tieup.model.subscription import Channel, Endpoint, Subscription


def pulled(name: str = "a wish", text: str = "company:ford", *channels: Channel, **changed: object) -> Subscription:
    """A subscription with a feed and a stream, or the channels that are named."""
    one = subscription(text, name=name)
    endpoints = tuple(sealer().endpoint(channel, one.id) for channel in channels or (Channel.FEED, Channel.STREAM))
    return replace(one, endpoints=endpoints, **changed)  # type: ignore[arg-type]


@dataclass
class Subscribers:
    """A service under test. `links` make the URLs, which lead to it."""

    log: SqliteLog
    links: Capabilities
    client: httpx.AsyncClient
    base: str
    registry: CollectorRegistry
    told: int = 0
    later: timedelta = timedelta()  # how far the service's clock is ahead

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.later

    def url(self, one: Subscription, form: Form, version: int = 1) -> str:
        return self.links.pull_url(one.id, form, version)

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    async def wish(self, *wanted: Subscription) -> None:
        await self.log.append([subscription_record(one) for one in wanted])
        for one in wanted:
            for endpoint in one.endpoints:
                form = Form.ATOM if endpoint.channel is Channel.FEED else Form.STREAM
                url = self.url(one, form, endpoint.secret_version)
                while (await self.client.head(url)).status_code in (404, 503) and form is Form.ATOM:
                    pass

    async def unwish(self, one: Subscription) -> None:
        await self.log.append([removal_record(one, datetime.now(UTC))])

    async def tell(
        self, wanted: Sequence[Subscription], count: int = 1, again: bool = False, **changed: object
    ) -> None:
        """Let so many events happen, matched as the match worker does; told `again`, as a replay does."""
        now = datetime.now(UTC)
        worker, records = matcher(*wanted), []
        for _ in range(count):
            self.told += 1
            one = event(self.told, occurred_at=now - timedelta(hours=1), observed_at=now, **changed)
            record = event_record(one, at=now)
            records.append(NewRecord(record.topic, record.key or b"", record.value, record.timestamp, record.headers))
            records += worker.process(record).records
        await self.log.append(records)
        if again:
            await self.log.append([one for one in records if one.topic == DELIVERIES])

    async def get(self, url: str, **headers: str) -> httpx.Response:
        """Ask until the service has read the log as it stands."""
        while True:
            answer = await self.client.get(url, headers={name.replace("_", "-"): one for name, one in headers.items()})
            if answer.status_code != 503:
                return answer


def endpoint_of(one: Subscription, channel: Channel) -> Endpoint:
    return next(endpoint for endpoint in one.endpoints if endpoint.channel is channel)


@asynccontextmanager
async def serving_subscribers(path: Path, partitions: int = 1, **changed: object) -> AsyncIterator[Subscribers]:
    """Serve until the block ends; settings of `[api]` may be changed."""
    at = listen("127.0.0.1:0")
    base = f"http://127.0.0.1:{at.getsockname()[1]}"
    links, registry = Capabilities(KEY, f"{base}/under"), CollectorRegistry()
    settings = ApiSettings(public_url=base, listen="127.0.0.1:0", **changed)  # type: ignore[arg-type]
    async with await SqliteLog.open(path, partitions=partitions) as log:
        await log.create(CATALOGUE)
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            service = Subscribers(log, links, client, base, registry)
            async with alerts_served(log, settings, links, at, ApiWatch(registry), service.clock):
                yield service
