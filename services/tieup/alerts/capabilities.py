"""Capability URLs: whoever has one may do the one thing that it names. All follow from the master key; none is stored.

    <public URL>/alerts/<subscription id>/<token>/feed.atom | feed.json | stream
    <public URL>/alerts/wrong/<subscription id>/<event id>/<story id>/<token>
    <public URL>/alerts/stop/<endpoint id>/<token>

A token is 128 bits of HMAC-SHA256 over the purpose and the ids, so that a URL for one thing opens no other. The first
sort also holds the version of its endpoint's secret: a URL that has leaked is replaced as a signing secret is.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from tieup.keys import derived_key
from tieup.model.subscription import Channel, Endpoint

TOKEN_CHARS: Final = 32

_ID: Final = "[0-9a-f]{32}"
_PULL: Final = re.compile(
    rf"(?:^|/)alerts/(?P<subscription>{_ID})/(?P<token>{_ID})/(?P<form>feed\.atom|feed\.json|stream)"
)
_WRONG: Final = re.compile(
    rf"(?:^|/)alerts/wrong/(?P<subscription>{_ID})/(?P<event>{_ID})/(?P<story>{_ID})/(?P<token>{_ID})"
)
_STOP: Final = re.compile(rf"(?:^|/)alerts/stop/(?P<endpoint>{_ID})/(?P<token>{_ID})")


class Form(StrEnum):
    """How what is laid ready is fetched."""

    ATOM = "feed.atom"
    JSON = "feed.json"
    STREAM = "stream"

    @property
    def channel(self) -> Channel:
        """The channel that it belongs to."""
        return Channel.STREAM if self is Form.STREAM else Channel.FEED


@dataclass(frozen=True, slots=True)
class Pull:
    """A wish to fetch. Whether its token is right shows only beside the subscription: see `Capabilities.opens`."""

    subscription_id: str
    form: Form
    token: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A proven wish to mark an event as wrong."""

    subscription_id: str
    event_id: str
    story_id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A proven wish that an endpoint be told no more."""

    endpoint_id: str


class Capabilities:
    """Makes the URLs and knows them again. Two processes with one master key agree."""

    def __init__(self, master_key: str, public_url: str) -> None:
        self._key = derived_key(master_key, "tieup alert capabilities")
        self._base = f"{public_url.rstrip('/')}/alerts"

    def pull_url(self, subscription_id: str, form: Form, version: int) -> str:
        """Return where a subscription's feed or stream is, under this version of its endpoint's secret."""
        token = self._pull_token(subscription_id, form.channel, version)
        return f"{self._base}/{subscription_id}/{token}/{form.value}"

    def wrong_url(self, subscription_id: str, event_id: str, story_id: str) -> str:
        """Return where a subscriber says that an event is wrong."""
        token = self._token("wrong", subscription_id, event_id, story_id)
        return f"{self._base}/wrong/{subscription_id}/{event_id}/{story_id}/{token}"

    def stop_url(self, endpoint_id: str) -> str:
        """Return where a receiver says that an endpoint shall be told no more."""
        return f"{self._base}/stop/{endpoint_id}/{self._token('stop', endpoint_id)}"

    def read(self, path: str) -> Pull | Wrong | Stop | None:
        """Return what a request's path asks for, or None if we never gave it."""
        if found := _PULL.search(path):
            return _whole(found, Pull(found["subscription"], Form(found["form"]), found["token"]))
        if found := _WRONG.search(path):
            wrong = Wrong(found["subscription"], found["event"], found["story"])
            token = self._token("wrong", wrong.subscription_id, wrong.event_id, wrong.story_id)
            return _whole(found, wrong) if hmac.compare_digest(token, found["token"]) else None
        if found := _STOP.search(path):
            token = self._token("stop", found["endpoint"])
            return _whole(found, Stop(found["endpoint"])) if hmac.compare_digest(token, found["token"]) else None
        return None

    def opens(self, pull: Pull, endpoint: Endpoint | None, at: datetime) -> bool:
        """Whether the wish's token is that of the subscription's endpoint, or was until a rotation that is not over.

        Without an endpoint (no such subscription) it takes as long and the answer is no.
        """
        versions = [1 if endpoint is None else endpoint.secret_version]
        if endpoint is not None and endpoint.former_until is not None and at < endpoint.former_until:
            versions.append(endpoint.secret_version - 1)
        tokens = [self._pull_token(pull.subscription_id, pull.form.channel, version) for version in versions]
        same = [hmac.compare_digest(token, pull.token) for token in tokens]
        return any(same) and endpoint is not None

    def _pull_token(self, subscription_id: str, channel: Channel, version: int) -> str:
        return self._token("pull", channel.value, subscription_id, str(version))

    def _token(self, *parts: str) -> str:
        text = "\n".join(parts).encode()
        return hmac.digest(self._key, text, hashlib.sha256).hex()[:TOKEN_CHARS]


def _whole(found: re.Match[str], wish: Pull | Wrong | Stop) -> Pull | Wrong | Stop | None:
    """A path that goes on after the token is none of ours."""
    return wish if found.end() == len(found.string) else None
