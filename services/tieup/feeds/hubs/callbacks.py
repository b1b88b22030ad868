"""The callbacks that hubs are given. All that a process needs to answer one follows from the master key and the path.

    <public URL>/websub/<domain>/<feed id>/<tag of the topic><check>

The tag is an HMAC of the topic, so that `hub.topic` can be held against it; the check is an HMAC of all before it, so
that a stranger is known before anything is read. The domain tells which partition the feed's owner has.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from tieup.ids import derive_id
from tieup.keys import derived_key

_TAG_CHARS: Final = 32
_PATH: Final = re.compile(
    r"(?:^|/)websub/(?P<domain>[^/]{1,300})/(?P<feed>[0-9a-f]{32})/(?P<tag>[0-9a-f]{32})(?P<check>[0-9a-f]{32})$"
)


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that we gave: of a feed, for one topic, which `topic_tag` stands for."""

    domain: str
    feed_id: str
    topic_tag: str


class Callbacks:
    """Makes callbacks and knows them again. Two processes with one master key agree, and nothing is stored.

    Tokens are 128 bits each of HMAC-SHA256; a secret is a whole one, in hex (WebSub §5.1 allows less than 200 bytes).
    """

    def __init__(self, master_key: str, public_url: str) -> None:
        self._tokens = derived_key(master_key, "tieup websub callbacks")
        self._secrets = derived_key(master_key, "tieup websub secrets")
        self._public_url = public_url.rstrip("/")

    def give(self, domain: str, feed_id: str, topic: str) -> Callback:
        """Return the callback for a feed's topic."""
        return Callback(domain, feed_id, self._token("topic", domain, feed_id, topic))

    def url(self, callback: Callback) -> str:
        """Return the address to give to a hub: to none but the topic's own, as it is half of the secret."""
        return f"{self._public_url}/websub/{quote(callback.domain, safe='')}/{self._rest(callback)}"

    def identity(self, callback: Callback) -> str:
        """Return 32 hex digits that stand for the address and give nothing of it away."""
        return derive_id("callback", self.url(callback))

    def secret(self, callback: Callback) -> bytes:
        """Return the secret that signs what is pushed to a callback: 64 hex digits."""
        parts = _lengthened(callback.domain, callback.feed_id, callback.topic_tag)
        return hmac.new(self._secrets, parts, hashlib.sha256).hexdigest().encode("ascii")

    def read(self, path: str) -> Callback | None:
        """Return the callback that a request's path (as sent, percent-encoded) names, or None if we never gave it."""
        found = _PATH.search(path)
        if found is None:
            return None
        callback = Callback(unquote(found["domain"]), found["feed"], found["tag"])
        return callback if hmac.compare_digest(found["check"], self._check(callback)) else None

    def is_for(self, callback: Callback, topic: str) -> bool:
        """Whether the callback was given for this very topic."""
        given = self.give(callback.domain, callback.feed_id, topic)
        return hmac.compare_digest(given.topic_tag, callback.topic_tag)

    def _rest(self, callback: Callback) -> str:
        return f"{callback.feed_id}/{callback.topic_tag}{self._check(callback)}"

    def _check(self, callback: Callback) -> str:
        return self._token("callback", callback.domain, callback.feed_id, callback.topic_tag)

    def _token(self, *parts: str) -> str:
        return hmac.new(self._tokens, _lengthened(*parts), hashlib.sha256).hexdigest()[:_TAG_CHARS]


def _lengthened(*parts: str) -> bytes:
    data = [part.encode("utf-8", "surrogateescape") for part in parts]
    return b"".join(len(one).to_bytes(8, "big") + one for one in data)
