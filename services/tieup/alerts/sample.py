"""An event of made-up companies, for a test message while the log has none yet."""

from datetime import datetime

from tieup.ids import derive_id
from tieup.model.labels import Basis, EventType, Factuality, Kind, SpeakerType, Stage, Stance, Target
from tieup.model.story import Cause, EventParty, Headline, StoryClaim, StoryEvent

URL = "https://news.example/example-motors-sample-batteries"
QUOTE = "Example Motors is in talks with Sample Batteries about a joint venture, people familiar with the matter said"


def sample_event(at: datetime) -> StoryEvent:
    """Return the event, as if it had come about at a time."""
    article = derive_id("article", URL)
    claim = StoryClaim(
        speaker="anonymous",
        speaker_type=SpeakerType.ANONYMOUS,
        stance=Stance.ASSERTS,
        target=Target.TALKS,
        quote=QUOTE,
        event_time=at,
        article_id=article,
        start=0,
        url=URL,
        publisher="Example Times",
        language="en",
    )
    return StoryEvent(
        story_id=derive_id("story", URL),
        revision=1,
        type=EventType.OPENED,
        headline=Headline(
            en="Example Motors and Sample Batteries: joint venture in talks (reported by Example Times)",
            de="Example Motors und Sample Batteries: Gespräche über Gemeinschaftsunternehmen (Bericht: Example Times)",
        ),
        parties=(EventParty("Example Motors"), EventParty("Sample Batteries")),
        kind=Kind.JOINT_VENTURE,
        stage=Stage.TALKS,
        factuality=Factuality.REPORTED,
        basis=Basis.ANONYMOUS,
        contested=False,
        stance_by_party=(),
        changes=(),
        cause=Cause(article, 1, URL, "Example Times", "Example Motors in talks with Sample Batteries", "en", at),
        occurred_at=at,
        observed_at=at,
        claims=(claim,),
        claim_count=1,
        origins=("Example Times",),
        origin_count=1,
        languages=("en",),
        article_count=1,
        confidence=0.8,
    )
