from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stories.making import article, feed, relation, worker

from tieup.model.story import Source
from tieup.stories.origins import source_key


def sources(*told: tuple[str, str | None]) -> dict[str, Source]:
    """The sources of a story told by these origins and publishers, a day apart."""
    one = worker()
    for day, (origin, publisher) in enumerate(told):
        feed(one, article(f"a{day}", relation("Ford", "Xiaomi", origin=origin), day=day, publisher=publisher))
    (story,) = one.memory.stories.values()
    return {source.name: source for source in story.sources}


def test_who_broke_it_and_who_cites_whom() -> None:
    found = sources(("Caixin", "Reuters"), ("Reuters", "EV Ledger"), ("Caixin", "Caixin"), ("unknown", "Blog"))
    assert {name: source.cites for name, source in found.items()} == {
        "Caixin": None,
        "Reuters": "Caixin",
        "EV Ledger": "Reuters",
        "Blog": None,
    }
    assert [name for name, source in found.items() if source.independent] == ["Caixin"]
    assert {name: source.articles for name, source in found.items()} == {
        "Caixin": 1,
        "Reuters": 1,
        "EV Ledger": 1,
        "Blog": 1,
    }


def test_one_who_is_only_credited_has_no_article() -> None:
    assert sources(("The Financial Times", "Blog"))["The Financial Times"].articles == 0


def test_a_copy_hangs_under_what_it_copies() -> None:
    one = worker()
    text = " ".join(f"word{at}" for at in range(80))
    feed(one, article("wire", relation("Ford", "Xiaomi"), publisher="Wire", text=text))
    feed(one, article("copy", relation("Ford", "Xiaomi"), publisher="Paper", text=text, day=1))
    (story,) = one.memory.stories.values()
    assert [(source.name, source.cites) for source in story.sources] == [("Wire", None), ("Paper", "Wire")]


names = st.sampled_from(["Reuters", "the Reuters", "Caixin", "FT", "unknown", "Blog"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(names, st.one_of(st.none(), names)), min_size=1, max_size=12))
def test_it_is_a_tree(told: list[tuple[str, str | None]]) -> None:
    found = {source_key(name): source for name, source in sources(*told).items()}
    for source in found.values():
        seen = set()
        at: Source | None = source
        while at is not None:
            assert source_key(at.name) not in seen
            seen.add(source_key(at.name))
            at = found[source_key(at.cites)] if at.cites else None
