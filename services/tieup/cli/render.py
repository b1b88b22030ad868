"""How stories are shown to people: a table of many, the timeline of one. Texts from outside pass `terminal`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tieup.cli.terminal import counted, one_line, plain
from tieup.model.labels import EventType, Factuality, PartyStance, SpeakerType, Stance, Target
from tieup.model.story import PartyPosition, Story, StoryClaim, StoryEvent

SHORT_ID: Final = 10

FACTUALITY_STYLES: Final = {Factuality.CONFIRMED: "green", Factuality.REPORTED: "yellow", Factuality.DENIED: "red"}
STANCE_STYLES: Final = {Stance.ASSERTS: "green", Stance.DENIES: "red", Stance.DECLINES_COMMENT: "yellow"}
PLURALS: Final = {Stance.ASSERTS: "assert", Stance.DENIES: "deny", Stance.DECLINES_COMMENT: "decline comment"}
UNNAMED: Final = "unnamed sources"
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


def story_timeline(story: Story, events: Sequence[StoryEvent] = (), *, rewrites: bool = False) -> RenderableType:
    """Return one story: its state, where each party stands, and who said what, when and where, oldest first.

    Without `events` the story's own history stands for them. Articles that add nothing are one line each; with
    `rewrites` their claims are shown as well.
    """
    parts: list[RenderableType] = [_head(story)]
    if story.stance_by_party:
        parts += [Text("\nWhere the parties stand", style="bold"), Padding(_positions(story), (0, 0, 0, 2))]
    parts.append(Text("\nTimeline (UTC)", style="bold"))
    for scene in _scenes(story, events):
        parts += _scene(scene, rewrites=rewrites)
    return Group(*parts)


def stance_text(stance: Stance, target: Target, *, several: bool = False) -> Text:
    """Return what a speaker, or several, say, coloured: `denies talks`."""
    about = "" if stance == Stance.DECLINES_COMMENT else f" {target}"
    verb = PLURALS[stance] if several else words(stance)
    return Text(f"{verb}{about}", style=STANCE_STYLES[stance])


def source_name(publisher: str | None, url: str | None) -> str:
    """Return where something was said: the publisher, else the host of the link."""
    return publisher or (urlsplit(url).hostname if url else None) or ""


@dataclass(slots=True)
class _Scene:
    """One article's part in the story: when, where, its claims and what they changed."""

    at: datetime
    article_id: str
    where: str = ""
    title: str = ""
    rewrite: bool = False
    claims: list[StoryClaim] = field(default_factory=list)
    changes: list[tuple[EventType, str]] = field(default_factory=list)


def _head(story: Story) -> Text:
    head = Text(one_line(party_names(story)), style="bold")
    labels = Text.assemble("\n", words(story.kind), " · ", words(story.stage), " · ")
    labels.append_text(factuality_text(story.factuality, story.contested))
    labels.append(f" (basis: {words(story.basis)})")
    details = [f"story {story.id}"]
    details += [f"opened {day(story.opened_at)}, updated {day(story.updated_at)}"]
    details += [f"{counted(story.article_count, 'article')}, {counted(story.rewrites, 'rewrite')} that add nothing"]
    details += [f"venture: {story.venture}"] if story.venture else []
    details += [f"via: {', '.join(story.via)}"] if story.via else []
    details += [f"about: {', '.join(story.scope)}"] if story.scope else []
    details += [f"milestones: {', '.join(map(words, story.milestones))}"] if story.milestones else []
    details += [f"ended: {words(story.ended_as)}"] if story.ended_as else []
    details += [f"independent origins: {', '.join(story.origins)}"] if story.origins else []
    details += [f"merged into {story.merged_into}"] if story.merged_into else []
    details += ["withdrawn: no article states it any more"] if story.withdrawn else []
    body = Text("".join(f"\n{one_line(line)}" for line in details), style="dim")
    return Text.assemble(head, labels, body)


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


def _scenes(story: Story, events: Sequence[StoryEvent]) -> list[_Scene]:
    """Return the scenes in order of time. Those whose article the story no longer holds are made from what it does."""
    scenes: dict[str, _Scene] = {}
    for one in story.articles:
        where = source_name(one.publisher, one.url)
        scenes[one.article_id] = _Scene(one.event_time, one.article_id, where, one.title, one.rewrite)
    for claim in story.claims:
        where = source_name(claim.publisher, claim.url)
        scene = scenes.setdefault(claim.article_id, _Scene(claim.event_time, claim.article_id, where))
        scene.claims.append(claim)
    for at, article_id, change in _changes(story, events):
        scenes.setdefault(article_id, _Scene(at, article_id)).changes.append(change)
    return sorted(scenes.values(), key=lambda scene: (scene.at, scene.article_id))


def _changes(story: Story, events: Sequence[StoryEvent]) -> list[tuple[datetime, str, tuple[EventType, str]]]:
    if events:
        return [(one.occurred_at, one.cause.article_id, (one.type, one.headline.en)) for one in events]
    return [(one.at, one.article_id, (one.type, one.headline_en)) for one in story.history]


def _scene(scene: _Scene, *, rewrites: bool) -> list[RenderableType]:
    repeats = scene.rewrite and not scene.changes
    head = Text.assemble((minute(scene.at), "dim"), "  ", plain(scene.where, style="dim" if repeats else "cyan"))
    head.append_text(Text("  adds nothing" if repeats else "", style="dim"))
    lines: list[RenderableType] = [] if repeats and not rewrites else _claim_lines(scene.claims)
    if lines and scene.title:
        head.append_text(Text.assemble("  ", plain(scene.title, style="dim")))
    lines += [
        _indented(Text.assemble((f"▶ {words(sort)}: ", "bold cyan"), plain(line))) for sort, line in scene.changes
    ]
    return [_indented(head, 2), *lines]


def _claim_lines(claims: Sequence[StoryClaim]) -> list[RenderableType]:
    """Return one line for each thing said; speakers of the same words share it."""
    speakers: dict[tuple[Stance, Target, str], list[str]] = {}
    for claim in claims:
        name = UNNAMED if claim.speaker_type == SpeakerType.ANONYMOUS else claim.speaker
        names = speakers.setdefault((claim.stance, claim.target, claim.quote), [])
        names += [name] if name not in names else []
    return [_indented(_claim_line(names, *said)) for said, names in speakers.items()]


def _claim_line(names: Sequence[str], stance: Stance, target: Target, quote: str) -> Text:
    said = stance_text(stance, target, several=len(names) > 1 or UNNAMED in names)
    return Text.assemble(plain(", ".join(names), style="bold"), " ", said, _said(quote))


def _said(quote: str) -> str:
    return f" {_quoted(quote)}" if quote else ""


def _indented(text: Text, by: int = 4) -> RenderableType:
    return Padding(text, (0, 0, 0, by))


def _quoted(text: str) -> str:
    return f"“{one_line(text)}”"
