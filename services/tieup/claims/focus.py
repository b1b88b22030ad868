"""Whether an article newly reports a relation or recalls it."""

from dataclasses import dataclass

from tieup.claims.lexicon.load import Topic
from tieup.claims.votes import Scope, Vote, best_vote, tally
from tieup.model.labels import Focus, Stage

RECALLED = 0.8
"""What background weighs before any cue, for a relation that is not the article's main one."""

LEADING = 1.2
"""What news weighs more in the first sentence of the text."""

PAST = 1.5
"""What background weighs more where the relation has ended: an end that is news is the article's main matter."""

MOVING = 2.0
"""What news weighs more where talks, a denial or a report are stated: what is recalled mostly just runs."""


@dataclass(frozen=True, slots=True)
class FocusReading:
    """A focus and the vote that shows it (None: its place alone)."""

    focus: Focus
    vote: Vote | None


def read_focus(scope: Scope, *, main: bool, first_text: int) -> FocusReading:
    """Return the focus. `main`: the article is about this relation; `first_text`: the text's first sentence."""
    votes = scope.votes(Topic.FOCUS)
    if main:
        return FocusReading(Focus.NEWS, best_vote(votes, Focus.NEWS))
    weights = tally(votes)
    news = weights.get(Focus.NEWS, 0.0) + (LEADING if scope.draft.first <= first_text else 0.0)
    news += MOVING * _moves(scope)
    past = PAST if _has_ended(scope) else 0.0
    focus = Focus.NEWS if news > weights.get(Focus.BACKGROUND, 0.0) + RECALLED + past else Focus.BACKGROUND
    return FocusReading(focus, best_vote(votes, focus))


def _has_ended(scope: Scope) -> bool:
    stages = tally(scope.votes(Topic.STAGE))
    return stages.get(Stage.ENDED, 0.0) > max(stages.get(Stage.TALKS, 0.0), stages.get(Stage.AGREED, 0.0), 1.0)


def _moves(scope: Scope) -> float:
    stages = tally(scope.votes(Topic.STAGE))
    moving = stages.get(Stage.TALKS, 0.0) >= 1 and stages.get(Stage.TALKS, 0.0) > stages.get(Stage.ENDED, 0.0)
    denied = tally(scope.votes(Topic.STANCE)).get("denies", 0.0) >= 1
    return float(moving) + float(denied)
