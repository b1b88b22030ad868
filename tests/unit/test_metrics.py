"""Every number that a run tells is documented, and the other way round; alerts ask for nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client import CollectorRegistry
from ruamel.yaml import YAML

from tieup.alerts.watch import ApiWatch
from tieup.bootstrap import utc_now, worker_specs
from tieup.config import load_settings
from tieup.feeds.watch import HubWatch
from tieup.metrics import Metrics

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(tieup_\w+)` \| (\w+) \|((?: `\w+`,?)*) ?\|", re.MULTILINE)
ALERTS: list[dict[str, Any]] = [
    rule for group in YAML(typ="safe").load(ROOT / "deploy/prometheus/alerts.yml")["groups"] for rule in group["rules"]
]


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    rows = ROW.findall((ROOT / "docs/metrics.md").read_text("utf-8"))
    return {name: (kind, frozenset(re.findall(r"\w+", labels))) for name, kind, labels in rows}


def told() -> dict[str, tuple[str, frozenset[str]]]:
    registry = CollectorRegistry()
    worker_specs(load_settings({}), (), utc_now, registry)
    Metrics(registry)
    HubWatch(registry)
    ApiWatch(registry)
    found = {}
    for collector in set(registry._names_to_collectors.values()):
        (family,) = collector.describe()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = family.type, frozenset(collector._labelnames)
    return found


def test_what_is_told_is_documented_and_nothing_else() -> None:
    assert documented() == told()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_what_is_told(alert: dict[str, Any]) -> None:
    asked = list(selectors(promql_parser.parse(alert["expr"])))
    assert asked
    for name, labels in asked:
        if name == "up":
            continue
        base = re.sub(r"_(bucket|count|sum)$", "", name)
        kind, known = documented()[base]
        assert (kind == "histogram") == (base != name)
        assert labels <= known | ({"le"} if kind == "histogram" else set())


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_is_whole(alert: dict[str, Any]) -> None:
    assert alert.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in ("warning", "critical")
    assert alert["annotations"].keys() == {"summary"}
    assert re.fullmatch(r"\d+[mh]", alert.get("for", "1m"))


def test_alerts_have_names_of_their_own() -> None:
    assert len({alert["alert"] for alert in ALERTS}) == len(ALERTS)


def selectors(node: Any) -> Iterator[tuple[str, set[str]]]:
    """The metrics that an expression asks for, each with the labels that it matches."""
    selector = getattr(node, "vector_selector", node)
    if hasattr(selector, "matchers"):
        yield selector.name, {matcher.name for matcher in selector.matchers.matchers}
        return
    for part in ("expr", "lhs", "rhs", "param"):
        inner = getattr(node, part, None)
        if inner is not None and not isinstance(inner, str):
            yield from selectors(inner)
    for argument in getattr(node, "args", ()):
        yield from selectors(argument)
