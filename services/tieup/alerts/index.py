"""The index over subscriptions: an event looks up its own keys and visits only subscriptions filed under one of them.

A filter is filed under keys of which every event that it accepts has at least one: a company and labels, a word, a
country. Of several ways to file it the one with the fewest neighbours is taken, so that ten thousand wishes about one
company, each with its own word, are filed by the word. Filing only prunes: what is visited is still checked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from tieup.alerts.conditions import EventFacts, passes, phrase
from tieup.model.subscription import Condition, Filter, Subscription

Key = tuple[str | None, ...]

MAX_KEYS: Final = 2_048
_NO_LABELS: Final[Key] = (None, None, None, None)


class SubscriptionIndex:
    """Subscriptions by id, filed by key. A paused one is known but filed nowhere."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, Subscription] = {}
        self._filed: dict[str, tuple[Key, ...]] = {}
        self._keys: dict[Key, dict[str, None]] = {}
        self._by_word = 0

    def __len__(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

    def put(self, subscription: Subscription) -> None:
        """Take a subscription in, in place of the one with its id."""
        self.remove(subscription.id)
        self._subscriptions[subscription.id] = subscription
        if subscription.paused:
            return
        keys = self._best(filings(subscription.filter))
        self._filed[subscription.id] = keys
        self._by_word += _by_word(keys)
        for key in keys:
            self._keys.setdefault(key, {})[subscription.id] = None

    def remove(self, subscription_id: str) -> None:
        """Take a subscription out; one that is not there is no error."""
        self._subscriptions.pop(subscription_id, None)
        keys = self._filed.pop(subscription_id, ())
        self._by_word -= _by_word(keys)
        for key in keys:
            del self._keys[key][subscription_id]
            if not self._keys[key]:
                del self._keys[key]

    def matching(self, facts: EventFacts) -> list[Subscription]:
        """Return the subscriptions whose filter accepts the event, by id."""
        wanted = (self._subscriptions[one] for one in sorted(self.candidates(facts)))
        return [one for one in wanted if passes(one.filter, facts)]

    def candidates(self, facts: EventFacts) -> set[str]:
        """Return the ids of those whose filter has to be looked at: they share a key with the event."""
        found: set[str] = set()
        for key in self._keys_of(facts):
            filed = self._keys.get(key)
            if filed is not None:
                found.update(filed)
        return found

    def _keys_of(self, facts: EventFacts) -> list[Key]:
        event = facts.event
        labels = [(None, str(value)) for value in (event.kind, event.stage, event.factuality, event.type)]
        patterns = list(product(*labels))
        bases: dict[tuple[str, str], None] = {("", ""): None}
        for party in facts.parties:
            bases.update({("group", one): None for one in party.group})
            bases |= {("company", party.id): None} if party.id else {}
            bases |= {("country", party.country): None} if party.country else {}
            bases |= {("role", str(party.role)): None} if party.role else {}
        bases.update({("language", one): None for one in event.languages})
        keys: list[Key] = [(*base, *pattern) for base in bases for pattern in patterns]
        return keys + [("word", word) for word in facts.words] if self._by_word else keys

    def _best(self, ways: Sequence["Filing"]) -> tuple[Key, ...]:
        def cost(way: Filing) -> tuple[int, int, int]:
            return way.width, max(len(self._keys.get(key, ())) for key in way.keys), len(way.keys)

        return min(ways, key=cost).keys


@dataclass(frozen=True, slots=True)
class Filing:
    """One way to file a filter; `width` ranks how many events have such keys, 0 the fewest."""

    width: int
    keys: tuple[Key, ...]


def _by_word(keys: Iterable[Key]) -> bool:
    return any(key[0] == "word" for key in keys)


def filings(wanted: Filter) -> list[Filing]:
    """Return the ways to file a filter."""
    ways = [way for condition in wanted.all_of for way in _ways(condition)]
    if wanted.any_of:
        narrow = [next(_ways(condition)) for condition in wanted.any_of]
        keys = tuple(dict.fromkeys(key for way in narrow for key in way.keys))
        ways += [Filing(max(way.width for way in narrow), keys)] if len(keys) <= MAX_KEYS else []
    return ways or [_labelled(3, Condition(), (("", ""),))]


def _ways(condition: Condition) -> Iterator[Filing]:
    """The ways to file a condition, the narrowest sort first."""
    sort = "group" if condition.daughters else "company"
    if condition.words:
        longest = dict.fromkeys(("word", max(phrase(word).split(), key=len)) for word in condition.words)
        yield Filing(0, tuple(longest))
    for name in condition.together:
        yield _labelled(0, condition, ((sort, name),))
    if condition.companies:
        yield _labelled(0, condition, [(sort, one) for one in condition.companies])
    if condition.countries:
        yield _labelled(1, condition, [("country", one) for one in condition.countries])
    if condition.roles:
        yield _labelled(1, condition, [("role", str(one)) for one in condition.roles])
    if condition.languages:
        yield _labelled(1, condition, [("language", one) for one in condition.languages])
    yield _labelled(2, condition, (("", ""),))


def _labelled(width: int, condition: Condition, bases: Sequence[tuple[str, str]]) -> Filing:
    """Combine the bases with the labels asked for, or leave the labels out where that gives too many keys."""
    lists = (condition.kinds, condition.stages, condition.factualities, condition.event_types)
    asked: list[Key] = list(product(*(tuple(map(str, values)) or (None,) for values in lists)))
    if len(asked) * len(bases) > MAX_KEYS:
        asked = [_NO_LABELS]
    return Filing(width, tuple(dict.fromkeys((*base, *labels) for base in bases for labels in asked)))


def endpoints_of(subscriptions: Iterable[Subscription]) -> Mapping[str, list[Subscription]]:
    """Return the subscriptions of each endpoint, in their order."""
    found: dict[str, list[Subscription]] = {}
    for one in subscriptions:
        for endpoint in one.endpoints:
            found.setdefault(endpoint.id, []).append(one)
    return found
