"""Which language a text is in, decided by eldc (n-grams, offline); undecided rather than wrong."""

from functools import cache
from typing import Final, Protocol

import eldc

LANGUAGES: Final = frozenset({"de", "en", "fr", "it", "es", "zh", "ja", "ko"})
_SAMPLE_CHARS: Final = 2_000


class _Result(Protocol):
    language: str
    reliable: bool


class _Detector(Protocol):
    def detect_details(self, text: str) -> _Result: ...


def detect_language(text: str, hint: str | None = None) -> str | None:
    """Return the ISO 639-1 code of one of the eight languages that tieup reads, or None where undecided.

    A reliable finding counts, also against the hint. Where the text says too little (a title of names alone), the
    hint's language is taken: the feed's own word. A text reliably in a ninth language is undecided, whatever the hint.
    """
    sample = text[:_SAMPLE_CHARS]
    if not sample.isascii():  # it may hold lone surrogates
        sample = sample.encode("utf-8", "ignore").decode()
    among_all = _everything().detect_details(sample)
    if among_all.reliable:
        return among_all.language if among_all.language in LANGUAGES else None
    among_ours = _ours().detect_details(sample)
    if among_ours.reliable:
        return among_ours.language
    return language_code(hint)


def language_code(tag: str | None) -> str | None:
    """Return the language of a tag such as `de-DE` if it is one that tieup reads, else None."""
    code = (tag or "").strip().replace("_", "-").split("-", 1)[0].lower()
    return code if code in LANGUAGES else None


@cache
def _everything() -> _Detector:
    eldc.init()
    detector: _Detector = eldc.instance()
    return detector


@cache
def _ours() -> _Detector:
    eldc.init()
    detector = eldc.instance()
    detector.set_languages(sorted(LANGUAGES))
    ours: _Detector = detector
    return ours
