"""The chart: rendered by helm, valid for Kubernetes, and about settings, ports and columns that exist."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import sqlalchemy as sa
import yaml

from adapters.settings import Settings
from adapters.wiring import open_ledger
from schemas.episode import Episode
from schemas.job import JobOptions
from tests.infra_files import INFRA, is_setting, stages
from transcription.ports import NewJob

pytestmark = pytest.mark.tools

CHART = INFRA / "helm" / "stenocast"
KUBERNETES = "1.33"
NEEDED = (
    *("--set", "image.repository=registry.example/stenocast", "--set", "existingSecret=stenocast"),
    *("--set", "settings.STORE_URL=s3://podcasts/store", "--set", "settings.KAFKA_BOOTSTRAP=kafka:9092"),
)
VARIANTS = {
    "defaults": (),
    "cpu deployment": (
        *("--set", "worker.mode=deployment", "--set", "worker.target=worker-cpu", "--set", "worker.gpus=0"),
        *("--set", "models.baked=true", "--set", "networkPolicy.enabled=false", "--set", "api.replicas=1"),
    ),
    "operator": (
        *("--set", "metrics.podMonitor=true", "--set", "models.existingClaim=models"),
        *("--set", "serviceAccount.name=podcasts", "--set", "image.pullSecrets={registry}"),
        *("--set", "worker.tolerations[0].key=nvidia.com/gpu", "--set", "worker.tolerations[0].operator=Exists"),
    ),
}


def run(helm: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([helm, *arguments], capture_output=True, text=True, timeout=120)


def render(helm: str, *values: str) -> list[dict[str, Any]]:
    answer = run(helm, "template", "pod", str(CHART), "--kube-version", f"{KUBERNETES}.0", *NEEDED, *values)
    assert answer.returncode == 0, answer.stderr
    return [each for each in yaml.safe_load_all(answer.stdout) if each]


@pytest.fixture(scope="module", params=VARIANTS, ids=str)
def manifests(helm: str, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(helm, *VARIANTS[request.param])


@pytest.fixture(scope="module")
def defaults(helm: str) -> dict[str, dict[str, Any]]:
    return {f"{each['kind']} {each['metadata']['name']}": each for each in render(helm)}


def pods_of(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The pod specifications by the name of what makes them."""
    found = {}
    for each in manifests:
        spec = each.get("spec", {})
        template = spec.get("template") or spec.get("jobTargetRef", {}).get("template")
        if template:
            found[each["metadata"]["name"]] = template["spec"]
    return found


def containers_of(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


# ---------------------------------------------------------------- whatever the values


def test_helm_finds_nothing_wrong(helm: str) -> None:
    answer = run(helm, "lint", str(CHART), "--strict", "--kube-version", f"{KUBERNETES}.0", *NEEDED)

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_kubernetes_knows_every_field(manifests: list[dict[str, Any]]) -> None:
    for each in manifests:
        if each["apiVersion"].split("/")[0] not in ("keda.sh", "monitoring.coreos.com"):
            kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_every_pod_runs_as_an_ordinary_user_on_a_read_only_root(manifests: list[dict[str, Any]]) -> None:
    for name, pod in pods_of(manifests).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] == 1000, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in containers_of(pod):
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert "/data" in [each["mountPath"] for each in container["volumeMounts"]], name


def test_every_variable_is_a_setting(manifests: list[dict[str, Any]]) -> None:
    for pod in pods_of(manifests).values():
        for container in containers_of(pod):
            assert [each["name"] for each in container["env"] if not is_setting(each["name"])] == []


def test_every_image_is_a_target_of_the_dockerfile(manifests: list[dict[str, Any]]) -> None:
    for pod in pods_of(manifests).values():
        for container in containers_of(pod):
            repository, _, tag = container["image"].partition(":")
            assert repository == "registry.example/stenocast"
            assert tag.partition("-")[2] in stages()


def test_every_command_is_one_of_ours(manifests: list[dict[str, Any]]) -> None:
    import typer

    from cli.main import app

    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for pod in pods_of(manifests).values():
        for container in containers_of(pod):
            command, arguments = known[container["args"][0]], container["args"][1:]
            if hasattr(command, "commands"):
                command, arguments = command.commands[arguments[0]], arguments[1:]
            command.make_parser(typer.Context(command)).parse_args(list(arguments))


def test_probes_ask_a_port_that_the_container_has(manifests: list[dict[str, Any]]) -> None:
    for pod in pods_of(manifests).values():
        for container in pod["containers"]:
            ports = {each["name"]: each["containerPort"] for each in container.get("ports", [])}
            environment = {each["name"]: each.get("value") for each in container["env"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe in container:
                    ask = container[probe]["httpGet"]
                    ready = "/readyz?for=reading" if ask["port"] == "http" else "/readyz"
                    assert ask["path"] == (ready if probe == "readinessProbe" else "/healthz")
                    setting = "STENOCAST_PORT" if ask["port"] == "http" else "STENOCAST_METRICS_PORT"
                    assert environment[setting] == str(ports[ask["port"]])


def test_a_worker_gets_longer_to_end_than_it_takes(manifests: list[dict[str, Any]]) -> None:
    pod = pods_of(manifests)["pod-worker"]
    environment = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}

    assert pod["terminationGracePeriodSeconds"] >= int(environment["STENOCAST_GRACE_SECONDS"]) + 15


# ---------------------------------------------------------------- the defaults


def test_the_five_processes_and_the_migrations_are_there(defaults: dict[str, dict[str, Any]]) -> None:
    assert {
        "Deployment pod-api",
        "Deployment pod-intake",
        "Deployment pod-publisher",
        "Deployment pod-reconciler",
    } <= {*defaults}
    assert {"ScaledJob pod-worker", "Job pod-migrations", "Service pod-api"} <= {*defaults}


def test_migrations_run_before_anything_of_a_new_version_starts(defaults: dict[str, dict[str, Any]]) -> None:
    hook = defaults["Job pod-migrations"]["metadata"]["annotations"]

    assert hook["helm.sh/hook"] == "pre-install,pre-upgrade"


def test_workers_are_scaled_by_queued_and_running_audio(defaults: dict[str, dict[str, Any]]) -> None:
    spec = defaults["ScaledJob pod-worker"]["spec"]
    (trigger,) = spec["triggers"]

    assert trigger["type"] == "postgresql"
    assert int(trigger["metadata"]["targetQueryValue"]) > 0
    assert spec["scalingStrategy"] == {"strategy": "default"}
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (0, 4)
    login = defaults[f"TriggerAuthentication {trigger['authenticationRef']['name']}"]["spec"]["secretTargetRef"]
    assert login == [{"parameter": "connection", "name": "stenocast", "key": "STENOCAST_DATABASE_URL"}]
    assert spec["jobTargetRef"]["template"]["spec"]["restartPolicy"] == "Never"
    assert "--exit-when-idle" in spec["jobTargetRef"]["template"]["spec"]["containers"][0]["args"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ""


def test_the_scalers_question_is_answered_by_the_real_schema(
    defaults: dict[str, dict[str, Any]], tmp_path: Path, database_url: str
) -> None:
    (trigger,) = defaults["ScaledJob pod-worker"]["spec"]["triggers"]
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    ledger = open_ledger(settings)
    for name, seconds in (("running", 50.0), ("queued", 100.0), ("unknown", None), ("cancelled", 7.0)):
        new = NewJob(Episode(name), JobOptions(), "uploads/x", name, expected_seconds=seconds)
        ledger.add(new, job_id=name)
    ledger.cancel("cancelled")
    claimed = ledger.claim("w1", lease_seconds=30.0)
    ledger.close()

    url = sa.make_url(settings.ledger_url)
    if database_url:
        url = url.set(drivername="postgresql+psycopg")
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        answer = connection.exec_driver_sql(trigger["metadata"]["query"]).scalar()

    assert claimed is not None
    assert claimed.job.id == "running"
    assert answer == 50 + 100 + 3600


def test_a_gpu_is_asked_for_where_one_is_wanted(helm: str) -> None:
    with_gpu = pods_of(render(helm, "--set", "worker.gpus=2"))["pod-worker"]["containers"][0]
    without = pods_of(render(helm, *VARIANTS["cpu deployment"]))["pod-worker"]["containers"][0]

    assert with_gpu["resources"]["limits"]["nvidia.com/gpu"] == 2
    assert "nvidia.com/gpu" not in without["resources"]["limits"]


def test_only_the_apis_port_and_the_metrics_can_be_reached(defaults: dict[str, dict[str, Any]]) -> None:
    api, others = defaults["NetworkPolicy pod-api"]["spec"], defaults["NetworkPolicy pod-others"]["spec"]

    assert [rule["ports"] for rule in api["ingress"]] == [[{"protocol": "TCP", "port": 8080}]]
    assert [rule["ports"] for rule in others["ingress"]] == [[{"protocol": "TCP", "port": 9090}]]
    assert {"Ingress", "Egress"} == set(api["policyTypes"]) == set(others["policyTypes"])


# ---------------------------------------------------------------- values that are refused


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("--set", "existingSecret="), "existingSecret is required"),
        (("--set", "settings.STORE_URL="), "settings.STORE_URL is required"),
        (("--set", "settings.STORE_URL=/data/store"), "STORE_URL"),
        (("--set", "worker.gpu=1"), "gpu"),
        (("--set", "worker.target=worker-cpu"), "worker.gpus must be 0"),
        (("--set", "settings.DATABASE_URL=postgresql://u:p@h/d"), "DATABASE_URL"),
    ],
)
def test_values_that_cannot_work_are_refused_with_their_name(helm: str, values: tuple[str, ...], said: str) -> None:
    answer = run(helm, "template", "pod", str(CHART), "--kube-version", f"{KUBERNETES}.0", *NEEDED, *values)

    assert answer.returncode != 0
    assert said in answer.stderr


def test_every_value_is_allowed_by_the_schema_and_every_setting_is_one() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))

    assert set(values) == set(schema["properties"]) - {"global"}
    assert [name for name in values["settings"] if not is_setting(f"STENOCAST_{name}")] == []
