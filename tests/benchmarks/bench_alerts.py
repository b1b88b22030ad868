"""How fast events are matched with 10,000 subscriptions, and messages delivered beside a bare loop of the same client.

    python -m tests.benchmarks.bench_alerts [DELIVERIES]

Matching is timed for one event at a time, from the record to the deliveries; up to ten of the subscriptions match. The
bare loop posts the same bodies over a pool of its own of as many connections, with nothing written anywhere.
"""

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
from tests.alerting import alert_settings, alerting, append
from tests.receiver import Receiver, receiving
from tests.unit.alerts.making import event, event_record, gazetteer, matcher, subscription

from tieup.alerts.subscribe import subscription_record
from tieup.events.envelope import envelope
from tieup.log.base import NewRecord
from tieup.model.codec import to_millis
from tieup.model.labels import Kind

SUBSCRIPTIONS = 10_000
EVENTS = 2_000
STORIES = 200
ENDPOINTS = 16
BARE_AT_ONCE = 16


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


def matching() -> None:
    """Time each event and print the percentiles."""
    made = enumerate(wishes())
    worker = matcher(*(subscription(text, name=str(n), url=f"https://hook.example/{n}") for n, text in made))
    records = [event_record(event(number, story=str(number % STORIES))) for number in range(1, EVENTS + 1)]
    took: list[float] = []
    gc.freeze()
    for record in records:
        started = time.thread_time()
        output = worker.process(record)
        took.append(time.thread_time() - started)
    took.sort()
    found = len(output.records)
    p50, p99 = took[len(took) // 2] * 1000, took[len(took) * 99 // 100] * 1000
    sys.stdout.write(
        f"match: {SUBSCRIPTIONS} subscriptions, {found} endpoint(s) told: p50 {p50:.3f} ms, p99 {p99:.3f} ms\n"
    )


async def delivering(count: int) -> None:
    """Deliver to several endpoints, then post the same bodies bare."""
    async with receiving() as receiver:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log.db"
            base = receiver.url
            subscriptions = [subscription("company:ford", name=str(n), url=f"{base}/{n}") for n in range(ENDPOINTS)]
            await append(path, [*map(subscription_record, subscriptions), *recent(count // ENDPOINTS)])
            started: list[tuple[float, float]] = []

            def done() -> bool:
                if receiver.received and not started:
                    started.append(_clocks())
                return len(receiver.received) >= count

            await alerting(path, alert_settings(concurrency=BARE_AT_ONCE), done, within_s=600.0)
            seconds, cpu = (now - then for now, then in zip(_clocks(), started[0], strict=True))
        bodies = [message.body for message in receiver.received[:count]]
        before = _clocks()
        await posting(receiver, bodies)
        bare, bare_cpu = (now - then for now, then in zip(_clocks(), before, strict=True))
    sys.stdout.write(
        f"deliver: {count} messages, {count / seconds:.0f}/s, {cpu / count * 1000:.2f} ms of CPU each\n"
        f"bare loop: {count / bare:.0f}/s, {bare_cpu / count * 1000:.2f} ms of CPU each; "
        f"{bare / seconds:.0%} by the clock, {bare_cpu / cpu:.0%} by CPU\n"
    )


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


async def posting(receiver: Receiver, bodies: Sequence[bytes]) -> None:
    """Post the bodies, as many at once as is fastest here."""
    queue = list(enumerate(bodies))
    async with httpcore.AsyncConnectionPool(
        max_connections=BARE_AT_ONCE, max_keepalive_connections=BARE_AT_ONCE
    ) as pool:

        async def post() -> None:
            while queue:
                number, body = queue.pop()
                answer = await pool.request(
                    "POST", f"{receiver.url}/{number % ENDPOINTS}", content=body, headers=[("webhook-id", str(number))]
                )
                assert answer.status == 200

        await asyncio.gather(*(post() for _ in range(BARE_AT_ONCE)))


if __name__ == "__main__":
    matching()
    asyncio.run(delivering(int(sys.argv[1]) if len(sys.argv) > 1 else 3_200))
