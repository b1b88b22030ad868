"""How stories are shown to people: a table of many, the timeline of one. Texts from outside pass `terminal`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tieup.cli.terminal import one_line, plain
from tieup.model.labels import EventType, Factuality, PartyStance, SpeakerType, Stance, Target
from tieup.model.story import PartyPosition, Story, StoryClaim, StoryEvent, StoryMoment

SHORT_ID: Final = 10

FACTUALITY_STYLES: Final = {Factuality.CONFIRMED: "green", Factuality.REPORTED: "yellow", Factuality.DENIED: "red"}
STANCE_STYLES: Final = {Stance.ASSERTS: "green", Stance.DENIES: "red", Stance.DECLINES_COMMENT: "yellow"}
POSITION_STYLES: Final = {
    PartyStance.CONFIRMS: "green",
    PartyStance.DENIES: "red",
    PartyStance.DECLINES: "yellow",
    PartyStance.SILENT: "dim",
}


def words(label: str) -> str:
    """Return a label as people read it: `joint_venture` becomes `joint venture`."""
    return label.removeprefix("story.").replace("_", " ")


def day(moment: datetime | None) -> str:
    """Return the UTC day of a moment."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d")


def minute(moment: datetime) -> str:
    """Return the UTC minute of a moment; the day alone where only that is known (midnight)."""
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%d" if utc.hour == utc.minute == utc.second == 0 else "%Y-%m-%d %H:%M")


def party_names(story: Story) -> str:
    """Return who with whom."""
    return " – ".join(party.name for party in story.parties)


def factuality_text(factuality: Factuality, contested: bool = False) -> Text:
    """Return how sure it is, coloured."""
    mark = ", contested" if contested else ""
    return Text(f"{factuality}{mark}", style=FACTUALITY_STYLES[factuality])


def story_table(stories: Iterable[Story]) -> Table:
    """Return a table of stories, in the order given: id, parties, kind, stage, how sure, coverage, last change."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Story", no_wrap=True, style="dim")
    table.add_column("Parties", overflow="fold")
    table.add_column("Kind")
    table.add_column("Stage")
    table.add_column("How sure")
    table.add_column("Art.", justify="right", no_wrap=True)
    table.add_column("Updated", no_wrap=True)
    for story in stories:
        table.add_row(
            story.id[:SHORT_ID],
            plain(party_names(story)),
            words(story.kind),
            words(story.stage),
            factuality_text(story.factuality, story.contested),
            str(story.article_count),
            day(story.updated_at),
        )
    return table


def story_timeline(story: Story, events: Sequence[StoryEvent] = ()) -> RenderableType:
    """Return one story: its state, where each party stands, and who said what, when and where, oldest first.

    Without `events` the story's own history stands for them.
    """
    parts: list[RenderableType] = [_head(story)]
    if story.stance_by_party:
        parts += [Text("\nWhere the parties stand", style="bold"), Padding(_positions(story), (0, 0, 0, 2))]
    parts += [Text("\nTimeline (UTC)", style="bold"), Padding(_timeline(story, events), (0, 0, 0, 2))]
    return Group(*parts)


def stance_text(stance: Stance, target: Target) -> Text:
    """Return what a speaker says, coloured: `denies talks`."""
    about = "" if stance == Stance.DECLINES_COMMENT else f" {target}"
    return Text(f"{words(stance)}{about}", style=STANCE_STYLES[stance])


def source_name(publisher: str | None, url: str | None) -> str:
    """Return where something was said: the publisher, else the host of the link."""
    return publisher or (urlsplit(url).hostname if url else None) or ""


@dataclass(frozen=True, slots=True)
class _Row:
    at: datetime
    order: int
    who: Text
    what: Text
    where: Text


def _head(story: Story) -> Text:
    head = Text(one_line(party_names(story)), style="bold")
    labels = Text.assemble("\n", words(story.kind), " · ", words(story.stage), " · ")
    labels.append_text(factuality_text(story.factuality, story.contested))
    labels.append(f" (basis: {words(story.basis)})")
    details = [f"story {story.id}"]
    details += [f"opened {day(story.opened_at)}, updated {day(story.updated_at)}"]
    details += [f"{_counted(story.article_count, 'article')}, {_counted(story.rewrites, 'rewrite')} that add nothing"]
    details += [f"venture: {story.venture}"] if story.venture else []
    details += [f"via: {', '.join(story.via)}"] if story.via else []
    details += [f"milestones: {', '.join(map(words, story.milestones))}"] if story.milestones else []
    details += [f"ended: {words(story.ended_as)}"] if story.ended_as else []
    details += [f"independent origins: {', '.join(story.origins)}"] if story.origins else []
    details += [f"merged into {story.merged_into}"] if story.merged_into else []
    details += ["withdrawn: no article states it any more"] if story.withdrawn else []
    body = Text("".join(f"\n{one_line(line)}" for line in details), style="dim")
    return Text.assemble(head, labels, body)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _positions(story: Story) -> Table:
    table = Table.grid(padding=(0, 2))
    names = {party.key: party.name for party in story.parties}
    for position in story.stance_by_party:
        stance = Text(words(position.stance), style=POSITION_STYLES[position.stance])
        table.add_row(plain(names.get(position.party, position.party)), stance, _position_words(position))
    return table


def _position_words(position: PartyPosition) -> Text:
    quote = plain(_quoted(position.quote)) if position.quote else Text()
    place = ", ".join(part for part in (day(position.at), source_name(None, position.url)) if part)
    return Text.assemble(quote, " " if position.quote and place else "", plain(place, style="dim"))


def _timeline(story: Story, events: Sequence[StoryEvent]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold", max_width=24)
    table.add_column(overflow="fold", ratio=1)
    table.add_column(overflow="fold", max_width=24)
    changes = [_event_row(event) for event in events] or [_moment_row(moment) for moment in story.history]
    claims = [_claim_row(claim) for claim in story.claims]
    for row in sorted([*claims, *changes], key=lambda row: (row.at, row.order)):
        table.add_row(minute(row.at), row.who, row.what, row.where)
    return table


def _event_row(event: StoryEvent) -> _Row:
    where = source_name(event.cause.publisher, event.cause.url)
    return _change_row(event.occurred_at, event.type, event.headline.en, where)


def _moment_row(moment: StoryMoment) -> _Row:
    return _change_row(moment.at, moment.type, moment.headline_en, "")


def _change_row(at: datetime, sort: EventType, headline: str, where: str) -> _Row:
    who = Text(f"▶ {words(sort)}", style="bold cyan")
    return _Row(at, 1, who, plain(headline, style="bold"), plain(where, style="dim"))


def _claim_row(claim: StoryClaim) -> _Row:
    what = Text.assemble(
        stance_text(claim.stance, claim.target), plain(f" {_quoted(claim.quote)}") if claim.quote else ""
    )
    speaker = "unnamed sources" if claim.speaker_type == SpeakerType.ANONYMOUS else claim.speaker
    return _Row(claim.event_time, 0, plain(speaker), what, plain(source_name(claim.publisher, claim.url), style="dim"))


def _quoted(text: str) -> str:
    return f"“{one_line(text)}”"
