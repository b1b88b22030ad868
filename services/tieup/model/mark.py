"""A subscriber's word that what an event says is wrong."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MAX_NOTE_CHARS = 500


class Fault(StrEnum):
    """What is wrong, in the order in which it is asked."""

    NO_TIE = "no_tie"
    PARTIES = "parties"
    KIND = "kind"
    STAGE = "stage"
    FACTUALITY = "factuality"
    SPEAKER = "speaker"
    OLD_NEWS = "old_news"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Mark:
    """One entry of the operator's list (topic marks, key `id`): it changes no story, the operator's correction does.

    The id follows from subscription and event, so that a subscriber who marks an event again changes the former mark.
    A tombstone means that the operator has dealt with it. `note` is the subscriber's own text, one line.
    """

    id: str
    subscription_id: str
    event_id: str
    story_id: str
    fault: Fault
    note: str
    at: datetime
