"""What the tests of Dockerfile, compose file, chart, rules and dashboard share: what the code really has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import yaml

from adapters.metrics import DECLARED, Kind
from adapters.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
INFRA = ROOT / "infra"

#: Environment variables that others than Settings read.
FOREIGN = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})


def is_setting(variable: str) -> bool:
    """Whether this environment variable is one that the code reads."""
    known = {f"STENOCAST_{each.name.upper()}" for each in fields(Settings)}
    return variable in known or variable in FOREIGN


def known_metrics() -> set[str]:
    """Every name that Prometheus would see from us."""
    names = {each.name for each in DECLARED}
    for each in DECLARED:
        if each.kind is Kind.HISTOGRAM:
            names |= {f"{each.name}_bucket", f"{each.name}_sum", f"{each.name}_count"}
    return names


def recorded() -> set[str]:
    """The names that the recording rules make."""
    rules = yaml.safe_load((INFRA / "observability" / "recording-rules.yml").read_text(encoding="utf-8"))
    return {rule["record"] for group in rules["groups"] for rule in group["rules"]}


def named_metrics(expression: str) -> set[str]:
    """The metrics of ours that an expression asks for."""
    return set(re.findall(r"\bstenocast[:_][a-zA-Z0-9_:]*", expression))


def stages() -> dict[str, list[str]]:
    """The targets of the Dockerfile with their instructions."""
    found: dict[str, list[str]] = {}
    name = ""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in (each.strip() for each in text.splitlines()):
        if started := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
            name = started[2]
            found[name] = list(found.get(started[1], []))
        elif name and line and not line.startswith("#"):
            found[name].append(line)
    return found
