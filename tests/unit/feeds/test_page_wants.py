"""The pages that a task is to read: bounded in number, tries and time, and back as they were after a restart."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.feeds.paging import NOW, PAGE, article, outcome, request, requests

from tieup.articles.settings import ArticleSettings, FullText
from tieup.errors import StateVersionError
from tieup.feeds.due import DueFeeds
from tieup.feeds.pages.wants import PageRequest, PageWants, want_id
from tieup.feeds.settings import FetchSettings
from tieup.log.base import NOTHING, Output
from tieup.log.topics import PAGE_WANTS
from tieup.model.article import Article
from tieup.model.codec import decode
from tieup.model.feed import PageText
from tieup.model.page import PageResult, PageWant


class Task:
    """Wants as a task holds them: what is decided is applied, and kept as a compacted topic keeps it."""

    def __init__(self, settings: ArticleSettings | None = None, kept: dict[str, bytes] | None = None) -> None:
        self.settings = ArticleSettings() if settings is None else settings
        self.feeds = DueFeeds()
        self.wants = PageWants(self.settings, FetchSettings(concurrency=2_000), self.feeds.hold)
        self.kept: dict[str, bytes] = {}
        for key, value in (kept or {}).items():
            self.wants.apply(key, value)
            self.kept[key] = value

    def take(self, output: Output) -> Output:
        for change in output.changes:
            assert change.topic == PAGE_WANTS
            key = change.key.decode()
            self.wants.apply(key, change.value)
            if change.value is None:
                del self.kept[key]
            else:
                self.kept[key] = change.value
        return output

    def want(self, one: Article, at: datetime = NOW) -> Output:
        return self.take(self.wants.requested(request(one, at), one))

    def acts(self, now: datetime = NOW) -> list[PageRequest]:
        return [self.wants.act(key).payload for key in self.wants.due(now, ())]  # type: ignore[misc]


def test_a_page_is_asked_for_until_its_outcome_is_there() -> None:
    task, one = Task(), article()
    task.want(one)
    asked = PageRequest(want_id(one), "https://pages.example/1", 1, 0)
    assert task.acts() == task.acts() == [asked]
    assert task.wants.act(want_id(one)).id == f"page:{want_id(one)}:1:0"
    result, output = task.wants.settled(outcome(want_id(one)))
    task.take(output)
    (answered,) = requests(output)
    assert (result, answered.reason, answered.article, answered.page) == (
        PageResult.READ,
        "page-read",
        one,
        PageText(PAGE, NOW),
    )
    assert output.records[0].place_by == b"feeds.example"
    assert (task.acts(), task.kept, len(task.wants), task.wants.count(NOW)) == ([], {}, 0, 0)
    assert task.wants.settled(outcome(want_id(one))) == (PageResult.READ, NOTHING)


def test_a_page_that_fails_is_tried_again_and_then_given_up() -> None:
    task, one = Task(), article()
    task.want(one)
    waits = []
    for tries in range(3):
        failed = outcome(want_id(one), PageResult.NO_ANSWER, tries=tries, again=True)
        assert task.take(task.wants.settled(failed)[1]).records == ()
        waits += [decode(PageWant, value, "test").due_at - NOW for value in task.kept.values()]
    assert waits == [timedelta(seconds=120), timedelta(seconds=240)]
    assert task.kept == {}


def test_what_trying_again_cannot_mend_is_given_up_at_once() -> None:
    task, one = Task(), article()
    task.want(one)
    task.take(task.wants.settled(outcome(want_id(one), PageResult.DISALLOWED))[1])
    assert task.kept == {}


def test_a_page_about_something_else_is_no_answer() -> None:
    task, one = Task(), article()
    task.want(one)
    wall = outcome(want_id(one), page=PageText("We use cookies to make this site work for you. " * 9, NOW))
    result, output = task.wants.settled(wall)
    assert (result, output.records) == (PageResult.UNLIKE, ())


def test_a_host_that_wants_quiet_is_held_for_its_feeds_too_over_restarts() -> None:
    task, one = Task(), article()
    task.want(one)
    busy = outcome(want_id(one), PageResult.REFUSED, status=429, retry_after_s=7_200, again=True)
    task.take(task.wants.settled(busy)[1])
    for made in (task, Task(kept=task.kept)):
        made.feeds.put("feed", "pages.example", NOW)
        for seconds, count in ((7_199, 0), (7_200, 1)):
            at = NOW + timedelta(seconds=seconds)
            assert (len(list(made.feeds.due(at, 9, 9))), len(made.acts(at))) == (count, count)


def test_pages_are_read_one_by_one_of_a_host_and_leave_room_for_polls() -> None:
    task = Task()
    for number in range(6):
        task.want(article(number, url=f"https://{'abc'[number % 3]}.example/{number}"))
    assert [one.url for one in task.acts()] == ["https://a.example/0", "https://b.example/1", "https://c.example/2"]
    few = PageWants(ArticleSettings(), FetchSettings(concurrency=4), DueFeeds().hold)
    for key, value in task.kept.items():
        few.apply(key, value)
    (first, second) = few.due(NOW, ())
    assert few.due(NOW, {first}) == [second]


def test_a_page_that_got_no_turn_was_not_tried() -> None:
    task, one = Task(), article()
    task.want(one)
    for _ in range(5):
        task.take(task.wants.settled(outcome(want_id(one), PageResult.POSTPONED, again=True))[1])
    (want,) = (decode(PageWant, value, "test") for value in task.kept.values())
    assert (want.tries, want.due_at) == (0, NOW + timedelta(seconds=120))


def test_a_broken_page_does_not_hold_its_host() -> None:
    task, one = Task(), article()
    task.want(one)
    task.take(task.wants.settled(outcome(want_id(one), PageResult.REFUSED, status=503, again=True))[1])
    task.feeds.put("feed", "pages.example", NOW)
    assert list(task.feeds.due(NOW, 9, 9)) == ["feed"]


def test_a_host_silences_itself_for_a_day_at_most() -> None:
    task, one = Task(), article()
    task.want(one)
    busy = outcome(want_id(one), PageResult.REFUSED, status=503, retry_after_s=2_000_000, again=True)
    task.take(task.wants.settled(busy)[1])
    assert len(task.acts(NOW + timedelta(days=1))) == 1


def test_a_page_is_given_up_after_a_day() -> None:
    task = Task()
    task.want(article())
    assert task.wants.expired(NOW + timedelta(seconds=86_399)) == ()
    task.take(Output(changes=task.wants.expired(NOW + timedelta(seconds=86_400))))
    assert task.kept == {}


def test_the_same_version_again_changes_nothing_and_an_edit_starts_anew() -> None:
    task, one = Task(), article()
    task.want(one)
    task.take(task.wants.settled(outcome(want_id(one), PageResult.NO_ANSWER, again=True))[1])
    assert task.want(one) == NOTHING
    task.want(article(version=2, title="Ford denies"), NOW + timedelta(seconds=9))
    assert [(asked.version, asked.tries) for asked in task.acts(NOW + timedelta(seconds=9))] == [(2, 0)]
    assert task.want(one) == NOTHING, "an older one"
    assert task.wants.settled(outcome(want_id(one), tries=1)) == (PageResult.READ, NOTHING)


def test_two_feeds_that_bring_an_article_each_want_its_page() -> None:
    task = Task()
    task.want(article())
    task.want(article(feed_id="e" * 32))
    assert len(task.wants) == 2


def test_the_oldest_gives_way_where_there_are_too_many() -> None:
    task = Task(ArticleSettings(pages_per_host=2, max_pages=3))
    elsewhere = "https://other.example/{}"
    task.want(article(9, url=elsewhere.format(9)))
    for number in range(4):
        task.want(article(number))
    task.want(article(7, url=elsewhere.format(7)))
    assert sorted(decode(PageWant, value, "test").url for value in task.kept.values()) == [
        "https://other.example/7",
        "https://pages.example/2",
        "https://pages.example/3",
    ]


@pytest.mark.parametrize("url", ["ftp://pages.example/1", "https://user:secret@pages.example/1", "http://[::1", ""])
def test_what_is_no_address_is_not_wanted(url: str) -> None:
    assert Task().want(article(url=url)) == NOTHING


def test_where_pages_are_not_read_any_more_none_is_wanted() -> None:
    before = Task()
    before.want(article())
    task = Task(ArticleSettings(full_text=FullText.NEVER), before.kept)
    assert task.want(article(2)) == NOTHING
    task.take(Output(changes=task.wants.expired(NOW)))
    assert task.kept == {}


@pytest.mark.parametrize("value", [b"{}", b"nonsense", b'{"state_version": 2}'])
def test_a_want_of_another_version_is_refused(value: bytes) -> None:
    with pytest.raises(StateVersionError, match=PAGE_WANTS):
        Task().wants.apply("k", value)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["want", "read", "fail", "later"]), st.integers(0, 5), st.integers(1, 3), st.integers(0, 30)
    ),
    max_size=40,
)


@given(STEPS)
def test_bounds_hold_and_a_restart_at_any_moment_changes_nothing(steps: list[tuple[str, int, int, int]]) -> None:
    settings = ArticleSettings(pages_per_host=3, max_pages=4, page_tries=2, page_max_age_s=20)
    task, now = Task(settings), NOW
    for what, number, version, seconds in steps:
        one = article(number, version, url=f"https://{'ab'[number % 2]}.example/{number}")
        if what == "later":
            now += timedelta(seconds=seconds)
            task.take(Output(changes=task.wants.expired(now)))
        elif what == "want":
            task.want(one, now)
        else:
            result = PageResult.READ if what == "read" else PageResult.NO_ANSWER
            kept = task.kept.get(want_id(one))
            tries = decode(PageWant, kept, "test").tries if kept else 0
            settled = outcome(want_id(one), result, version, tries=tries, again=True, observed_at=now)
            task.take(task.wants.settled(settled)[1])
        assert len(task.wants) == len(task.kept) == task.wants.count(now + timedelta(days=9)) <= 4
        wanted = [decode(PageWant, value, "test") for value in task.kept.values()]
        assert all(want.tries < 2 for want in wanted)
        far = now + timedelta(days=9)
        assert Task(settings, task.kept).acts(far) == task.acts(far)
