"""What another run made of the same articles, story by story: live stories beside those of a replay."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from tieup.model.story import EventChange, Story


class Sort(StrEnum):
    """How a story differs."""

    CHANGED = "changed"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Difference:
    """One story that differs. `live_id` and `replayed_id` are the ids on either side (None: not there); `headline` is
    the newer one; `gained` and `lost` count articles.
    """

    sort: Sort
    live_id: str | None
    replayed_id: str | None
    headline: str
    changes: tuple[EventChange, ...] = ()
    gained: int = 0
    lost: int = 0


def compare(
    live: Mapping[str, Story], replayed: Mapping[str, Story], begin: datetime | None = None
) -> list[Difference]:
    """Return what differs, in the order of the live stories, then those that are new.

    A story stands for the one of its own id, else for the one that shares most of its articles. `begin` is the time of
    the earliest article that the replay took: live stories that had ended before are none that it could have told.
    """
    left = {
        key: story
        for key, story in live.items()
        if story.merged_into is None and (begin is None or story.updated_at >= begin or key in replayed)
    }
    right = {key: story for key, story in replayed.items() if story.merged_into is None}
    partner = _partners(left, right)
    taken = set(partner.values())
    found = [_difference(story, right[partner[key]] if key in partner else None) for key, story in left.items()]
    found += [
        Difference(Sort.NEW, None, key, story.headline_en, gained=story.article_count)
        for key, story in right.items()
        if key not in taken
    ]
    return [one for one in found if one is not None]


def _partners(left: Mapping[str, Story], right: Mapping[str, Story]) -> dict[str, str]:
    partner = {key: key for key in left if key in right}
    by_article = {one.article_id: key for key, story in right.items() if key not in partner for one in story.articles}
    shared: Counter[tuple[str, str]] = Counter()
    for key, story in left.items():
        if key not in partner:
            shared.update((key, by_article[one.article_id]) for one in story.articles if one.article_id in by_article)
    taken = set(partner.values())
    for key, other in sorted(shared, key=lambda pair: (-shared[pair], pair)):
        if key not in partner and other not in taken:
            partner[key] = other
            taken.add(other)
    return partner


def _difference(live: Story, replayed: Story | None) -> Difference | None:
    if replayed is None:
        return Difference(Sort.GONE, live.id, None, live.headline_en, lost=live.article_count)
    changes = tuple(
        EventChange(name, show(live), show(replayed)) for name, show in _SHOWN if show(live) != show(replayed)
    )
    before, after = _articles(live), _articles(replayed)
    if not changes and before == after and live.id == replayed.id:
        return None
    gained, lost = len(after - before), len(before - after)
    return Difference(Sort.CHANGED, live.id, replayed.id, replayed.headline_en, changes, gained, lost)


def _articles(story: Story) -> frozenset[str]:
    return frozenset(one.article_id for one in story.articles)


def _joined(values: Sequence[str]) -> str | None:
    return ", ".join(values) or None


_SHOWN: Final[tuple[tuple[str, Callable[[Story], str | None]], ...]] = (
    ("parties", lambda story: _joined(sorted(party.name for party in story.parties))),
    ("kind", lambda story: story.kind),
    ("stage", lambda story: story.stage),
    ("factuality", lambda story: story.factuality),
    ("basis", lambda story: story.basis),
    ("contested", lambda story: str(story.contested).lower()),
    ("binding", lambda story: None if story.binding is None else str(story.binding).lower()),
    ("milestones", lambda story: _joined(story.milestones)),
    ("ended_as", lambda story: story.ended_as),
    ("origins", lambda story: _joined(story.origins)),
    ("articles", lambda story: str(story.article_count)),
    ("events", lambda story: _joined([moment.type.removeprefix("story.") for moment in story.history])),
)
