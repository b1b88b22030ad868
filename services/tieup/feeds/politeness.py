"""Turns: few requests at once, and not too many in a row, to one registrable domain and to one address."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit

from tieup.articles.urls import registrable_domain
from tieup.errors import HostBusy
from tieup.feeds.settings import FetchSettings

ADDRESS_KEPT_S: Final = 300.0
TURN_S: Final = 10.0
ADDRESS: Final = "address "
MAX_KEPT: Final = 10_000

Seconds = Callable[[], float]


@dataclass(slots=True)
class Pace:
    """A token bucket in the form of the generic cell rate algorithm: `next_at` is when it would be full again."""

    rate: float
    burst: int
    next_at: float = 0.0

    def take(self, now: float) -> float:
        """Take a token and return the seconds to wait for it; a rate of 0 waits for nothing."""
        if not self.rate:
            return 0.0
        self.next_at = max(self.next_at, now) + 1 / self.rate
        return max(0.0, self.next_at - self.burst / self.rate - now)

    def give_back(self) -> None:
        """Give a token back that was taken and not used: who waits in vain must not make others wait longer."""
        if self.rate:
            self.next_at -= 1 / self.rate

    def free(self, now: float) -> bool:
        """Whether a token taken now would be waited for not at all."""
        return not self.rate or max(self.next_at, now) + (1 - self.burst) / self.rate <= now


@dataclass(slots=True)
class _Place:
    """One domain or address: its few slots, its pace, and how many wait or are served."""

    slots: asyncio.Semaphore
    pace: Pace
    users: int = 0

    def free(self, now: float) -> bool:
        """Whether a turn taken now would be waited for not at all."""
        return not self.slots.locked() and self.pace.free(now)

    async def enter(self, now: Seconds) -> None:
        """Wait for a slot, then for a token."""
        self.users += 1
        try:
            await self.slots.acquire()
        except BaseException:
            self.users -= 1
            raise
        wait_s = self.pace.take(now())
        try:
            if wait_s:
                await asyncio.sleep(wait_s)
        except BaseException:
            self.pace.give_back()
            self.leave()
            raise

    def leave(self) -> None:
        """Give the slot back."""
        self.users -= 1
        self.slots.release()


@dataclass(slots=True)
class Turns:
    """Gives turns by domain and by address; `hosts` are trusted fixed hosts, whose addresses count for nothing.

    `waited` is told the seconds of each wait.
    """

    settings: FetchSettings
    hosts: Mapping[str, object] = field(default_factory=dict)
    waited: Callable[[float], None] | None = None
    seconds: Seconds = time.monotonic
    _places: dict[str, _Place] = field(default_factory=dict)
    _known: dict[str, tuple[float, Sequence[str]]] = field(default_factory=dict)

    def turn(self, url: str) -> "Turn":
        """Wait for a turn at the URL's domain, then at its address, and keep it for the context.

        Raises HostBusy if none comes within ten seconds: its feed must not keep others waiting.
        """
        return Turn(self, url)

    def __len__(self) -> int:
        """How many domains and addresses are in use."""
        return sum(place.users > 0 for place in self._places.values())

    async def enter(self, url: str) -> list[_Place]:
        """Wait for a turn and return the places that are held by it."""
        started = self.seconds()
        entered: list[_Place] = []
        try:
            known = self._known.get(_netloc(url))
            if known is None or known[0] <= started or not await self._enter_at_once(known[1], entered, started):
                async with asyncio.timeout(TURN_S):
                    for key in await self._keys(url):
                        place = self._place(key)
                        await place.enter(self.seconds)
                        entered.append(place)
        except BaseException as error:
            for place in reversed(entered):
                place.leave()
            if isinstance(error, TimeoutError):
                raise HostBusy(f"{url}: its host was busy for {TURN_S:g} s") from error
            raise
        if self.waited is not None:
            self.waited(self.seconds() - started)
        return entered

    async def _enter_at_once(self, keys: Sequence[str], entered: list[_Place], now: float) -> bool:
        """Enter if nothing is to be waited for, which is the rule: without a timer, and nobody comes in between."""
        places = [self._place(key) for key in keys]
        if not all(place.free(now) for place in places):
            return False
        for place in places:
            await place.enter(lambda: now)
            entered.append(place)
        return True

    async def _keys(self, url: str) -> Sequence[str]:
        """The domain comes before the address, always: no two requests wait for each other."""
        netloc = _netloc(url)
        known = self._known.get(netloc)
        if known is not None and known[0] > self.seconds():
            return known[1]
        host = (urlsplit(url).hostname or "").lower()
        domain, address = registrable_domain(url), await self._address(host)
        keys = (domain,) if address in (None, domain) else (domain, f"{ADDRESS}{address}")
        if len(self._known) >= MAX_KEPT:
            self._known.clear()
        self._known[netloc] = (self.seconds() + ADDRESS_KEPT_S, keys)
        return keys

    async def _address(self, host: str) -> str | None:
        if host in self.hosts:
            return None
        return _literal(host) or await self._resolved(host)

    async def _resolved(self, host: str) -> str | None:
        """One address stands for all of a host; what cannot be resolved is the connection's to tell."""
        try:
            async with asyncio.timeout(self.settings.connect_s):
                found = await asyncio.get_running_loop().getaddrinfo(host, None)
        except (OSError, UnicodeError, TimeoutError):
            return None
        return min((str(row[4][0]) for row in found), default=None)

    def _place(self, key: str) -> _Place:
        if len(self._places) >= MAX_KEPT and key not in self._places:
            now = self.seconds()
            idle = [name for name, place in self._places.items() if not place.users and place.pace.next_at <= now]
            for name in idle:
                del self._places[name]
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _place(self.settings, is_address=key.startswith(ADDRESS))
        return place


def _place(settings: FetchSettings, *, is_address: bool) -> _Place:
    if is_address:
        return _Place(asyncio.Semaphore(settings.per_address), Pace(settings.address_rate, settings.address_burst))
    return _Place(asyncio.Semaphore(settings.per_host), Pace(settings.host_rate, settings.host_burst))


class Turn:
    """A turn, as a context: what it holds is given back at the end."""

    __slots__ = ("_places", "_turns", "_url")

    def __init__(self, turns: Turns, url: str) -> None:
        self._turns = turns
        self._url = url
        self._places: list[_Place] = []

    async def __aenter__(self) -> None:
        self._places = await self._turns.enter(self._url)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for place in reversed(self._places):
            place.leave()


def _netloc(url: str) -> str:
    """Return the part of a URL that says which host is asked, without reading it closely."""
    parts = url.split("/", 3)
    return parts[2] if len(parts) > 2 else url


def _literal(host: str) -> str | None:
    """The address that a host is, or None if it is a name."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return None
