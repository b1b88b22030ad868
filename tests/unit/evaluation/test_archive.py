"""Archives: which lines are articles, and the order in which they are processed."""

from datetime import UTC, datetime

import pytest

from tieup.evaluation.archive import UNDATED_AT, ArchiveArticle, article_id, dated, parse_published, read_archive


def lines(*rows: str) -> list[bytes]:
    return [row.encode() for row in rows]


def test_a_bad_line_is_a_fault_and_the_rest_goes_on() -> None:
    archive = read_archive(
        lines(
            '{"id":"a","title":"A"}', "nonsense", '{"id":"b","text":"B"}', '{"title":"no id"}', '{"id":"a","text":"x"}'
        ),
        "in",
    )
    assert [one.id for one in archive.articles] == ["a", "b"]
    assert [str(fault).split(":")[1] for fault in archive.faults] == ["2", "4", "5"]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ('{"id":"a","text":" "}', "neither title nor text"),
        ('{"id":"","text":"x"}', "an empty id"),
        ('{"id":"a","text":"x","published":"soon"}', "'soon' is no date"),
        ('{"id":"a","text":7}', "not an article"),
        ("[]", "not a JSON object"),
        ('{"id":"a","text":"\\ud800"}', "not JSON"),
    ],
)
def test_faults_name_the_line(row: str, fault: str) -> None:
    (found,) = read_archive(lines(row), "in.jsonl").faults
    assert str(found).startswith("in.jsonl:1: ")
    assert fault in str(found)


def test_a_byte_order_mark_and_nulls_are_no_fault() -> None:
    archive = read_archive([b"\xef\xbb\xbf" + b'{"id":"a","text":"x","url":null,"published":""}\r\n'], "in")
    assert archive.faults == ()
    assert archive.articles[0].published is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2022-02", datetime(2022, 2, 1, tzinfo=UTC)),
        ("2022-02-11", datetime(2022, 2, 11, tzinfo=UTC)),
        ("2022-02-11T10:00:00+02:00", datetime(2022, 2, 11, 8, tzinfo=UTC)),
        ("2022-13", None),
        ("0001", None),
        ("yesterday", None),
    ],
)
def test_dates_as_archives_write_them(text: str, moment: datetime | None) -> None:
    assert parse_published(text) == moment


def order(*published: str | None) -> list[int]:
    archive = [ArchiveArticle(str(number), "t", "x", published=one) for number, one in enumerate(published)]
    ids = [article_id(one.id) for one in archive]
    return [ids.index(article.id) for article in dated(archive)]


def test_articles_come_by_date_and_undated_ones_keep_their_place() -> None:
    assert order("2024", "2022-02", "2023-05-01") == [1, 2, 0]
    assert order("2024", None, "2022", None) == [2, 3, 0, 1]
    assert order(None, "2024", "2022") == [2, 0, 1]
    assert order(None, None, None) == [0, 1, 2]
    assert order("2024", "2024-01", "2024-01-01") == [0, 1, 2]


def test_no_clock_is_asked() -> None:
    (article,) = dated([ArchiveArticle("a", "t", "x")])
    assert (article.observed_at, article.published) == (UNDATED_AT, None)
    (article,) = dated([ArchiveArticle("a", "t", "x", published="2022-02")])
    assert article.observed_at == article.published == article.event_time == datetime(2022, 2, 1, tzinfo=UTC)


def test_the_text_stays_as_it_is() -> None:
    text = "  <b>Ｆord</b>\n  und Xiaomi "
    (article,) = dated([ArchiveArticle("a", "t", text)])
    assert article.text == text
