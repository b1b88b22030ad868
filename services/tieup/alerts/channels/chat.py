"""Chats and phones through Apprise, in processes that the address guard watches over (`chat_child.py`).

A process sends one message at a time; one that takes longer than an attempt may is killed. An endpoint has one process
at most, so that a dead one keeps no other waiting. Of the answer Apprise tells success, or a status if it names one.
"""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from datetime import datetime
from typing import Final
from weakref import WeakValueDictionary

import msgspec
import orjson

from tieup.alerts.attempt import AttemptRequest, Reply
from tieup.alerts.capabilities import Capabilities
from tieup.alerts.channels.text import chat_bodies, chat_title
from tieup.alerts.settings import AlertSettings
from tieup.alerts.telling import telling
from tieup.errors import BadRecord, DeliveryError, UsageError

START_S: Final = 30.0  # loading Apprise takes a second of processor time
MAX_ANSWER_BYTES: Final = 64_000
IDLE_S: Final = 300.0  # a process holds 70 MB
CHECK_S: Final = 10.0
READY: Final = b"ready\n"
MAX_URL_CHARS: Final = 2_000
GONE: Final = 410

# Services that reach no network: what runs tieup is no subscriber's desktop.
_LOCAL: Final = frozenset({"dbus", "file", "glib", "gnome", "kde", "macosx", "notify", "qt", "syslog", "windows"})
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{1,30}(?=://)")
_KEPT_VARIABLES: Final = ("LANG", "LC_ALL", "SSL_CERT_DIR", "SSL_CERT_FILE", "TZ", "SYSTEMROOT")


class _Answer(msgspec.Struct):
    delivered: bool
    status: int | None = None
    error: str | None = None


class ChatSender:
    """Sends through up to `chat_processes` processes, started when they are needed and kept for `idle_s`."""

    def __init__(self, settings: AlertSettings, links: Capabilities | None, idle_s: float = IDLE_S) -> None:
        self._settings = settings
        self._idle_s = idle_s
        self._links = links
        self._turns = asyncio.Semaphore(settings.chat_processes)
        self._idle: dict[Process, asyncio.TimerHandle] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # of endpoints under way

    async def send(self, request: AttemptRequest, address: str, at: datetime) -> Reply:  # noqa: ARG002 - the contract's signature
        """Send one message. Raises DeliveryError for what gave no answer."""
        task = self._task(request, address)
        lock = self._locks.get(request.endpoint.id) or asyncio.Lock()
        self._locks[request.endpoint.id] = lock
        async with lock, self._turns:
            process = await self._process()
            try:
                async with asyncio.timeout(self._settings.total_s):
                    answer = await _asked(process, task)
            except TimeoutError as error:
                await _ended(process)
                raise DeliveryError(f"the service took more than {self._settings.total_s:g} s") from error
            except BaseException:
                await _ended(process)
                raise
            self._idle[process] = asyncio.get_running_loop().call_later(self._idle_s, self._let_go, process)
        return Reply(
            delivered=answer.delivered,
            gone=answer.status == GONE,
            status=answer.status,
            error=None if answer.delivered else answer.error or "not taken",
        )

    async def close(self) -> None:
        """End the processes."""
        while self._idle:
            process, timer = self._idle.popitem()
            timer.cancel()
            await _ended(process)

    def _let_go(self, process: Process) -> None:
        """End a process that nobody needed: it ends with its input."""
        self._idle.pop(process, None)
        if process.stdin is not None:
            process.stdin.close()

    def _task(self, request: AttemptRequest, address: str) -> bytes:
        try:
            told = telling(request.body, self._links)
        except BadRecord as error:
            raise DeliveryError(str(error)) from error
        task = {
            "url": address,
            "title": chat_title(told),
            "bodies": chat_bodies(told),
            "allow_private": self._settings.allow_private,
            "hosts": dict(self._settings.hosts),
            "connect_s": self._settings.connect_s,
            "total_s": self._settings.total_s,
        }
        return orjson.dumps(task) + b"\n"

    async def _process(self) -> Process:
        while self._idle:
            process, timer = self._idle.popitem()
            timer.cancel()
            if process.returncode is None:
                return process
        return await _started()


async def chat_url(url: str) -> str:
    """Return a chat's address, an Apprise URL such as `slack://…`. Raises UsageError for one unknown to Apprise,
    DeliveryError where its process cannot say.

    Starts a process, which takes a second. Nothing of the address but its scheme is shown: it holds tokens.
    """
    found = _SCHEME.match(url)
    if len(url) > MAX_URL_CHARS or not url.isprintable() or found is None:
        raise UsageError(f"a chat's address is an Apprise URL such as slack://… of at most {MAX_URL_CHARS} characters")
    if found[0] in _LOCAL:
        raise UsageError(f"{found[0]}://: reaches this machine only; a chat must be on the network")
    if found[0] in ("mailto", "mailtos"):
        raise UsageError("mailto: e-mail has a channel of its own, with threads and a way out: --email")
    process = await _started()
    try:
        async with asyncio.timeout(CHECK_S):
            answer = await _asked(process, orjson.dumps({"url": url}) + b"\n")
    except TimeoutError as error:
        raise DeliveryError(f"{found[0]}://: Apprise took more than {CHECK_S:g} s to look at the address") from error
    finally:
        await _ended(process)
    if not answer.delivered:
        raise UsageError(f"{found[0]}://: {answer.error}")
    return url


async def _started() -> Process:
    """Start a process that knows nothing of ours: no secrets, no proxies, no home."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    arguments = (sys.executable, "-I", "-B", "-m", "tieup.alerts.channels.chat_child")
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        limit=MAX_ANSWER_BYTES,
        env={**kept, "HOME": "/nonexistent"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(START_S):
            ready = b"" if process.stdout is None else await process.stdout.readline()
    except TimeoutError as error:
        await _ended(process)
        raise DeliveryError(f"the process for chats took more than {START_S:g} s to start") from error
    except BaseException:
        await _ended(process)
        raise
    if ready != READY:
        await _ended(process)
        raise DeliveryError("the process for chats does not start")
    return process


async def _asked(process: Process, task: bytes) -> _Answer:
    if process.stdin is None or process.stdout is None:
        raise DeliveryError("the process for chats has no pipes")
    try:
        process.stdin.write(task)
        await process.stdin.drain()
        return msgspec.json.decode(await process.stdout.readline(), type=_Answer)
    except (ConnectionError, ValueError, msgspec.MsgspecError) as error:
        raise DeliveryError("the process for chats has ended") from error


async def _ended(process: Process) -> None:
    """Kill a process and reap it."""
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
