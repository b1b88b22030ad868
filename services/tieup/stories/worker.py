"""The story worker: relations and corrections in, events out, stories and assignments as its state.

    relations ─▶ duplicate? ─▶ which story? ─▶ tell ──┬──▶ events
    corrections ─▶ due? ─▶ split, merge, retract ─────┘
                     └────────── memory ◀── apply ◀── stories, assignments

A correction that names what is not there yet, as in a replay that reads it first, waits until it is.

Restoring the two state topics gives the same memory, and so the same bytes, as never having stopped.
"""

from datetime import datetime
from typing import Final

from tieup.errors import BadRecord
from tieup.events.envelope import DEFAULTS, EnvelopeSettings
from tieup.events.headline import load_headlines
from tieup.log.base import NOTHING, Change, Output, Record, WorkerSpec
from tieup.log.topics import ASSIGNMENTS, CORRECTIONS, RELATIONS, STORIES
from tieup.model.codec import decode, decode_state
from tieup.model.labels import Focus
from tieup.model.relation import ArticleRelations, Relation
from tieup.model.story import STORY_STATE_VERSION, Assignment, Correction, Story, StoryParty, Tie
from tieup.stories.affinity import load_affinity
from tieup.stories.cluster import Placed, assign
from tieup.stories.corrections import check, correct, is_due, moved
from tieup.stories.draft import Draft
from tieup.stories.likeness import Judge
from tieup.stories.memory import Memory
from tieup.stories.merging import absorbed, redirected
from tieup.stories.parties import Companies
from tieup.stories.report import Reporter, article_occasion
from tieup.stories.statements import Statement, by_weight, statement, ties
from tieup.stories.subjects import load_subjects
from tieup.stories.telling import Telling, tell

NAME: Final = "story"
MAX_WAITING: Final = 1_000


class StoryWorker:
    """Puts each article's relations to their stories and tells what changed (Worker of `log.base`).

    `data_version` defaults to the gazetteer's. Raises DataError if a table in the package is wrong.
    """

    def __init__(
        self,
        gazetteer: Companies,
        code_version: str = "",
        data_version: str | None = None,
        settings: EnvelopeSettings = DEFAULTS,
    ) -> None:
        self._companies = gazetteer
        self._subjects = load_subjects()
        self._judge = Judge(gazetteer, load_affinity(), self._subjects)
        self._reporter = Reporter(gazetteer, load_headlines(), code_version, data_version or gazetteer.version)
        self._settings = settings
        self.memory = Memory()

    def process(self, record: Record) -> Output:
        """Decide on one record of the topics relations or corrections; see `log.base`.

        An older version than the one already taken in changes nothing. Raises BadRecord if it is no such record.
        """
        if record.topic == CORRECTIONS:
            return self._correct(decode(Correction, record.value, record.place), record.timestamp)
        if record.topic != RELATIONS:
            raise BadRecord(f"{record.place}: the story worker reads {RELATIONS} and {CORRECTIONS}")
        found = decode(ArticleRelations, record.value, record.place)
        known = self.memory.assignments.get(found.article_id)
        if known is not None and known.version >= found.version:
            return NOTHING
        return self._decide(self._subjects.scoped(found, self._companies), known, record.timestamp)

    def apply(self, change: Change) -> None:
        """Take a story or an assignment into memory; see `log.base`. Raises StateVersionError."""
        key = change.key.decode()
        if change.topic == STORIES:
            if change.value is None:
                self.memory.drop_story(key)
            else:
                self.memory.put_story(decode_state(Story, change.value, _place(change), STORY_STATE_VERSION))
        elif change.topic == ASSIGNMENTS:
            if change.value is None:
                self.memory.drop_assignment(key)
            else:
                self.memory.put_assignment(decode_state(Assignment, change.value, _place(change), STORY_STATE_VERSION))

    def wake(self, now: datetime) -> Output:  # noqa: ARG002
        """Nothing is due by the clock here."""
        return NOTHING

    def _decide(self, found: ArticleRelations, known: Assignment | None, timestamp: int) -> Output:
        original = self.memory.duplicates.original(found.article_id, found.event_time, found.signature)
        placed = self._assign(found, known, original)
        assigned = placed.story_ids
        if original is not None and not self._tells_alike(original, assigned):
            original = None
        draft = Draft(self.memory)
        for gone, into in placed.merged:
            self._merge(gone, into, found, draft)
        for story_id in self._touched(known, assigned, found):
            telling = self._tell(draft.stories.get(story_id), story_id, found, assigned, original)
            if telling is not None:
                draft.tell(telling)
        draft.assign(self._assignment(found, known, assigned, original))
        for correction in self.memory.waiting:
            if is_due(correction, draft.stories):
                self._carry_out(correction, draft)
                draft.forget(correction.id)
        return draft.output(timestamp, self._settings)

    def _correct(self, correction: Correction, timestamp: int) -> Output:
        """Carry a correction out, or let it wait for what it names."""
        check(correction)
        draft = Draft(self.memory)
        if is_due(correction, draft.stories):
            self._carry_out(correction, draft)
        elif len(self.memory.waiting) >= MAX_WAITING:
            raise BadRecord(f"correction {correction.id}: {MAX_WAITING} corrections wait already")
        else:
            draft.assign(Assignment(correction.id, 1, correction.at, correction.at, (), waiting=correction))
        return draft.output(timestamp, self._settings)

    def _carry_out(self, correction: Correction, draft: Draft) -> None:
        for telling in correct(correction, draft.stories, self.memory.ties_of, self._reporter):
            draft.tell(telling)
        for article_id in correction.article_ids:
            draft.move(article_id, lambda article, story: moved(correction, article, story))

    def _assign(self, found: ArticleRelations, known: Assignment | None, original: str | None) -> Placed:
        copied = self.memory.assignments.get(original) if original else None
        before = [self.memory.leads_to(one) for source in (known, copied) if source for one in source.story_ids if one]
        return assign(found, self.memory, self._judge, before)

    def _tells_alike(self, original: str, assigned: tuple[str | None, ...]) -> bool:
        """Say whether a copy tells what its original does: the same words about other companies are no copy."""
        copied = self.memory.assignments[original].story_ids
        told = {self.memory.leads_to(one) for one in copied if one}
        return not told or not any(assigned) or not told.isdisjoint(assigned)

    def _merge(self, gone_id: str, into_id: str, found: ArticleRelations, draft: Draft) -> None:
        """Put one story into another; what that changes is told with what the article says."""
        gone, into = self.memory.stories[gone_id], self.memory.stories[into_id]
        ties = self.memory.ties_of(gone.parties, without=gone_id)
        draft.tell(redirected(gone, into_id, article_occasion(found), ties, self._reporter))
        draft.tell(Telling(absorbed(into, gone), None))

    def _tell(
        self,
        story: Story | None,
        story_id: str,
        found: ArticleRelations,
        assigned: tuple[str | None, ...],
        original: str | None,
    ) -> Telling | None:
        said = self._statement(story_id, found, assigned, original)
        if story is not None and found.article_id in story.retracted:
            said = None

        def previous(parties: tuple[StoryParty, ...]) -> tuple[Tie, ...]:
            return self.memory.ties_of(parties, without=story_id)

        return tell(story, story_id, said, found, previous, self._reporter)

    def _statement(
        self, story_id: str, found: ArticleRelations, assigned: tuple[str | None, ...], original: str | None
    ) -> Statement | None:
        own: list[Relation] = [
            found.relations[at]
            for at in by_weight(found.relations)
            if assigned[at] == story_id and found.relations[at].focus is Focus.NEWS
        ]
        return statement(found, own, self._companies, original) if own else None

    def _assignment(
        self,
        found: ArticleRelations,
        known: Assignment | None,
        assigned: tuple[str | None, ...],
        original: str | None,
    ) -> Assignment:
        kept = known if known is not None and found.excerpt else None  # a whole text may still withdraw from there
        return Assignment(
            article_id=found.article_id,
            version=found.version,
            event_time=found.event_time,
            stream_time=self._stream_time(found),
            story_ids=(*assigned, *(one for one in (kept.story_ids if kept else ()) if one not in assigned)),
            duplicate_of=original,
            signature=found.signature,
            ties=(kept.ties if kept else ()) or ties(found, self._companies),
        )

    def _stream_time(self, found: ArticleRelations) -> datetime:
        """The latest time seen; an article dated after it was observed cannot move it beyond that."""
        at = min(found.event_time, found.observed_at)
        return max(at, self.memory.stream_time or at)

    def _touched(
        self, known: Assignment | None, assigned: tuple[str | None, ...], found: ArticleRelations
    ) -> list[str]:
        """The stories of the article, the main one first, then those that its older version told."""
        now = [assigned[at] for at in by_weight(found.relations) if (assigned[at])]
        before = known.story_ids if known and not found.excerpt else ()  # an excerpt withdraws nothing
        then = [self.memory.leads_to(one) for one in before if one]
        return list(dict.fromkeys(one for one in (*now, *then) if one))


def story_spec(
    gazetteer: Companies,
    code_version: str = "",
    data_version: str | None = None,
    settings: EnvelopeSettings = DEFAULTS,
) -> WorkerSpec:
    """Return the story worker as the runner needs it."""
    return WorkerSpec(
        name=NAME,
        build=lambda _partition: StoryWorker(gazetteer, code_version, data_version, settings),
        streams=(RELATIONS, CORRECTIONS),
        out=(settings.topic,),
        state=(STORIES, ASSIGNMENTS),
    )


def _place(change: Change) -> str:
    return f"{change.topic}: {change.key.decode(errors='replace')}"
