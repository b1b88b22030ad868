"""A WebSub hub on loopback that follows the Recommendation: serves feeds, verifies intents, pushes signed documents.

As a process of its own: `python -m tests.hub_server PORT`; what is posted to `/publish/NAME` becomes the feed of that
name and is pushed to its subscribers, and the answer says when that began, in nanoseconds.
"""

import asyncio
import hashlib
import hmac
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web


@dataclass(slots=True)
class Held:
    """A subscription that was verified."""

    topic: str
    callback: str
    secret: str
    lease_s: int


@dataclass(slots=True)
class Asked:
    """A request as it came."""

    mode: str
    topic: str
    callback: str
    form: dict[str, str]


@dataclass(slots=True)
class Hub:
    """`status` answers requests; `verdict` is verify, deny or silence; `lease_s` is granted, or what was
    asked for; `in_header`: whether feeds name the hub in their header."""

    port: int = 0
    status: int = 202
    verdict: str = "verify"
    lease_s: int | None = None
    algorithm: str = "sha256"
    in_header: bool = True
    path: str = "hub"
    headers: dict[str, str] = field(default_factory=dict)
    feeds: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    polls: list[str] = field(default_factory=list)
    verified: list[tuple[str, int, bytes]] = field(default_factory=list)
    held: dict[tuple[str, str], Held] = field(default_factory=dict)
    _session: aiohttp.ClientSession | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.path}"

    def topic(self, name: str = "news") -> str:
        return f"http://127.0.0.1:{self.port}/feeds/{name}"

    def links(self, name: str = "news") -> str:
        return f'<{self.url}>; rel="hub", <{self.topic(name)}>; rel="self"'

    async def feed(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.polls.append(name)
        if name not in self.feeds:
            return web.Response(status=404)
        body, kind = self.feeds[name]
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"Content-Type": kind, "ETag": etag} | ({"Link": self.links(name)} if self.in_header else {})
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, headers=headers)

    async def subscribe(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs((await request.read()).decode()).items()}
        asked = Asked(form["hub.mode"], form["hub.topic"], form["hub.callback"], form)
        self.asked.append(asked)
        if 200 <= self.status < 300 and self.verdict != "silence":
            task = asyncio.create_task(self._decide(asked))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return web.Response(status=self.status, text="as you wish" if self.status < 300 else "no", headers=self.headers)

    async def _decide(self, asked: Asked) -> None:
        if self.verdict == "deny":
            await self.call(asked.callback, {"hub.mode": "denied", "hub.topic": asked.topic, "hub.reason": "too many"})
            return
        lease_s = self.lease_s or int(asked.form.get("hub.lease_seconds", 864_000))
        challenge = secrets.token_urlsafe(16)
        query = {"hub.mode": asked.mode, "hub.topic": asked.topic, "hub.challenge": challenge}
        if asked.mode == "subscribe":
            query["hub.lease_seconds"] = str(lease_s)
        status, body = await self.call(asked.callback, query)
        self.verified.append((asked.mode, status, body))
        if status // 100 != 2 or body != challenge.encode():
            return
        if asked.mode == "unsubscribe":
            self.held.pop((asked.topic, asked.callback), None)
        else:
            secret = asked.form.get("hub.secret", "")
            self.held[asked.topic, asked.callback] = Held(asked.topic, asked.callback, secret, lease_s)

    async def call(self, callback: str, query: dict[str, str]) -> tuple[int, bytes]:
        assert self._session is not None
        async with self._session.get(callback, params=query) as answer:
            return answer.status, await answer.read()

    async def moved(self, _: web.Request) -> web.Response:
        """Where the hub was before, if feeds still name that."""
        return web.Response(status=308, headers={"Location": "/hub"})

    async def publish(self, name: str, body: bytes, kind: str = "application/rss+xml") -> list[int]:
        """Let this be the feed, and push it; returns the subscribers' answers."""
        self.feeds[name] = (body, kind)
        return [
            await self.push(held, body, kind) for held in list(self.held.values()) if held.topic == self.topic(name)
        ]

    async def push(
        self, held: Held, body: bytes, kind: str = "application/rss+xml", *, signature: str | None = None, **more: str
    ) -> int:
        """Push a body to a subscriber, signed unless another signature is given; returns its answer."""
        assert self._session is not None
        mac = hmac.new(held.secret.encode(), body, getattr(hashlib, self.algorithm)).hexdigest()
        name = held.topic.rpartition("/")[2]
        headers = {"Content-Type": kind, "Link": self.links(name), "X-Hub-Signature": f"{self.algorithm}={mac}"}
        if signature is not None:
            headers["X-Hub-Signature"] = signature
        async with self._session.post(held.callback, data=BytesIO(body), headers=headers | more) as answer:
            return answer.status

    async def published(self, request: web.Request) -> web.Response:
        body = await request.read()
        began = time.time_ns()
        answers = await self.publish(request.match_info["name"], body)
        return web.json_response({"began": began, "answers": answers, "took": time.time_ns() - began})

    async def state(self, _: web.Request) -> web.Response:
        return web.json_response({"held": len(self.held), "asked": len(self.asked)})

    async def told(self, _: web.Request) -> web.Response:
        return web.json_response([{"topic": held.topic, "callback": held.callback} for held in self.held.values()])

    async def pushed_elsewhere(self, request: web.Request) -> web.Response:
        """Push to another address of the first subscriber, as behind one public name."""
        held = replace(next(iter(self.held.values())), callback=request.query["callback"])
        return web.json_response([await self.push(held, await request.read())])

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator["Hub"]:
        app = web.Application(client_max_size=100_000_000)
        app.router.add_get("/feeds/{name}", self.feed)
        app.router.add_post("/hub", self.subscribe)
        app.router.add_post("/old-hub", self.moved)
        app.router.add_post("/publish/{name}", self.published)
        app.router.add_get("/state", self.state)
        app.router.add_get("/held", self.told)
        app.router.add_post("/push", self.pushed_elsewhere)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.port = runner.addresses[0][1]
        self._session = aiohttp.ClientSession()
        try:
            yield self
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._session.close()
            await runner.cleanup()


@contextmanager
def hub_process() -> Iterator[str]:
    """A hub in a process of its own; its URL."""
    command = [sys.executable, "-m", "tests.hub_server", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().decode().strip()}"
        finally:
            process.terminate()


async def _serve(port: int) -> None:
    async with Hub().serving(port) as hub:
        print(hub.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
