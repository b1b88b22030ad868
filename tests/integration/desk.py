"""A feed whose entries have pages, and the sites that these are on: on the embedded log, with real servers."""

import zlib
from datetime import timedelta

from tests.feed_server import Answer, FeedServer, Seen, rss
from tests.fetching import NOON, Fetching

from tieup.feeds.registry import feed_from_url, feeds_to_records, poll_now_record
from tieup.log.topics import PAGE_WANTS, RELATIONS
from tieup.model.article import Article
from tieup.model.codec import decode
from tieup.model.page import PageWant
from tieup.model.relation import ArticleRelations

OLD = "<item><title>Weather</title><link>/weather</link><guid>w</guid><description>Rain.</description></item>"
TITLE = "Ford and Xiaomi in talks on a joint venture"
TEASER = "The two carmakers speak about building electric cars together."
HTML = (("Content-Type", "text/html; charset=utf-8"),)
BODY = (
    "Ford and Xiaomi are in talks on a joint venture, two people familiar with the matter said on Monday. "
    "The two carmakers speak about building electric cars together in a plant in Michigan. "
    "Ford has also agreed to buy battery cells from CATL under a supply contract. "
)
DENIAL = "Xiaomi denied the report on Tuesday: there are no talks with Ford on a joint venture, a spokesman said. "


def item(title: str = TITLE, text: str = TEASER, link: str = "/news/1") -> str:
    guid = link.rpartition("/")[2]
    return (
        f"<item><title>{title}</title><link>{link}</link><guid>n{guid}</guid><description>{text}</description></item>"
    )


def page(*paragraphs: str, title: str = TITLE, head: str = "") -> Answer:
    text = "".join(f"<p>{one}</p>" for one in paragraphs)
    html = (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body><nav>Home Cars Sport</nav>"
        f"<main><article><h1>{title}</h1>{text}</article></main><footer>Imprint</footer></body></html>"
    )
    return Answer(html.encode(), headers=HTML)


def wall(title: str, text: str) -> Answer:
    return page(text * 20, title=title)


class Desk:
    """A feed that was polled once, before the entry appears whose page is the matter; a run for every poll."""

    def __init__(self, service: Fetching, served: FeedServer) -> None:
        self.service = service
        self.served = served
        self.feed = feed_from_url(served.url("/feed.xml", "news.example"), NOON)

    async def begin(self) -> None:
        self.served.pages["/feed.xml"] = Answer(rss(OLD))
        await self.service.append(feeds_to_records([self.feed]))
        await self.service.run()

    async def poll(self, *items: str) -> None:
        self.served.pages["/feed.xml"] = Answer(rss(*items, OLD))
        self.service.now += timedelta(hours=2)
        await self.service.append([poll_now_record(self.feed, "test", self.service.now)])
        await self.service.run()

    async def later(self, **wait: float) -> None:
        self.service.now += timedelta(**wait)
        await self.service.run()

    async def versions(self) -> list[Article]:
        return [one for one in await self.service.articles() if one.title != "Weather"]

    async def wants(self) -> dict[str, PageWant]:
        found: dict[str, PageWant] = {}
        for record in await self.service.read(PAGE_WANTS):
            key = (record.key or b"").decode()
            found.pop(key, None)
            if record.value is not None:
                found[key] = decode(PageWant, record.value, record.place)
        return found

    def link(self, name: str) -> str:
        """The page of this name, on a host of its own."""
        return self.served.url(f"/news/{name}", f"{name}.example")

    def serve(self, name: str, answer: Answer, rules: Answer | None = None) -> None:
        self.served.pages[f"/news/{name}"] = answer
        self.service.settings.hosts[f"{name}.example"] = self.served.place
        if rules is not None:
            self.served.pages[self.served.url("/robots.txt", f"{name}.example")] = rules

    def asked(self, path: str) -> list[Seen]:
        return [seen for seen in self.served.seen if seen.path == path]


async def relations(desk: Desk) -> list[ArticleRelations]:
    return [decode(ArticleRelations, one.value, one.place) for one in await desk.service.read(RELATIONS)]


def robots(text: str, **more: object) -> Answer:
    return Answer(text.encode(), headers=(("Content-Type", "text/plain"),), **more)


def gzipped(megabytes: int) -> Answer:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(packer.compress(b"<p>x</p>" * 125_000) for _ in range(megabytes)) + packer.flush()
    return Answer(body, headers=(*HTML, ("Content-Encoding", "gzip")))
