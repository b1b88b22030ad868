"""A story as the topic holds it, and how a renderable looks in a terminal."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, RenderableType

from tieup.model.labels import (
    Basis,
    EventType,
    Factuality,
    Kind,
    PartyStance,
    SpeakerType,
    Stage,
    Stance,
    Target,
)
from tieup.model.story import PartyPosition, Story, StoryArticle, StoryClaim, StoryMoment, StoryParty

AT = datetime(2026, 2, 1, 9, 30, tzinfo=UTC)
LABELS = {"kind": Kind.JOINT_VENTURE, "stage": Stage.TALKS, "factuality": Factuality.DENIED, "basis": Basis.PARTY}
PARTIES = (StoryParty("ford", "Ford", "ford"), StoryParty("xiaomi", "Xiaomi", "xiaomi"))


def claim(speaker: str, stance: Stance, quote: str, article: str = "a1", **given: Any) -> StoryClaim:
    made = StoryClaim(speaker, SpeakerType.PARTY, stance, Target.TALKS, quote, AT, article, 0, publisher="Car Wire")
    return replace(made, **given)


def article(name: str, **given: Any) -> StoryArticle:
    made = StoryArticle(
        name, 1, AT, **LABELS, origin="unknown", parties=PARTIES, publisher="Car Wire", title="Both deny"
    )
    return replace(made, **given)


STORY = Story(
    id="ab" * 16,
    opened_at=AT,
    updated_at=AT,
    parties=PARTIES,
    **LABELS,
    contested=True,
    articles=(article("a1"), article("a2", rewrite=True, publisher="Copy Cat")),
    claims=(
        claim("Ford", Stance.DENIES, "completely false"),
        claim("Xiaomi", Stance.DENIES, "completely false"),
        claim("anonymous", Stance.ASSERTS, "four people", speaker_type=SpeakerType.ANONYMOUS),
        claim("Ford", Stance.DENIES, "the copied words", article="a2"),
    ),
    stance_by_party=(PartyPosition("ford", PartyStance.DENIES, "completely false", AT, "https://car.example/1"),),
    article_count=2,
    rewrites=1,
    origins=("Financial Times",),
    history=(StoryMoment(1, EventType.OPENED, AT, "a1", Stage.TALKS, Factuality.DENIED, True, "Both deny talks", "…"),),
)


def drawn(what: RenderableType, width: int = 80, color: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=color, color_system="standard" if color else None)
    console.print(what)
    return out.getvalue()
