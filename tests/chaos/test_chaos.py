"""The short form of `make chaos`, and what shows that its judge can find faults."""

import re

import pytest

from tests.chaos import sqlite_run
from tests.chaos.judge import Faults, Seen, Webhooks, faults, times, webhooks
from tests.chaos.kafka_run import Trial, run
from tests.chaos.pairs import COMPANIES, articles
from tests.chaos.plan import Blow
from tests.conftest import need_kafka

RIGHT = [Seen(n, n, f"{n}") for n in range(6)]
PLACED = {n: (n % 2, n) for n in range(6)}


def judge(relations=RIGHT, events=RIGHT, live=None):
    return faults(6, PLACED, relations, events, live or {"relations": relations, "events": events})


class TestJudge:
    def test_what_is_right_has_no_fault(self):
        assert not judge()

    def test_a_missing_event_is_lost(self):
        assert judge(events=RIGHT[:3] + RIGHT[4:]) == Faults(lost=1)

    def test_a_second_one_is_doubled(self):
        assert judge(relations=[*RIGHT, Seen(6, 2, "2")]) == Faults(duplicated=1)

    def test_events_follow_relations(self):
        swapped = [RIGHT[1], RIGHT[0], *RIGHT[2:]]
        assert judge(events=swapped) == Faults(reordered=1)

    def test_relations_of_one_partition_follow_its_articles_and_no_others(self):
        across = [RIGHT[1], RIGHT[0], *RIGHT[2:]]
        assert judge(across, across) == Faults()
        within = [RIGHT[2], RIGHT[1], RIGHT[0], *RIGHT[3:]]
        assert judge(within, within) == Faults(reordered=1)

    def test_a_record_that_was_seen_and_is_gone_was_aborted(self):
        live = {"relations": RIGHT, "events": [*RIGHT[:2], Seen(2, 2, "of an aborted transaction"), *RIGHT[2:]]}
        assert judge(live=live) == Faults(aborted_visible=1)

    def test_every_entry_has_its_article_once_in_whatever_order(self):
        articles = [*RIGHT[::-1], Seen(6, 2, "2")]
        found = faults(
            6,
            PLACED,
            RIGHT,
            RIGHT,
            {"relations": RIGHT, "events": RIGHT, "articles": articles},
            {"articles": articles[1:]},
        )
        assert found == Faults(lost=1, duplicated=1, aborted_visible=1)

    def test_deliveries_of_a_partition_follow_the_events(self):
        across = [Seen(n, n, f"{n}", partition=n % 2) for n in (1, 0, 3, 2, 5, 4)]
        live = {"relations": RIGHT, "events": RIGHT, "deliveries": across}
        assert not faults(6, PLACED, RIGHT, RIGHT, live, {"deliveries": across})
        within = [Seen(n, n, f"{n}") for n in (1, 0, 2, 3, 4, 5)]
        live["deliveries"] = within
        assert faults(6, PLACED, RIGHT, RIGHT, live, {"deliveries": within}) == Faults(reordered=1)

    def test_a_webhook_may_come_again_with_its_id_only(self):
        assert webhooks(2, [(0, "a", 1.0), (1, "b", 1.0), (0, "a", 2.0)]) == Webhooks(unheard=0, renamed=0, repeats=1)
        assert webhooks(3, [(0, "a", 1.0), (1, "b", 1.0), (0, "c", 2.0)]) == Webhooks(unheard=1, renamed=1, repeats=0)

    def test_a_stall_is_the_longest_time_without_an_event(self):
        seen = [Seen(n, n, "", at) for n, at in enumerate((1.0, 2.0, 9.0, 9.5))]
        assert times({0: 0.5, 1: 1.5, 2: 2.0, 3: 2.5}, seen) == (7.0, 7.0, 7.0)


def test_no_pair_of_companies_comes_twice():
    pairs = {frozenset(re.findall("|".join(COMPANIES), article.title)) for article in articles(5_000)}
    assert len(pairs) == 5_000
    assert {len(pair) for pair in pairs} == {2}


@pytest.mark.kafka
@pytest.mark.slow
def test_kills_hangs_and_cuts_lose_nothing_and_double_nothing(request, tmp_path):
    need_kafka(request.config)
    verdict = run(Trial(5, 2_000, brokers=1, processes=2, rate=125, every_s=(1.5, 3.0)), tmp_path)
    assert not verdict.faults, verdict
    assert sum(verdict.more["blows"].values()) >= 3, verdict
    assert verdict.more["state_missing"] == verdict.more["dead"] == verdict.more["refused"] == 0, verdict
    assert not any("Traceback" in said for said in verdict.more["ended_alone"]), verdict
    assert verdict.more["exit_codes"] == [0, 0], verdict


@pytest.mark.kafka
@pytest.mark.slow
def test_processes_come_and_go_under_load_and_a_rolling_restart_costs_nothing(request, tmp_path):
    need_kafka(request.config)
    blows = (
        Blow(1.0, "start process", 1, 0.0),
        Blow(2.0, "start process", 2, 0.0),
        Blow(4.0, "roll process", 0, 0.0),  # the one that had everything
        Blow(8.0, "roll process", 1, 0.0),
        Blow(12.0, "end process", 2, 0.0),
    )
    verdict = run(Trial(0, 1_500, brokers=1, processes=3, late=2, rate=100, blows=blows), tmp_path)
    assert not verdict.faults, verdict
    assert verdict.more["exit_codes"] == [0] * 5, verdict
    assert verdict.more["ended_alone"] == [], verdict
    assert {process for process, _ in verdict.more["served"]["extract"]} == {0, 1, 2}, verdict
    assert len({process for process, _ in verdict.more["served"]["story"]}) >= 2, "the one story task is taken over"


@pytest.mark.kafka
@pytest.mark.slow
def test_a_kill_on_the_way_from_feeds_to_webhooks_costs_nothing(request, tmp_path):
    need_kafka(request.config)
    blows = (Blow(1.0, "kill process", 0, 0.0), Blow(4.0, "kill process", 1, 0.0))
    verdict = run(Trial(0, 200, brokers=1, processes=2, rate=100, blows=blows, whole=True, at_once=True), tmp_path)
    assert not verdict.faults, verdict
    assert verdict.more["blows"] == {"kill process": 2}, verdict
    assert verdict.more["unheard"] == verdict.more["renamed"] == verdict.more["dead"] == 0, verdict


def test_the_embedded_log_outlives_kills(tmp_path):
    outcome = sqlite_run.run(1, kills=4, records=600, folder=tmp_path)
    assert not outcome.faults, outcome
    assert outcome.integrity == "ok"
    assert outcome.idle_kills < outcome.kills, outcome
    assert (outcome.heard.unheard, outcome.heard.renamed) == (0, 0), outcome
