"""What an article changed in a story, and the type of the event that says so.

The first type of this table that fits is taken; where no line fits there is no event.

| type | when |
|---|---|
| `story.corrected` | an article's new version states the deal no longer, which changes a label or leaves no article |
| `story.ended` | the stage becomes `ended`, or the story opens with an end |
| `story.denied` | the factuality becomes `denied`, a party denies that had not, or the story opens with a denial |
| `story.confirmed` | the factuality becomes `confirmed`, or a contested story is settled |
| `story.stage_changed` | the stage moves between talks, agreed and active |
| `story.opened` | the story is new |
| `story.revived` | the stage leaves `ended`, or the newest article follows 180 silent days, or a withdrawal |
| `story.updated` | a party, the kind, a milestone, the binding, how it ended or a figure changes |
| `story.corroborated` | the number of independent origins reaches two, or four |
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tieup.model.labels import EventType, Factuality, PartyStance, Stage
from tieup.model.relation import Figure
from tieup.model.story import EventChange
from tieup.stories.lifecycle import Labels

SILENCE: Final = timedelta(days=180)
CORROBORATING: Final = (2, 4)


@dataclass(frozen=True, slots=True)
class Step:
    """A story before and after one article version. `old` is None for a new story.

    `withdrawn`: the article stated the deal before and does no longer; `left` tells whether any article still does,
    `restored` that none did before.
    `silence` is how long the story had been silent when its newest article came; None if it is not the newest, or says
    nothing of the deal.
    `corroborated_at` is the number of origins last announced.
    """

    old: Labels | None
    new: Labels
    withdrawn: bool = False
    left: bool = True
    restored: bool = False
    silence: timedelta | None = None
    corroborated_at: int = 0


def corroboration(step: Step) -> int | None:
    """Return the threshold of independent origins that is newly reached, or None; what opens with so many has it."""
    reached = [count for count in CORROBORATING if step.corroborated_at < count <= len(step.new.origins)]
    return reached[-1] if reached else None


def changes(step: Step) -> tuple[EventChange, ...]:
    """Return every change worth telling, old value and new; empty where the article added nothing."""
    if step.old is None:
        return tuple(EventChange(name, None, show(step.new)) for name, show in _OPENING)
    found = [_change(name, show, step.old, step.new) for name, show in _COMPARED if show(step.old) != show(step.new)]
    found += _new_denials(step.old, step.new)
    if not step.left:
        found.append(EventChange("support", "stated", None))
    if step.restored:
        found.append(EventChange("support", None, "stated"))
    if step.silence is not None and step.silence > SILENCE:
        found.append(EventChange("silence", f"{step.silence.days} days", None))
    if (reached := corroboration(step)) is not None:
        found.append(EventChange("origins", str(step.corroborated_at or 1), str(reached)))
    if (found or _settled(step.old, step.new)) and step.old.contested is not step.new.contested:
        found.append(_change("contested", _contested, step.old, step.new))
    return tuple(found)


def event_type(step: Step) -> EventType | None:
    """Return the type of the event, or None where there is nothing to tell."""
    if not changes(step):
        return None
    return next((kind for kind, fits in _TYPES if fits(step)), EventType.UPDATED)


def _is_corrected(step: Step) -> bool:
    return step.withdrawn


def _is_ended(step: Step) -> bool:
    return step.new.stage is Stage.ENDED and (step.old is None or step.old.stage is not Stage.ENDED)


def _is_denied(step: Step) -> bool:
    denied = step.new.factuality is Factuality.DENIED
    if step.old is None:
        return denied
    return (denied and step.old.factuality is not Factuality.DENIED) or bool(_new_denials(step.old, step.new))


def _is_confirmed(step: Step) -> bool:
    if step.old is None or step.new.factuality is not Factuality.CONFIRMED:
        return False
    return step.old.factuality is not Factuality.CONFIRMED or _settled(step.old, step.new)


def _is_stage_changed(step: Step) -> bool:
    return step.old is not None and step.old.stage is not step.new.stage and step.old.stage is not Stage.ENDED


def _is_opened(step: Step) -> bool:
    return step.old is None


def _revives(step: Step) -> bool:
    leaves_end = step.old is not None and step.old.stage is Stage.ENDED and step.new.stage is not Stage.ENDED
    return leaves_end or step.restored or (step.silence is not None and step.silence > SILENCE)


def _is_updated(step: Step) -> bool:
    return any(change.field not in {"origins", "contested"} for change in changes(step))


def _is_corroborated(step: Step) -> bool:
    return corroboration(step) is not None


_TYPES: Final[tuple[tuple[EventType, Callable[[Step], bool]], ...]] = (
    (EventType.CORRECTED, _is_corrected),
    (EventType.ENDED, _is_ended),
    (EventType.DENIED, _is_denied),
    (EventType.CONFIRMED, _is_confirmed),
    (EventType.STAGE_CHANGED, _is_stage_changed),
    (EventType.OPENED, _is_opened),
    (EventType.REVIVED, _revives),
    (EventType.UPDATED, _is_updated),
    (EventType.CORROBORATED, _is_corroborated),
)


def _new_denials(old: Labels, new: Labels) -> list[EventChange]:
    before = {position.party: position.stance for position in old.stance_by_party}
    return [
        EventChange(f"stance:{one.party}", before.get(one.party, PartyStance.SILENT), one.stance)
        for one in new.stance_by_party
        if one.stance is PartyStance.DENIES and before.get(one.party) is not PartyStance.DENIES
    ]


def _settled(old: Labels, new: Labels) -> bool:
    return old.contested and not new.contested and new.factuality is Factuality.CONFIRMED


def _change(name: str, show: Callable[[Labels], str | None], old: Labels, new: Labels) -> EventChange:
    return EventChange(name, show(old), show(new))


def _contested(labels: Labels) -> str:
    return str(labels.contested).lower()


def _figure(figure: Figure) -> str:
    return " ".join(filter(None, (figure.role, figure.owner, figure.value, figure.unit)))


def _joined(values: Iterable[str]) -> str | None:
    return ", ".join(values) or None


def _binding(labels: Labels) -> str | None:
    return None if labels.binding is None else str(labels.binding).lower()


_COMPARED: Final[tuple[tuple[str, Callable[[Labels], str | None]], ...]] = (
    ("parties", lambda labels: _joined(sorted(party.name for party in labels.parties))),
    ("kind", lambda labels: labels.kind),
    ("stage", lambda labels: labels.stage),
    ("factuality", lambda labels: labels.factuality),
    ("binding", _binding),
    ("milestones", lambda labels: _joined(labels.milestones)),
    ("ended_as", lambda labels: labels.ended_as),
    ("figures", lambda labels: _joined(map(_figure, labels.figures))),
)
_OPENING: Final = tuple((name, show) for name, show in _COMPARED if name in {"parties", "kind", "stage", "factuality"})
