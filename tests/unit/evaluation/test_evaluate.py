"""The figures: each one against a case counted by hand."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.evaluation.making import GAZETTEER, article, found, gold, line

from tieup.evaluation.differences import first_faults
from tieup.evaluation.evaluate import Figures, figures_as_dict, judge, score
from tieup.evaluation.measures import Retrieval, Share


def overall(pairs: list[tuple]) -> Figures:
    return score([one for one, _ in pairs], [other for _, other in pairs if other], GAZETTEER).overall


def test_perfect_lines_score_one_everywhere() -> None:
    figures = overall(
        [
            (
                article("a", gold("Ford", "BYD", factuality="denied"), story="s"),
                line("a", found("Ford", "BYD", factuality="denied"), story="1"),
            ),
            (article("b", gold("VW", "SAIC"), story="t"), line("b", found("VW", "SAIC"), story="2")),
            (article("c"), line("c")),
        ]
    )
    assert figures.relevance.f1 == figures.relations.f1 == figures.exact.f1 == figures.denials.f1 == 1
    assert figures.news_recall.value == figures.kind.value == figures.factuality_macro_f1 == figures.stories == 1


def test_relevance_relations_and_news_are_counted() -> None:
    figures = overall(
        [
            (
                article("a", gold("Ford", "BYD"), gold("Ford", "VW", focus="background")),
                line("a", found("Ford", "BYD"), found("Ford", "SAIC")),
            ),
            (article("b", gold("VW", "SAIC")), line("b")),
            (article("c"), line("c", found("Ford", "VW"))),
        ]
    )
    assert figures.relevance == Retrieval(right=1, found=2, wanted=2)
    assert figures.relations == Retrieval(right=1, found=3, wanted=3)
    assert figures.news_recall == Share(1, 2)


def test_accepted_values_are_right_and_others_are_not() -> None:
    lenient = gold("Ford", "BYD", accept={"kind": ("alliance",), "factuality": ("denied",)})
    figures = overall(
        [
            (article("a", lenient), line("a", found("Ford", "BYD", kind="alliance", factuality="denied"))),
            (article("b", lenient), line("b", found("Ford", "BYD", kind="supply", stage="ended", focus="background"))),
        ]
    )
    assert (figures.kind, figures.stage, figures.focus) == (Share(1, 2), Share(1, 2), Share(1, 2))
    assert figures.factuality == Share(2, 2)
    assert figures.exact == Retrieval(right=1, found=2, wanted=2)


def test_denials_count_missed_invented_and_mistaken_ones() -> None:
    denied = gold("Ford", "BYD", factuality="denied")
    figures = overall(
        [
            (article("a", denied), line("a", found("Ford", "BYD", factuality="denied"))),
            (article("b", denied), line("b", found("Ford", "BYD"))),
            (article("c", denied), line("c")),
            (article("d"), line("d", found("Ford", "BYD", factuality="denied"))),
        ]
    )
    assert figures.denials == Retrieval(right=1, found=2, wanted=3)


def test_labels_that_the_gold_leaves_out_are_not_scored() -> None:
    bare = gold("Ford", "BYD", kind=None, factuality=None)
    figures = overall([(article("a", bare), line("a", found("Ford", "BYD", stage="ended")))])
    assert (figures.kind, figures.factuality, figures.stage) == (Share(0, 0), Share(0, 0), Share(0, 1))
    assert figures.factuality_macro_f1 is None


_RELATIONS = st.tuples(
    st.sampled_from([("Ford", "BYD"), ("VW", "SAIC"), ("Ford", "VW", "BYD")]),
    st.sampled_from(["supply", "alliance"]),
    st.sampled_from(["talks", "agreed"]),
    st.booleans(),
)


@given(st.lists(_RELATIONS, max_size=4), st.lists(_RELATIONS, max_size=4), st.randoms())
def test_the_order_of_what_was_found_does_not_matter(wanted: list, given_: list, random: Random) -> None:
    labelled = article("a", *(gold(*names, kind=k, stage=s, optional=o) for names, k, s, o in wanted))
    predicted = [found(*names, kind=k, stage=s) for names, k, s, _ in given_]
    shuffled = random.sample(predicted, len(predicted))
    one, two = (overall([(labelled, line("a", *each))]) for each in (predicted, shuffled))
    assert one.relations == two.relations
    assert one.kind.right + one.stage.right == two.kind.right + two.stage.right


@given(st.lists(_RELATIONS, max_size=5))
def test_saying_the_gold_is_perfect(wanted: list) -> None:
    labelled = article("a", *(gold(*names, kind=k, stage=s) for names, k, s, _ in wanted))
    figures = overall([(labelled, line("a", *(found(*names, kind=k, stage=s) for names, k, s, _ in wanted)))])
    assert figures.exact == Retrieval(len(wanted), len(wanted), len(wanted))


def test_macro_f1_weighs_rare_labels_like_frequent_ones() -> None:
    reported = gold("Ford", "BYD")
    pairs = [(article(str(n), reported), line(str(n), found("Ford", "BYD"))) for n in range(3)]
    denied = gold("Ford", "BYD", factuality="denied")
    figures = overall([*pairs, (article("x", denied), line("x", found("Ford", "BYD")))])
    assert figures.factuality.value == 0.75
    assert figures.factuality_macro_f1 == round((6 / 7 + 0) / 2, 4)


def test_stories_beside_the_baseline() -> None:
    relation, same = gold("Ford", "BYD"), found("Ford", "BYD")
    figures = overall(
        [
            (article("a", relation, story="s"), line("a", same, story="1")),
            (article("b", relation, story="s"), line("b", same, story="1")),
            (article("c", relation, story="other"), line("c", same, story="2")),
            (article("d"), line("d")),
        ]
    )
    assert figures.stories == 1
    # The baseline puts a, b and c together: precision (4/9 + 4/9 ... ) = (2/3 + 2/3 + 1/3 + 1) / 4, recall 1.
    assert figures.baseline == round(2 * (2 / 3) / (2 / 3 + 1), 4)


def test_an_article_without_a_story_is_its_own() -> None:
    figures = overall([(article("a"), line("a")), (article("b"), line("b"))])
    assert figures.stories == 1
    assert overall([(article("a"), line("a", story="1")), (article("b"), line("b", story="1"))]).stories == round(
        2 / 3, 4
    )


def test_an_unanswered_article_counts_as_nothing_found() -> None:
    scores = score([article("a", gold("Ford", "BYD"))], [line("other", found("Ford", "BYD"))], GAZETTEER)
    assert scores.unanswered == 1
    assert scores.overall.relations == Retrieval(right=0, found=0, wanted=1)


def test_by_language() -> None:
    scores = score([article("a", lang="de"), article("b", gold("Ford", "BYD"))], [line("a"), line("b")], GAZETTEER)
    assert list(scores.by_language) == ["de", "en"]
    assert [figures.relations.wanted for figures in scores.by_language.values()] == [0, 1]


def test_figures_without_anything_to_judge_are_none_not_one() -> None:
    plain = figures_as_dict(overall([(article("a"), line("a"))]))
    assert plain["kind"] == {"value": None, "right": 0, "of": 0}
    assert plain["factuality_macro_f1"] is None


def test_faults_say_what_is_wrong_and_show_the_text() -> None:
    text = "Ford and BYD deny it."
    labelled = article("a", gold("Ford", "BYD", evidence="deny it"), gold("VW", "SAIC"), text=text, title="T")
    judged = judge(
        [labelled, article("b")], [line("a", found("Ford", "BYD", stage="ended"), found("Ford", "VW"))], GAZETTEER
    )
    (faulty,) = first_faults(judged, 5)
    assert [(fault.sort, fault.gold, fault.found) for fault in faulty.faults] == [
        ("missed", "VW – SAIC: joint_venture, talks, reported, news", ""),
        ("extra", "", "Ford – VW: joint_venture, talks, reported, news"),
        ("labels", "Ford – BYD: stage talks", "stage ended"),
    ]
    assert faulty.faults[0].snippet == text
    assert first_faults(judged, 0) == []
