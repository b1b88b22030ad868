"""Gold files: lenient on what is missing, strict on what is wrong."""

from pathlib import Path

import pytest

from tieup.errors import BadFile
from tieup.evaluation.gold import load_gold

SHARED = Path(__file__).resolve().parents[4] / "shared"


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_missing_fields_have_a_meaning(tmp_path: Path) -> None:
    (one, two) = load_gold(written(tmp_path, '{"id":"a","text":"t"}', "", '{"relations":[{"parties":["A","B"]}]}'))
    assert (one.relevant, one.relations, one.story, one.text) == (False, (), None, "t")
    assert (two.id, two.relevant, two.text) == ("line-3", True, None)
    assert two.relations[0].is_right("kind", "supply")


def test_text_lies_beside(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Ford und Xiaomi", "utf-8")
    (one,) = load_gold(written(tmp_path, '{"id":"a","title":"T","relations":null}'))
    assert one.text == "Ford und Xiaomi"


def test_an_id_leads_to_no_other_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x", "utf-8")
    inner = tmp_path / "inner"
    inner.mkdir()
    (one,) = load_gold(written(inner, '{"id":"../secret"}'))
    assert one.text is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "gold.jsonl:2: not JSON"),
        ("[1]", "gold.jsonl:2: not a JSON object"),
        ('{"id":"a"}', "gold.jsonl:2: the id 'a' stands there twice"),
        ('{"id":"b","relations":[{"parties":["A","B"],"kind":"marriage"}]}', "gold.jsonl:2: 'marriage' is no kind"),
        (
            '{"id":"b","relations":[{"parties":["A","B"],"accept":{"stage":["soon"]}}]}',
            "gold.jsonl:2: 'soon' is no stage",
        ),
        ('{"id":"b","relations":[{"parties":["A"]}]}', "gold.jsonl:2: a relation needs at least two parties"),
        ('{"id":"b","relations":[{"kind":"supply"}]}', "gold.jsonl:2: not a gold article"),
        ('{"id":"b","relations":["A"]}', "gold.jsonl:2: not a gold article"),
        ('{"id":"b","relations":7}', "gold.jsonl:2: not a gold article"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(BadFile) as caught:
        load_gold(written(tmp_path, '{"id":"a"}', line))
    assert str(caught.value).startswith(fault)
    assert "\n" not in str(caught.value)


def test_an_unreadable_or_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"none\.jsonl: cannot be read"):
        load_gold(tmp_path / "none.jsonl")
    with pytest.raises(BadFile, match="holds no articles"):
        load_gold(written(tmp_path, ""))


@pytest.mark.skipif(not SHARED.is_dir(), reason="no labelled articles beside the repository")
def test_the_labelled_articles_can_be_read() -> None:
    assert len(load_gold(SHARED / "gold" / "dev.jsonl")) == 239
    seeds = load_gold(SHARED / "seeds" / "gold.jsonl")
    assert len(seeds) == 5
    assert all(one.text for one in seeds)
