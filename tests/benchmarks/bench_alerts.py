"""How fast events are matched with 10,000 subscriptions, and messages delivered beside a bare loop of the same client.

    python -m tests.benchmarks.bench_alerts [match] [deliver] [dead] [delay] [memory] [--count DELIVERIES]

`match`: one event at a time, from the record to the deliveries; up to ten of the subscriptions match.
`deliver`: from the events on the embedded log, every commit on the disk, to the last message received. The bare loop
posts as many bodies of the same size with the same client and as many at once, and writes nothing anywhere: by the
client's own short way, as deliveries go, and by its httpx interface. The receiver is a process of its own. By CPU: what
this process spends on a message, bare and whole. The same loop with httpx's own client is for comparison.
`dead`: the same beside an endpoint that accepts connections and never answers.
`memory`: what one task holds when all that may wait does.
`delay`: from an event's append to its message's arrival, one event at a time, all on the disk at every step.
"""

import argparse
import asyncio
import gc
import random
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from tests.alerting import alert_settings, alerting, append
from tests.benchmarks.sink import Sink, sinking
from tests.unit.alerts.driving import Driver
from tests.unit.alerts.making import event, event_record, gazetteer, matcher, subscription

from tieup.alerts.message import alert_body
from tieup.alerts.subscribe import subscription_record
from tieup.events.envelope import envelope
from tieup.log.base import NewRecord, Record
from tieup.log.runner import settle_process
from tieup.log.sqlite import SqliteLog
from tieup.model.codec import to_millis
from tieup.model.labels import Kind
from tieup.outside.transport import GuardedTransport, PostBounds

SUBSCRIPTIONS = 10_000
EVENTS = 2_000
STORIES = 200
ENDPOINTS = 64
AT_ONCE = 16
SINGLE = 200


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def wishes() -> list[str]:
    """Filters of all sorts; of an event of Ford and Xiaomi nine accept."""
    companies = sorted(company.id for company in gazetteer() if company.id not in {"ford", "xiaomi"})
    kinds = [kind.value for kind in Kind]
    texts = [
        "company:ford", "company:xiaomi", "together:ford,xiaomi", "company:ford kind:joint_venture", "type:denied",
        "company:xiaomi country:CN", "kind:joint_venture stage:talks", "completely origins:1",
        "language:de company:ford",
    ]  # fmt: skip
    for number in range(SUBSCRIPTIONS - len(texts)):
        company, kind = companies[number % len(companies)], kinds[number % len(kinds)]
        texts.append(
            (
                f"company:{company} kind:{kind}",
                f"company:ford word:rare{number}",
                f"kind:{kind} country:SE confidence:0.99",
                f"together:ford,{company}",
                f"company:{company},{companies[(number * 7) % len(companies)]} | word:seldom{number}",
            )[number % 5]
        )
    return texts


def percentiles(took: list[float]) -> str:
    took.sort()
    p50, p99 = took[len(took) // 2] * 1000, took[len(took) * 99 // 100] * 1000
    return f"p50 {p50:.3f} ms, p99 {p99:.3f} ms, longest {took[-1] * 1000:.3f} ms"


async def matching(_: int) -> None:
    """Time each event and print the percentiles, of the thread's CPU time and by the clock."""
    made = enumerate(wishes())
    worker = matcher(*(subscription(text, name=str(n), url=f"https://hook.example/{n}") for n, text in made))
    records = [event_record(event(number, story=str(number % STORIES))) for number in range(1, EVENTS + 1)]
    cpu: list[float] = []
    clock: list[float] = []
    gc.freeze()
    for record in records:
        started = time.thread_time(), time.perf_counter()
        output = worker.process(record)
        cpu.append(time.thread_time() - started[0])
        clock.append(time.perf_counter() - started[1])
    say(f"match: {SUBSCRIPTIONS} subscriptions, {len(output.records)} endpoints told: {percentiles(cpu)} of CPU")
    say(f"match: by the clock {percentiles(clock)}")


async def delivering(count: int) -> None:
    """Deliver to several endpoints, then post as many bodies bare."""
    seconds, cpu = await delivered(count)
    say(f"deliver: {count} messages, {count / seconds:.0f}/s, {cpu / count * 1000:.3f} ms of CPU each")
    body = alert_body(event(1), "0" * 32, [subscription("company:ford")])
    with sinking() as sink:
        for name, loop in BARE.items():
            before = _clocks()
            await loop(sink, [body] * count)
            bare, bare_cpu = (now - then for now, then in zip(_clocks(), before, strict=True))
            say(f"{name}: {count / bare:.0f}/s, {bare_cpu / count * 1000:.3f} ms of CPU each")
            say(f"deliver / {name}: {bare / seconds:.0%} by the clock, {bare_cpu / cpu:.0%} by CPU")


async def delivered(count: int, dead: str = "") -> tuple[float, float]:
    """Return the seconds and CPU seconds between the first and the last message's arrival."""
    with sinking() as sink, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        urls = [f"{sink.url}/{number}" for number in range(ENDPOINTS)] + ([dead] if dead else [])
        wanted = [subscription("company:ford", name=str(n), url=url) for n, url in enumerate(urls)]
        await append(path, [*map(subscription_record, wanted), *recent(count // ENDPOINTS)])
        started: list[tuple[float, float]] = []

        def done() -> bool:
            if sink.count and not started:
                started.append(_clocks())
            return sink.count >= count

        await alerting(path, alert_settings(), done, within_s=600.0)
        seconds, cpu = (now - then for now, then in zip(_clocks(), started[0], strict=True))
    return seconds, cpu


async def beside_the_dead(count: int) -> None:
    """Compare with a run beside an endpoint that never answers."""
    alone, _ = await delivered(count)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    beside, _ = await delivered(count, f"http://127.0.0.1:{port}/")
    server.close()
    say(f"dead endpoint: {count / alone:.0f}/s without it, {count / beside:.0f}/s beside it ({alone / beside:.0%})")


async def delays(_: int) -> None:
    """Append events one at a time, at irregular moments, as the story worker of the same process does, and time each
    message's arrival.
    """
    chance = random.Random(7)
    with sinking() as sink, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        await append(path, [subscription_record(subscription("company:ford", url=sink.url))])
        began: list[float] = []
        logs: list[SqliteLog] = []

        async def feed() -> None:
            for one in recent(SINGLE + 1):
                await asyncio.sleep(0.05 + chance.random() * 0.1)
                began.append(time.monotonic())
                await logs[0].append([one])
                while sink.count < len(began):  # noqa: ASYNC110 - another process counts
                    await asyncio.sleep(0.002)

        feeding = asyncio.create_task(feed_when(logs, feed))
        await alerting(path, alert_settings(), feeding.done, within_s=300.0, tick_s=0.25, opened=logs.append)
        took = [at - then for at, then in zip(sink.times[1 : SINGLE + 1], began[1:], strict=True)]
    say(f"delay from append to arrival, {SINGLE} events one by one: {percentiles(took)}")


async def feed_when(logs: list[SqliteLog], feed: Callable[[], Awaitable[None]]) -> None:
    """Feed as soon as the log is open."""
    while not logs:  # noqa: ASYNC110 - a list cannot be awaited
        await asyncio.sleep(0.01)
    await feed()


def _clocks() -> tuple[float, float]:
    """The wall clock and the CPU clock of this process, which a loaded machine does not stretch."""
    return time.perf_counter(), time.process_time()


def recent(count: int) -> list[NewRecord]:
    now = datetime.now(UTC)
    made = [
        event(number, story=str(number % STORIES), occurred_at=now - timedelta(hours=1), observed_at=now)
        for number in range(1, count + 1)
    ]
    return [envelope(one, to_millis(now)) for one in made]


async def posting(sink: Sink, bodies: Sequence[bytes]) -> None:
    """Post the bodies as deliveries are, as many at once as is fastest here."""
    queue = list(enumerate(bodies))
    transport = GuardedTransport(allow_private=True, hosts={}, connections=AT_ONCE)
    bounds = PostBounds(connect_s=5.0, head_s=20.0, body_s=2.0, most_bytes=4_096)

    async def post() -> None:
        while queue:
            number, body = queue.pop()
            headers = [(b"webhook-id", b"%d" % number)]
            answer = await transport.post(f"{sink.url}/{number % ENDPOINTS}", headers, body, bounds)
            assert answer.status == 200

    await asyncio.gather(*(post() for _ in range(AT_ONCE)))
    await transport.aclose()


async def posting_by_interface(sink: Sink, bodies: Sequence[bytes]) -> None:
    """Post the bodies over the same connections, with httpx's records of requests and answers."""
    queue = list(enumerate(bodies))
    transport = GuardedTransport(allow_private=True, hosts={}, connections=AT_ONCE)

    async def post() -> None:
        while queue:
            number, body = queue.pop()
            headers = [("webhook-id", str(number)), ("Content-Length", str(len(body)))]
            request = httpx.Request("POST", f"{sink.url}/{number % ENDPOINTS}", content=body, headers=headers)
            answer = await transport.handle_async_request(request)
            await answer.aread()
            await answer.aclose()
            assert answer.status_code == 200

    await asyncio.gather(*(post() for _ in range(AT_ONCE)))
    await transport.aclose()


async def posting_by_httpx(sink: Sink, bodies: Sequence[bytes]) -> None:
    """Post the bodies with httpx's own client, as many at once."""
    queue = list(enumerate(bodies))
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=AT_ONCE)) as client:

        async def post() -> None:
            while queue:
                number, body = queue.pop()
                url = f"{sink.url}/{number % ENDPOINTS}"
                answer = await client.post(url, content=body, headers={"webhook-id": str(number)})
                assert answer.status_code == 200

        await asyncio.gather(*(post() for _ in range(AT_ONCE)))


BARE: dict[str, Callable[[Sink, Sequence[bytes]], Awaitable[None]]] = {
    "bare loop": posting,
    "the same by httpx's interface": posting_by_interface,
    "httpx's client": posting_by_httpx,
}


async def memory(_: int) -> None:
    """Let half as many again as may wait come to one task, for a hundred endpoints, and see what it holds."""
    settings = alert_settings(max_pending=100_000)
    driver = Driver(settings=settings)
    wanted = [subscription("company:ford", name=str(n), url=f"https://hook.example/{n}") for n in range(100)]
    driver.subscribe(*wanted)
    worker, given_up, before = matcher(*wanted), 0, _resident()
    for number in range(1, settings.max_waiting * 3 // 2 // len(wanted)):
        for new in worker.process(event_record(event(number, story=str(number % STORIES)))).records:
            output = driver.worker.process(Record(new.topic, 0, number, new.key, new.value, new.timestamp))
            given_up += len(output.records)
            for change in output.changes:
                driver.worker.apply(change)
    held = _resident() - before
    say(f"memory: {settings.max_waiting} messages wait in a task, {given_up} were given up: {held:.0f} MiB")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


PARTS: dict[str, Callable[[int], Awaitable[None]]] = {
    "match": matching,
    "deliver": delivering,
    "dead": beside_the_dead,
    "delay": delays,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS), help="all if none is named")
    parser.add_argument("--count", type=int, default=3_200)
    given = parser.parse_args()
    settle_process()  # as the command does
    for part in given.parts or PARTS:
        asyncio.run(PARTS[part](given.count))
    say(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
