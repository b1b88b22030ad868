"""Who says what about a relation, and whom the article has it from."""

import re
from collections.abc import Sequence

from tieup.claims.factuality import FactualityReading, is_official
from tieup.claims.lexicon.load import Topic
from tieup.claims.reading import Cue, Sentence
from tieup.claims.votes import Scope
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Mention
from tieup.model.labels import Basis, Factuality, SpeakerType, Stage, Stance, Target
from tieup.model.relation import Claim, Evidence

UNKNOWN = "unknown"
ANONYMOUS = "anonymous"
MAX_CLAIMS = 12
PLAIN = 1.5
"""The least weight of a cue that makes a claim."""

_CITING = re.compile(
    r"\b(?:citing|cites|cited|quoting|berufung auf|verweis auf|beruft sich auf|berief sich auf|zitiert|en citant)\b"
    r"|\bcita(?:nt|ndo)\b|援引|引用",
    re.IGNORECASE,
)
_OFFICE = re.compile(
    r"(?!teilt)\b[\w-]*(?:regierung|ministerium|kartellamt|kommission|behörde|government|ministry|commission|court|authority)\w*"
    r"(?:\s(?:of|der|des|von|für|for)(?:\s(?:the|province|provinz|provincial))?(?:\s(?-i:[A-ZÄÖÜ])[\w-]{1,30}){1,3})?",
    re.IGNORECASE,
)
_WITH = re.compile(r"\b(?:mit|with|avec|con)\s$|[与和同]$", re.IGNORECASE)
_WITH_AFTER = ("과", "와", "と")
_TARGETS = {
    Stage.TALKS: Target.TALKS,
    Stage.AGREED: Target.AGREEMENT,
    Stage.ACTIVE: Target.AGREEMENT,
    Stage.ENDED: Target.ENDING,
}
_STANCES = {
    "denies": Stance.DENIES,
    "denies_end": Stance.DENIES,
    "declines_comment": Stance.DECLINES_COMMENT,
    "confirms": Stance.ASSERTS,
}


def read_origin(
    scope: Scope, whole: Sequence[Sentence], publisher: str | None, *, main: bool
) -> tuple[str, Evidence | None]:
    """Return the source that the article credits for the relation, and the words that show it.

    Its own sentences are asked first, then its context, then the whole of an article whose main matter it is and that
    does not vouch for it (`main`). Where its own words point to "the report", the only medium that the article credits
    is meant.
    The publisher counts only with words of own reporting.
    """
    for sentences in (scope.draft.sentences, scope.context, whole if main else ()):
        for sentence in sentences:
            if credited := _credited(sentence):
                return credited
    if any(sentence.has(Topic.SOURCE, "medium") for sentence in scope.draft.sentences):
        credited_media = [one for one in map(_credited, whole) if one]
        if len({name for name, _ in credited_media}) == 1:
            return credited_media[0]
    for sentence in (*scope.draft.sentences, *scope.context):
        own = sentence.about(Topic.SOURCE, "own")
        if own and publisher:
            return publisher, sentence.evidence("origin", own[0].start, own[0].end)
    return UNKNOWN, None


def _credited(sentence: Sentence) -> tuple[str, Evidence] | None:
    """The medium that the sentence credits; of a chain ("Reuters, citing Caixin") the last."""
    cues = sentence.about(Topic.SOURCE, "credits")
    media = [one for one in sentence.media if any(cue.start <= one.start < cue.end for cue in cues)]
    if not media:
        return None
    chain = _CITING.search(sentence.text)
    cited = [one for one in sentence.media if chain is not None and one.start >= sentence.start + chain.end()]
    chosen = cited[0] if cited else media[0]
    return chosen.name, sentence.evidence("origin", chosen.start, chosen.end)


def read_claims(
    scope: Scope, stage: Stage, factuality: FactualityReading, origin: str, gazetteer: Gazetteer
) -> tuple[Claim, ...]:
    """Return who says what: the parties' stances, then unnamed sources, media and authorities, each once."""
    target = _TARGETS[stage]
    claims: dict[tuple[str, Stance], Claim] = {}
    for sentence in (*scope.draft.sentences, *scope.context):
        for claim in _party_claims(
            sentence, scope.draft.parties, target, gazetteer, own=sentence in scope.draft.sentences
        ):
            claims.setdefault((claim.speaker, claim.stance), claim)
        for claim in _source_claims(sentence, factuality, origin, target):
            claims.setdefault((claim.speaker, claim.stance), claim)
    claims = {key: one for key, one in claims.items() if not _is_shorter_name(one, list(claims.values()))}
    denying = {speaker for speaker, stance in claims if stance is Stance.DENIES}
    told = [one for one in claims.values() if one.stance is not Stance.ASSERTS or one.speaker not in denying]
    return tuple(told[:MAX_CLAIMS])


def _confirms(sentence: Sentence, *, own: bool) -> bool:
    """Whether what a party says there bears on the relation: it states it, or speaks of the matter."""
    if is_official(sentence):
        return False
    plain = any(cue.weight >= PLAIN for cue in sentence.about(Topic.KIND))
    return own or plain or sentence.has(Topic.TEXT, "matter")


def _party_claims(
    sentence: Sentence, parties: Sequence[str], target: Target, gazetteer: Gazetteer, *, own: bool
) -> list[Claim]:
    claims: list[Claim] = []
    for cue in sentence.about(Topic.STANCE):
        if cue.weight < PLAIN or (cue.label == "confirms" and not _confirms(sentence, own=own)):
            continue
        what = Target.ENDING if cue.label == "denies_end" else target
        claims.extend(
            Claim(
                speaker=gazetteer.get(company).name,
                speaker_type=SpeakerType.PARTY,
                stance=_STANCES[cue.label],
                target=what,
                span=sentence.span(),
                company_id=company,
            )
            for company in _speakers(sentence, cue, parties)
        )
    return claims


def _speakers(sentence: Sentence, cue: Cue, parties: Sequence[str]) -> list[str]:
    """The parties that a stance belongs to.

    All of them for "both"; else those named within the cue ("neither Ford nor Xiaomi commented"), the subject of the
    cue's clause, the last one before it, or the first after it. A counterparty ("with Apple") is no speaker.
    """
    named = [one for one in sentence.mentions if one.company_id in parties]
    others = {one.company_id for one in named if _is_counterparty(sentence, one)}
    named = [one for one in named if one.company_id not in others]
    if sentence.has(Topic.TEXT, "both") and len({one.company_id for one in named}) != 1:
        return [one for one in parties if one not in others] or list(parties)
    before = [one for one in named if one.start < cue.start]
    within = [one for one in named if cue.start <= one.start < cue.end]
    if cue.label == "declines_comment" and before + within:
        return _ids(before + within)
    clause = sentence.clauses[sentence.clause_of(cue.start)]
    comma = sentence.start + sentence.text.rfind(", ", 0, cue.start - sentence.start)
    near = [one for one in before if one.start > max(comma, clause.start - 1)]
    subjects = near or [one for one in before if one.start >= clause.start] or before[-1:]
    after = [one for one in named if one.start >= cue.start]
    return _ids(subjects or after)[:1]


def _is_counterparty(sentence: Sentence, mention: Mention) -> bool:
    """Whether the company stands after "with", or before the particle that means it."""
    start, end = mention.start - sentence.start, mention.end - sentence.start
    return _WITH.search(sentence.text, 0, start) is not None or sentence.text.startswith(_WITH_AFTER, end)


def _ids(mentions: Sequence[Mention]) -> list[str]:
    return list(dict.fromkeys(one.company_id for one in mentions))


def _source_claims(sentence: Sentence, factuality: FactualityReading, origin: str, target: Target) -> list[Claim]:
    claims: list[Claim] = []
    if sentence.has(Topic.SOURCE, "anonymous"):
        claims.append(Claim(ANONYMOUS, SpeakerType.ANONYMOUS, Stance.ASSERTS, target, sentence.span()))
    elif factuality.factuality is not Factuality.CONFIRMED and any(one.name == origin for one in sentence.media):
        claims.append(Claim(origin, SpeakerType.MEDIUM, Stance.ASSERTS, target, sentence.span()))
    if factuality.basis is Basis.AUTHORITY and (cues := sentence.about(Topic.SOURCE, "authority")):
        claims.append(
            Claim(_office(sentence, cues[-1]), SpeakerType.AUTHORITY, Stance.ASSERTS, target, sentence.span())
        )
    return claims


def _is_shorter_name(claim: Claim, claims: Sequence[Claim]) -> bool:
    """Whether another claim gives the same authority its full name."""
    if claim.speaker_type is not SpeakerType.AUTHORITY:
        return False
    return any(one is not claim and claim.speaker != one.speaker and claim.speaker in one.speaker for one in claims)


def _office(sentence: Sentence, cue: Cue) -> str:
    """The authority's name as the sentence gives it ("government of Jilin", "Regierung der Provinz Jilin")."""
    found = _OFFICE.search(sentence.text, cue.start - sentence.start)
    return found.group() if found else sentence.text[cue.start - sentence.start : cue.end - sentence.start]
