"""What a message says, in every form: nothing of it is missing, nothing of it is markup, all of it is small."""

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.alerts.making import KEY, T0, event, sealer, subscription

from tieup.alerts.capabilities import Capabilities
from tieup.alerts.channels.html import html_page
from tieup.alerts.channels.text import chat_bodies, chat_title, text_body
from tieup.alerts.message import AlertBodies, AlertData, AlertMessage, alert_body, digest_body, linked, reason
from tieup.alerts.notices import notices
from tieup.alerts.telling import shortened, telling, web_url
from tieup.errors import BadRecord
from tieup.ids import derive_id
from tieup.model.codec import decode, encode
from tieup.model.delivery import Delivery, EndpointHealth
from tieup.model.labels import Kind, SpeakerType, Stage, Stance, Target
from tieup.model.story import EventChange, Headline, StoryClaim, StoryParty, Tie
from tieup.model.subscription import Channel

LINKS = Capabilities(KEY, "https://tieup.example.com")
EVENT_ID = derive_id("an event")
FORD = subscription("company:ford", name="Ford")
TIE = Tie(
    parties=(StoryParty("ford", "Ford"), StoryParty("byd", "BYD")),
    kind=Kind.SUPPLY,
    stage=Stage.AGREED,
    seen_at=datetime(2024, 3, 1, tzinfo=UTC),
    url="https://old.example/tie",
)


def claim(number: int, quote: str, url: str = "https://a.example/") -> StoryClaim:
    return StoryClaim("Ford", SpeakerType.PARTY, Stance.ASSERTS, Target.TALKS, quote, T0, f"{number:032}", 0, url=url)


def body(**changed: object) -> bytes:
    return alert_body(event(1, previous_ties=(TIE,), **changed), EVENT_ID, [FORD])


class Page(HTMLParser):
    """Tags, links and visible text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def forms(data: bytes) -> list[str]:
    told = telling(data, LINKS)
    return [text_body(told), Page(html_page(told)).text, chat_title(told) + "\n" + chat_bodies(told)[0]]


def test_every_form_says_all_that_a_message_has_to_say() -> None:
    for form in forms(body()):
        for said in (
            event().headline.en,
            '"This story is completely false," a Ford spokesperson said',
            "an unnamed source says",
            "Ford denies",
            "1 independent (Financial Times), 5 rewrites suppressed",
            "Ford and BYD: supply, agreed, seen 2024-03-01",
            "Ford (company:ford)",
        ):
            assert said in form
    told = telling(body(), LINKS)
    wrong = LINKS.wrong_url(FORD.id, EVENT_ID, event().story_id)
    assert wrong in Page(html_page(told)).links
    assert all(wrong in form for form in (text_body(told), *chat_bodies(told)[:2]))
    assert "https://old.example/tie" in Page(html_page(told)).links


def test_the_newest_words_of_the_causing_article_come_first() -> None:
    (told,) = telling(body(), None).told
    assert [quote.does for quote in told.quotes] == ["denies", "denies", "says"]
    assert told.wrong_url is None


def test_rewrites_and_origins_are_counted_in_words() -> None:
    (told,) = telling(body(origins=("Reuters", "FT", "dpa"), origin_count=3, rewrite_count=39), None).told
    assert told.origins == "3 independent (Reuters, FT, dpa), 39 rewrites suppressed"
    (told,) = telling(body(origins=(), origin_count=0, rewrite_count=1), None).told
    assert told.origins == "0 independent, 1 rewrite suppressed"


HOSTILE = st.text(st.sampled_from("<>&\"'/=: \n\r\t\0\u202e\u2028xjs()[]@`*_"), min_size=1, max_size=60).filter(
    str.strip
)


@settings(deadline=None, max_examples=60)
@given(HOSTILE)
def test_nothing_from_outside_is_markup(text: str) -> None:
    evil = f"{text}</p><script>x</script><img src=x onerror=y>"
    hostile = alert_body(
        event(
            1,
            headline=Headline(evil, evil),
            claims=(claim(1, evil, url=f"javascript:{text}"), claim(2, evil, url=f'https://a.example/"{text}')),
            origins=(evil,),
            cause=replace(event().cause, publisher=evil, title=evil, url="data:text/html,x"),
            previous_ties=(replace(TIE, parties=(StoryParty("x", evil),), url=evil),),
        ),
        EVENT_ID,
        [subscription("company:ford", name=f"x {evil}"[:150])],
    )
    told = telling(hostile, LINKS)
    page = Page(html_page(told, "https://tieup.example.com/stop"))
    assert not page.tags & {"script", "img", "iframe", "object", "form", "style"}
    assert not page.handlers
    assert all(link.startswith(("https://", "http://")) for link in page.links)
    assert "\u202e" not in text_body(told)
    assert "\n" not in told.title
    assert not set("<>`") & set(chat_title(told) + "".join(chat_bodies(told)[:2]))


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "ftp://a/", 'https://a/"x', "https://a/ b", None]
)
def test_only_the_web_is_linked(url: str | None) -> None:
    assert web_url(url) is None


def test_a_digest_says_how_many_and_each_has_its_link() -> None:
    bodies = [body().decode(), alert_body(event(1, story="two"), derive_id("2"), [FORD]).decode()]
    data, held = digest_body(bodies, T0)
    told = telling(data, LINKS)
    assert (held, len(told.told), told.digest) == (2, 2, True)
    assert told.title.startswith("2 changes: Ford and Xiaomi")
    assert len({one.wrong_url for one in told.told}) == 2
    assert chat_bodies(told)[0].count("Origins:") == 2
    assert text_body(told).count("Ford and BYD: supply, agreed, seen 2024-03-01") == 1  # the second has no past


def test_links_stand_in_what_is_sent_and_not_on_the_log() -> None:
    data = body()
    assert b"alerts/wrong" not in data
    sent = linked(data, LINKS)
    assert orjson.loads(sent)["data"]["wrong_url"] == LINKS.wrong_url(FORD.id, EVENT_ID, event().story_id)
    assert sent == linked(data, LINKS)
    assert linked(b'{"a":1}', LINKS) == b'{"a":1}'
    assert linked(data, None) == data


@settings(deadline=None, max_examples=60)
@given(HOSTILE)
def test_a_message_put_together_from_parts_is_the_one_encoded_whole(text: str) -> None:
    """As sent, as it stands in a record, and with its link."""
    one, asking = event(1, headline=Headline(text, text)), subscription("company:ford", name=f"x {text}"[:150])
    data = AlertData(EVENT_ID, one, (reason(asking),))
    whole = AlertMessage(f"tieup.{one.type}.v1", one.occurred_at, data)
    bodies = AlertBodies(one, EVENT_ID)
    assert bodies.to([asking]) == encode(whole)
    assert orjson.loads(orjson.dumps(bodies.quoted([asking]))) == encode(whole).decode()
    url = LINKS.wrong_url(asking.id, EVENT_ID, one.story_id)
    assert linked(encode(whole), LINKS) == encode(replace(whole, data=replace(data, wrong_url=url)))


def test_with_its_links_every_body_is_under_twenty_kilobytes() -> None:
    """The longest public URL that the settings allow, and events that fill their room."""
    links = Capabilities(KEY, "https://" + "x" * 192)
    many = tuple(claim(number, "q" * 290) for number in range(50))
    full = [alert_body(event(1, claims=many, story=f"{n}"), derive_id(f"{n}"), [FORD]) for n in range(60)]
    assert len(linked(full[0], links)) < 20_000
    data, held = digest_body([one.decode() for one in full], T0)
    assert 3 < held < 60
    assert 14_000 < len(linked(data, links)) < 20_000


def test_shortened_keeps_what_must_be_said() -> None:
    told = shortened(telling(body(), LINKS), 0)
    assert not told.told[0].quotes
    assert "5 rewrites" in text_body(told)
    assert "alerts/wrong" in html_page(told)


def test_a_notice_says_which_place_is_silent_and_why() -> None:
    health = EndpointHealth("e" * 32, stopped_at=T0, reason="failed for 5 days")
    others = [sealer().endpoint(Channel.EMAIL, "me@a.example"), sealer().endpoint(Channel.FEED, FORD.id)]
    records = notices(FORD.endpoints[0], health, [FORD], others, T0)
    deliveries = [decode(Delivery, record.value, "a delivery") for record in records]
    assert [one.channel for one in deliveries] == [Channel.EMAIL, Channel.FEED]
    for form in forms(deliveries[0].body.encode()):
        assert "webhook" in form
        assert "failed for 5 days" in form
        assert "Ford" in form
        assert "Origins" not in form
    assert linked(deliveries[0].body.encode(), LINKS) == deliveries[0].body.encode()


def test_another_body_is_refused() -> None:
    with pytest.raises(BadRecord):
        telling(b'{"a":1}', LINKS)


def test_what_changed_is_told_in_words_and_what_is_new_without_a_former() -> None:
    changes = (
        EventChange("kind", None, "joint_venture"),
        EventChange("stage", "talks", "agreed"),
        EventChange("binding", "true", None),
        EventChange("contested", None, "true"),
        EventChange("stance:ford", "silent", "denies"),
    )
    (told,) = telling(body(changes=changes), LINKS).told
    assert told.changes == ("kind: joint venture", "stage: talks → agreed", "binding: true → nothing", "contested now")
