"""`deploy/` holds: no container engine runs here, so public validators and the facts of the repository check it."""

import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
PINNED = re.compile(r"^[\w./-]+:v?\d+\.\d+\.\d+(-[\w.-]+)?$")
METRICS_PORT = 9464


def load(path: Path) -> dict:
    return YAML(typ="safe").load(path)


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined, comments dropped."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def arguments(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def stages() -> list[list[tuple[str, str]]]:
    parts: list[list[tuple[str, str]]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            parts.append([])
        parts[-1].append(instruction)
    return parts


@pytest.fixture(scope="module")
def compose() -> dict:
    return load(DEPLOY / "compose.yaml")


def run(*command: str | Path, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60, check=False, **options
    )


class TestDockerfile:
    def test_the_linter_finds_nothing(self) -> None:
        done = run(BIN / "hadolint", "--no-color", DEPLOY / "Dockerfile")
        assert (done.returncode, done.stdout) == (0, "")

    def test_the_linter_would_find_something(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text("FROM python:latest\nRUN pip install tieup\nUSER root\n")
        done = run(BIN / "hadolint", "--no-color", tmp_path / "Dockerfile")
        assert done.returncode == 1
        assert "DL3007" in done.stdout

    def test_what_builds_is_left_behind(self) -> None:
        first, *rest = stages()
        assert len(rest) == 1
        names = [rest_[0][1].split() for rest_ in (first, *rest)]
        assert names[0][1:] == ["AS", "build"]
        copied = [argument for name, argument in rest[0] if name == "COPY"]
        assert copied == ["--from=build /opt/tieup /opt/tieup"]

    def test_images_are_pinned_and_carry_the_python_that_the_lock_is_made_for(self) -> None:
        images = {argument.split()[0] for argument in arguments("FROM")}
        assert len(images) == 1
        image = images.pop()
        assert PINNED.match(image)
        wanted = re.search(r'requires-python = ">=(\d+\.\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        assert image.startswith(f"python:{wanted[1]}.")
        assert image.endswith("-slim-bookworm")

    def test_every_dependency_is_checked_by_hash(self) -> None:
        installs = re.findall(r"pip install (.*?)(?= && | *$)", " && ".join(arguments("RUN")))
        assert len(installs) == 3
        for install in (found.strip() for found in installs):
            assert "--require-hashes" in install or install == "--no-deps /wheels/*.whl"

    def test_it_does_not_run_as_root(self) -> None:
        (user,) = [argument for name, argument in stages()[-1] if name == "USER"]
        assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)

    def test_it_stops_cleanly_and_tells_its_health(self) -> None:
        last = dict(stages()[-1])
        assert last["STOPSIGNAL"] == "SIGTERM"
        assert last["EXPOSE"] == str(METRICS_PORT)
        assert f":{METRICS_PORT}/healthz" in last["HEALTHCHECK"]
        assert last["ENTRYPOINT"] == '["tieup"]'  # no shell in between, so that the signal arrives

    def test_the_health_check_is_a_program_that_compiles(self) -> None:
        (check,) = arguments("HEALTHCHECK")
        command = YAML(typ="safe").load(check.partition("CMD")[2])
        assert command[:2] == ["python", "-c"]
        compile(command[2], "healthcheck", "exec")

    def test_what_is_copied_exists_and_is_let_in(self) -> None:
        allowed = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
        sources = [path for argument in arguments("COPY") if "--from" not in argument for path in argument.split()[:-1]]
        for source in sources:
            assert (ROOT / source).exists()
            assert f"!{source}" in allowed
        assert sorted(f"!{source}" for source in sources) == sorted(line for line in allowed if line.startswith("!"))


class TestCompose:
    def test_the_specifications_schema_is_kept(self) -> None:
        done = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
        assert done.returncode == 0, done.stdout

    def test_the_specifications_schema_would_find_a_typo(self, tmp_path: Path) -> None:
        text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
        (tmp_path / "compose.yaml").write_text(text.replace("depends_on:", "depend_on:"), encoding="utf-8")
        done = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", tmp_path / "compose.yaml")
        assert done.returncode == 1
        assert "depend_on" in done.stdout

    def test_images_are_pinned_or_built_here(self, compose: dict) -> None:
        for name, service in compose["services"].items():
            assert PINNED.match(service["image"]) or "build" in service, name

    def test_the_broker_is_the_one_that_the_tests_run_against(self, compose: dict) -> None:
        tree = ET.parse(DEPLOY / "kafka" / "pom.xml")
        version = tree.findtext(".//{*}properties/{*}kafka.version")
        assert compose["services"]["kafka"]["image"] == f"apache/kafka:{version}"

    def test_the_broker_advertises_what_it_listens_on(self, compose: dict) -> None:
        settings = compose["services"]["kafka"]["environment"]
        listeners = dict(entry.split("://") for entry in settings["KAFKA_LISTENERS"].split(","))
        advertised = dict(entry.split("://") for entry in settings["KAFKA_ADVERTISED_LISTENERS"].split(","))
        protocols = dict(entry.split(":") for entry in settings["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
        assert listeners.keys() == protocols.keys()
        assert advertised.keys() == listeners.keys() - {settings["KAFKA_CONTROLLER_LISTENER_NAMES"]}
        for name, address in advertised.items():
            assert address.endswith(listeners[name])
        inside = advertised[settings["KAFKA_INTER_BROKER_LISTENER_NAME"]]
        assert compose["services"]["tieup"]["environment"]["TIEUP_LOG"] == f"kafka://{inside}"

    def test_what_a_service_waits_for_exists_and_can_be_met(self, compose: dict) -> None:
        services = compose["services"]
        for service in services.values():
            for name, wanted in service.get("depends_on", {}).items():
                if wanted["condition"] == "service_healthy":
                    assert "healthcheck" in services[name] or services[name]["image"] == "tieup:local"
                else:
                    assert services[name]["restart"] == "no"

    def test_volumes_are_declared_or_in_the_repository(self, compose: dict) -> None:
        used = [volume for service in compose["services"].values() for volume in service.get("volumes", [])]
        for volume in used:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).is_file()

    def test_the_build_is_the_dockerfile(self, compose: dict) -> None:
        build = compose["services"]["tieup"]["build"]
        assert (DEPLOY / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]) == DEPLOY / "Dockerfile"

    def test_ports_are_open_on_loopback_only(self, compose: dict) -> None:
        ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
        assert ports
        assert all(port.startswith("127.0.0.1:") for port in ports)

    def test_there_are_no_secrets(self, compose: dict) -> None:
        assert "secrets" not in compose
        names = [name for service in compose["services"].values() for name in service.get("environment", {})]
        assert not [name for name in names if re.search("PASSWORD|SECRET|TOKEN|CREDENTIAL|SASL", name)]


class TestAgainstTheCommand:
    """What the containers are told is understood by the command itself."""

    def environment(self, compose: dict) -> dict[str, str]:
        image = dict(pair.split("=", 1) for pair in shlex.split(" ".join(arguments("ENV"))))
        told = {**image, **compose["services"]["tieup"]["environment"]}
        return {name: str(value) for name, value in told.items() if name.startswith("TIEUP_")}

    def test_the_settings_are_settings(self, compose: dict, tmp_path: Path) -> None:
        settings = self.environment(compose)
        assert settings.keys() == {"TIEUP_LOG", "TIEUP_HTTP"}
        done = run(BIN / "tieup", "config", "--json", cwd=tmp_path, env=settings)
        assert done.returncode == 0, done.stderr
        for value in settings.values():
            assert value in done.stdout

    @pytest.mark.parametrize("service", ["tieup", "topics"])
    def test_the_commands_are_commands(self, compose: dict, tmp_path: Path, service: str) -> None:
        done = run(BIN / "tieup", *compose["services"][service]["command"], "--help", cwd=tmp_path, env={})
        assert done.returncode == 0, done.stderr


def test_prometheus_asks_where_tieup_answers(compose: dict) -> None:
    settings = load(DEPLOY / "prometheus" / "prometheus.yml")
    (job,) = settings["scrape_configs"]
    (targets,) = job["static_configs"]
    (target,) = targets["targets"]
    host, _, port = target.partition(":")
    assert job["metrics_path"] == "/metrics"
    assert host in compose["services"]
    assert int(port) == METRICS_PORT
    assert compose["services"][host]["environment"]["TIEUP_HTTP"].endswith(f":{port}")
