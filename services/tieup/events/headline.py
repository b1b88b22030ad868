"""The headline: one line that says who, what, how far, how sure and what changed, in English and in German."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from string import Formatter
from typing import Final, Literal

import msgspec

from tieup.errors import DataError
from tieup.model.labels import Basis, EndedAs, EventType, Factuality, Kind, Milestone, PartyStance, Stage
from tieup.model.story import EventChange, Headline, StoryEvent

MAX_PARTIES: Final = 4
MAX_NAME_CHARS: Final = 60
MAX_SOURCE_CHARS: Final = 40

_FILE: Final = "headlines.toml"
_FIELDS: Final = frozenset({"parties", "one", "rest", "deniers", "kind", "name", "source", "what", "main", "n"})
_SURENESS: Final = ("reported", "confirmed")
_DENIALS: Final = ("denied", "denied_by_one", "denied_by_nobody")
_SENTENCES: Final = frozenset(
    [f"{sure}.{how}" for sure in _SURENESS for how in (*Stage, EndedAs.TALKS_FAILED)]
    + [f"{denial}.{what}" for denial in _DENIALS for what in ("talks", "deal")]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """What is put around the main sentence."""

    corrected: str
    withdrawn: str
    revived: str
    updated: str
    corroborated: str
    source: str
    report_by: str
    contested: str
    merged: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words of one language."""

    and_: str
    others: str
    kinds: Mapping[Kind, str]
    names: Mapping[Kind, str]
    main: Mapping[str, str]
    basis: Mapping[Literal["authority", "document"], str]
    frames: Frames
    fields: Mapping[str, str]
    milestones: Mapping[Milestone, str]


class Headlines:
    """Writes headlines in every language of the wording table."""

    def __init__(self, wordings: Mapping[str, Wording]) -> None:
        self._wordings = wordings

    def write(self, event: StoryEvent) -> Headline:
        """Return the headline of an event; the event's own is not looked at."""
        return Headline(en=_line(event, self._wordings["en"]), de=_line(event, self._wordings["de"]))


def load_headlines() -> Headlines:
    """Return the writer with the wording in the package. Raises DataError, naming the place, if that is wrong."""
    return parse_headlines((resources.files(__package__) / "data" / _FILE).read_text("utf-8"))


def parse_headlines(text: str) -> Headlines:
    """Return the writer with the wording that the TOML text holds. Raises DataError if a word is missing or wrong."""
    try:
        tables = tomllib.loads(text)
        for table in tables.values():
            table["and_"] = table.pop("and", None)
        wordings = msgspec.convert(tables, dict[str, Wording])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, AttributeError) as error:
        raise DataError(f"{_FILE}: {error}") from error
    for fault in _faults(wordings):
        raise DataError(f"{_FILE}: {fault}")
    return Headlines(wordings)


def _faults(wordings: Mapping[str, Wording]) -> list[str]:
    faults = [f"{language} is missing" for language in ("en", "de") if language not in wordings]
    for language, words in wordings.items():
        faults += [f"{language}.kinds.{kind} is missing" for kind in Kind if kind not in words.kinds]
        faults += [f"{language}.names.{kind} is missing" for kind in Kind if kind not in words.names]
        faults += [f"{language}.milestones.{one} is missing" for one in Milestone if one not in words.milestones]
        faults += [f"{language}.main.{name} is missing" for name in sorted(_SENTENCES - set(words.main))]
        frames = [getattr(words.frames, field.name) for field in fields(Frames)]
        for sentence in (*words.main.values(), *frames, words.others):
            unknown = {name for _, name, _, _ in Formatter().parse(sentence) if name} - _FIELDS
            faults += [f"{language}: {sentence!r}: no field {name}" for name in sorted(unknown)]
    return faults


def _line(event: StoryEvent, words: Wording) -> str:
    main = _main(event, words)
    frames = words.frames
    withdrawn = any(change.field == "support" and change.new is None for change in event.changes)
    framed = {
        EventType.MERGED: frames.merged,
        EventType.CORRECTED: frames.corrected,
        EventType.REVIVED: frames.revived,
        EventType.CORROBORATED: frames.corroborated,
        EventType.UPDATED: frames.updated,
    }
    frame = frames.withdrawn if withdrawn and event.type is not EventType.MERGED else framed.get(event.type, "{main}")
    return frame.format(main=main, n=event.origin_count, what=_news(event.changes, words))


def _main(event: StoryEvent, words: Wording) -> str:
    deniers = [name for name, denies in _parties(event) if denies]
    rest = [name for name, denies in _parties(event) if not denies]
    sentence = words.main[_sentence(event, deniers, rest)].format(
        parties=_list([name for name, _ in _parties(event)], words),
        deniers=_list(deniers, words),
        one="".join(deniers[:1]),
        rest=_list(rest, words),
        kind=words.kinds[event.kind],
        name=words.names[event.kind],
    )
    return sentence + _sureness(event, deniers, words)


def _sentence(event: StoryEvent, deniers: Sequence[str], rest: Sequence[str]) -> str:
    if event.factuality is Factuality.DENIED:
        how = "denied" if len(deniers) > 1 else "denied_by_one" if deniers and rest else "denied_by_nobody"
        return f"{how}.{'talks' if event.stage is Stage.TALKS else 'deal'}"
    failed = event.stage is Stage.ENDED and event.ended_as is EndedAs.TALKS_FAILED
    return f"{event.factuality}.{EndedAs.TALKS_FAILED if failed else event.stage}"


def _sureness(event: StoryEvent, deniers: Sequence[str], words: Wording) -> str:
    source = ", ".join(" ".join(origin.split())[:MAX_SOURCE_CHARS] for origin in event.origins[:2])
    if event.factuality is Factuality.DENIED:
        return words.frames.report_by.format(source=source) if source else ""
    contested = words.frames.contested.format(deniers=_list(deniers, words)) if event.contested and deniers else ""
    if event.factuality is Factuality.REPORTED:
        return (words.frames.source.format(source=source) if source else "") + contested
    if event.basis is Basis.AUTHORITY:
        return words.basis["authority"] + contested
    return (words.basis["document"] if event.basis is Basis.DOCUMENT else "") + contested


def _parties(event: StoryEvent) -> list[tuple[str, bool]]:
    denying = {one.party for one in event.stance_by_party if one.stance is PartyStance.DENIES}
    return [
        (" ".join(party.name.split())[:MAX_NAME_CHARS], (party.id or party.name) in denying) for party in event.parties
    ]


def _list(names: Sequence[str], words: Wording) -> str:
    if len(names) > MAX_PARTIES:
        names = [*names[: MAX_PARTIES - 1], words.others.format(n=len(names) - MAX_PARTIES + 1)]
    return f" {words.and_} ".join(filter(None, (", ".join(names[:-1]), "".join(names[-1:]))))


def _news(changes: Sequence[EventChange], words: Wording) -> str:
    news = []
    for change in changes:
        if change.field == "milestones":
            before = (change.old or "").split(", ")
            news += [
                words.milestones[Milestone(one)] for one in (change.new or "").split(", ") if one and one not in before
            ]
        elif (field := change.field.partition(":")[0]) in words.fields:
            news.append(words.fields[field])
    return ", ".join(dict.fromkeys(news))
