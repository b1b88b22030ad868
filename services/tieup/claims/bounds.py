"""What extraction spends on one article at most, so that no text costs more than a long one: every bound, with why.

Of 244 labelled articles the longest has 3,400 characters and 31 sentences; their sentences have at most 360 characters,
9 names, 16 cues, 5 of them of kind, and an article at most 6 sets of parties in 21 statements. The bounds are chosen
well above that, so that only lists, tables and hostile texts reach them.
"""

from typing import Final

READ_CHARACTERS: Final = 30_000
"""Characters of the text that are read for relations: nine times the longest labelled article."""

READ_SENTENCES: Final = 400
"""Sentences that are read: thousands of words with a full stop each are a list, not an article."""

MENTIONS: Final = 16
"""Companies' names per sentence: twice the most that an n-ary agreement has. Pairs grow with their square."""

CUES: Final = 48
"""Cues per sentence, the first ones: each is weighed against every statement of its sentence."""

KIND_CUES: Final = 10
"""Words for a sort of agreement per sentence, each tried against every company."""

SENTENCE_STATEMENTS: Final = 32
"""Statements per sentence: more than any labelled article has as a whole."""

STATEMENTS: Final = 240
"""Statements per article: ten sentences that each say all they may. What follows repeats."""

DRAFTS: Final = 40
"""Sets of parties per article: beside MAX_RELATIONS of the result there is room for those that weigh too little."""

CONTEXT: Final = 40
"""Sentences that may speak about a relation without stating it: what stands further on is about something else."""
