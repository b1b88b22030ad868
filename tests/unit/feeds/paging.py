"""Articles, answers and outcomes for the tests of pages."""

from datetime import UTC, datetime

from tieup.articles.normalize import content_hash
from tieup.log.base import Output
from tieup.model.article import Article
from tieup.model.codec import decode
from tieup.model.feed import FetchRequest, PageText
from tieup.model.page import PageOutcome, PageResult

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)
FEED_ID = "f" * 32
TITLE, TEXT = "Ford and Xiaomi in talks", "The carmakers speak about a joint venture."
PAGE = "Ford and Xiaomi are in talks. The two carmakers speak about a joint venture in Michigan."


def article(number: int = 1, version: int = 1, title: str = TITLE, text: str = TEXT, **more: object) -> Article:
    fields = {
        "id": f"{number:032x}",
        "version": version,
        "title": title,
        "text": text,
        "observed_at": NOW,
        "url": f"https://pages.example/{number}",
        "feed_id": FEED_ID,
        "feed_domain": "feeds.example",
        "content_hash": content_hash(title, text),
        "language": "en",
    }
    return Article(**(fields | more))  # type: ignore[arg-type]


def request(one: Article, at: datetime = NOW) -> FetchRequest:
    return FetchRequest(one.url or "", "pages.example", "page", at, FEED_ID, one.id, article=one)


def answer(one: Article, text: str = PAGE) -> FetchRequest:
    return FetchRequest(
        one.url or "", "feeds.example", "page-read", NOW, FEED_ID, one.id, article=one, page=PageText(text, NOW)
    )


def outcome(want_id: str, result: PageResult = PageResult.READ, version: int = 1, **more: object) -> PageOutcome:
    page = PageText(PAGE, NOW) if result is PageResult.READ else None
    fields = {"tries": 0, "url": "https://pages.example/1", "observed_at": NOW, "page": page}
    return PageOutcome(want_id=want_id, version=version, result=result, **(fields | more))  # type: ignore[arg-type]


def articles(output: Output) -> list[Article]:
    found = (one for one in output.records if one.topic == "tieup.articles.v1")
    return [decode(Article, one.value, "test") for one in found]


def requests(output: Output) -> list[FetchRequest]:
    found = (one for one in output.records if one.topic == "tieup.fetch-requests.v1")
    return [decode(FetchRequest, one.value, "test") for one in found]
