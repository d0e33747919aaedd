"""Rules, alerts and dashboard speak of metrics that exist, and operators find what to do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tests.infra_files import INFRA, ROOT, known_metrics, named_metrics, recorded

FOLDER = INFRA / "observability"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def rules_of(name: str) -> list[dict[str, Any]]:
    loaded = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules_of("alerts.yml")}
RULES = {rule["record"]: rule for rule in rules_of("recording-rules.yml")}
DASHBOARD = json.loads((FOLDER / "grafana" / "dashboards" / "stenocast.json").read_text(encoding="utf-8"))
PANELS = {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in DASHBOARD["panels"]}
EXPRESSIONS = {
    **{name: rule["expr"] for name, rule in {**ALERTS, **RULES}.items()},
    **{title: " ".join(expressions) for title, expressions in PANELS.items()},
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_asks_for_metrics_that_exist(name: str) -> None:
    asked = named_metrics(EXPRESSIONS[name])

    assert asked or "process_" in EXPRESSIONS[name]
    assert asked <= known_metrics() | recorded()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_brackets_and_quotes_of_every_expression_close(name: str) -> None:
    text = re.sub(r'"[^"]*"', "", EXPRESSIONS[name])

    assert '"' not in text
    for opens, closes in ("()", "{}", "[]"):
        assert text.count(opens) == text.count(closes)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_labels_are_those_that_the_metric_has(name: str) -> None:
    from adapters.metrics import DECLARED

    labels = {label for each in DECLARED for label in each.labels} | {"le", "instance", "job"}

    for asked in re.findall(r"\bby \(([^)]*)\)", EXPRESSIONS[name]):
        assert {each.strip() for each in asked.split(",")} <= labels
    for asked in re.findall(r"(\w+)=~?\"", EXPRESSIONS[name]):
        assert asked in labels


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_says_how_bad_it_is_and_what_to_do(name: str) -> None:
    assert ALERTS[name]["labels"]["severity"] in ("critical", "warning", "info")
    assert ALERTS[name]["annotations"]["summary"]
    assert f"| `{name}` |" in OPERATIONS


def test_every_metric_of_ours_is_looked_at_by_a_rule_or_a_panel() -> None:
    from adapters.metrics import DECLARED

    looked_at = " ".join(EXPRESSIONS.values())

    assert [each.name for each in DECLARED if each.name not in looked_at] == []


def test_panels_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_grafana_finds_its_dashboard_and_its_prometheus() -> None:
    provisioned = yaml.safe_load(
        (FOLDER / "grafana/provisioning/dashboards/stenocast.yml").read_text(encoding="utf-8")
    )
    sources = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))

    assert provisioned["providers"][0]["options"]["path"] == "/var/lib/grafana/dashboards"
    assert sources["datasources"][0]["url"] == "http://prometheus:9090"
