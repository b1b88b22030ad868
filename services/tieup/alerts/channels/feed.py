"""A subscription's feed, as Atom (RFC 4287) and as JSON Feed 1.1: the newest messages, each event once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from xml.etree import ElementTree as ET  # builds only, and escapes what it builds

import orjson

from tieup import __version__
from tieup.alerts.channels.html import html_body
from tieup.alerts.channels.text import text_body
from tieup.alerts.telling import Telling
from tieup.model.subscription import Subscription

ATOM: Final = "http://www.w3.org/2005/Atom"
JSON_FEED: Final = "https://jsonfeed.org/version/1.1"
ATOM_TYPE: Final = "application/atom+xml; charset=utf-8"
JSON_TYPE: Final = "application/feed+json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a feed: when it was laid ready, and what it says."""

    at: datetime
    message: Telling


def items(found: Sequence[Item], limit: int) -> list[Item]:
    """Return the newest items, an event that was told again only as it was told last."""
    seen: dict[str, Item] = {}
    for one in found:
        seen.setdefault(one.message.told[0].event_id, one)
    return list(seen.values())[:limit]


def atom(subscription: Subscription, found: Sequence[Item], self_url: str) -> bytes:
    """Return the Atom document."""
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed")
    _child(feed, "id", _urn(subscription.id))
    _child(feed, "title", f"tieup: {_shown(subscription.name)}", type="text")
    _child(feed, "updated", _time(max([subscription.updated_at, *(one.at for one in found)])))
    _child(feed, "link", rel="self", href=self_url, type="application/atom+xml")
    _child(feed, "generator", "tieup", version=__version__)
    _child(_child(feed, "author"), "name", "tieup")
    for item in found:
        told = item.message.told[0]
        entry = _child(feed, "entry")
        _child(entry, "id", _urn(told.event_id))
        _child(entry, "title", item.message.title, type="text")
        _child(entry, "updated", _time(item.at))
        _child(entry, "published", _time(told.at))
        if told.url is not None:
            _child(entry, "link", rel="alternate", href=told.url)
        for tag in told.tags:
            _child(entry, "category", term=tag)
        _child(entry, "content", _content(item.message), type="html")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(feed, encoding="unicode")}'.encode()


def json_feed(subscription: Subscription, found: Sequence[Item], self_url: str) -> bytes:
    """Return the JSON Feed document; `_tieup` holds what programs need."""
    document = {
        "version": JSON_FEED,
        "title": f"tieup: {_shown(subscription.name)}",
        "feed_url": self_url,
        "authors": [{"name": "tieup"}],
        "items": [_json_item(item) for item in found],
    }
    return orjson.dumps(document)


def _json_item(item: Item) -> dict[str, object]:
    told = item.message.told[0]
    found: dict[str, object] = {
        "id": _urn(told.event_id),
        "title": item.message.title,
        "content_html": _content(item.message),
        "content_text": text_body(item.message),
        "date_published": _time(told.at),
        "date_modified": _time(item.at),
        "tags": list(told.tags),
        "_tieup": {"event_id": told.event_id, "story_id": told.story_id, "wrong_url": told.wrong_url},
    }
    return found if told.url is None else {**found, "url": told.url}


def _content(message: Telling) -> str:
    return "\n<hr>\n".join(html_body(one, headline=len(message.told) > 1) for one in message.told)


def _child(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    found = ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    found.text = text
    return found


def _urn(name: str) -> str:
    """Our ids are 128 bits, as UUIDs have; a name of another form stays as it is."""
    try:
        return UUID(hex=name).urn
    except ValueError:
        return f"urn:tieup:{name}"


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown(name: str) -> str:
    return "".join(one if one.isprintable() else " " for one in name)
