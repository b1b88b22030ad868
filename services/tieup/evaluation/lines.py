"""The lines that a backtest prints: what was found in each article, in a shape that scripts can rely on."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from tieup.errors import BadFile
from tieup.evaluation.jsonl import read_rows
from tieup.model.labels import Basis, Factuality, Focus, Kind, Milestone, SpeakerType, Stage, Stance, Target
from tieup.model.relation import Claim, Evidence, Part, Relation


@dataclass(frozen=True, slots=True)
class LineParty:
    """A party: its gazetteer id, or None where the gazetteer lacks it, and the name that the article uses."""

    id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class LineSpan:
    """A stretch of the article, offsets in Unicode code points, end exclusive."""

    part: Part
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class LineClaim:
    """Who says what, and the words."""

    speaker: str
    speaker_type: SpeakerType
    stance: Stance
    target: Target
    evidence: LineSpan


@dataclass(frozen=True, slots=True)
class LineRelation:
    """One relation; `story_id` is None for background, which belongs to no story."""

    parties: tuple[LineParty, ...]
    kind: Kind
    stage: Stage
    factuality: Factuality
    basis: Basis | None
    focus: Focus
    binding: bool | None = None
    milestones: tuple[Milestone, ...] = ()
    claims: tuple[LineClaim, ...] = ()
    origin: str = "unknown"
    evidence: tuple[Evidence, ...] = ()
    story_id: str | None = None


@dataclass(frozen=True, slots=True)
class BacktestLine:
    """What was found in one article. `story_id` is its primary relation's, `duplicate_of` the article it repeats."""

    id: str
    relevant: bool
    language: str | None = None
    duplicate_of: str | None = None
    story_id: str | None = None
    relations: tuple[LineRelation, ...] = ()


def line_relation(relation: Relation, story_id: str | None = None) -> LineRelation:
    """Return the relation as a line shows it."""
    return LineRelation(
        parties=tuple(LineParty(party.id, party.name) for party in relation.parties),
        kind=relation.kind,
        stage=relation.stage,
        factuality=relation.factuality,
        basis=relation.basis,
        focus=relation.focus,
        binding=relation.binding,
        milestones=relation.milestones,
        claims=tuple(_claim(claim) for claim in relation.claims),
        origin=relation.origin,
        evidence=relation.evidence,
        story_id=story_id,
    )


def load_lines(path: Path) -> list[BacktestLine]:
    """Return the lines that a backtest printed into a file. Raises BadFile, naming file and line."""
    found: list[BacktestLine] = []
    try:
        with path.open("rb") as file:
            for number, row in read_rows(file, path.name):
                if isinstance(row, BadFile):
                    raise row
                try:
                    found.append(msgspec.convert(row, BacktestLine))
                except msgspec.ValidationError as error:
                    raise BadFile(f"{path.name}:{number}: not a line of a backtest: {error}") from error
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from error
    return found


def _claim(claim: Claim) -> LineClaim:
    span = LineSpan(claim.span.part, claim.span.start, claim.span.end, claim.span.quote)
    return LineClaim(claim.speaker, claim.speaker_type, claim.stance, claim.target, span)
