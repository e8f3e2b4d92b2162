"""What platforms and containers are told agrees with the Procfile, the settings and the set-up."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from boot.settings import Settings
from tests.rules.source import ROOT

RELEASE = "release"
FROM_ADDONS = {"DATABASE_URL", "REDIS_URL"}
NOT_OURS = {"WEB_CONCURRENCY", "PIP_EXTRA_INDEX_URL"}
"""Read by the Procfile's line and by pip on the platform."""

NEEDED = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
KNOWN = {name.upper() for name in Settings.model_fields}


@pytest.fixture(name="app", scope="module")
def _app() -> dict[str, Any]:
    return json.loads(_text("app.json"))


@pytest.fixture(name="services", scope="module")
def _services() -> dict[str, Any]:
    return yaml.safe_load(_text("compose.yaml"))["services"]


def test_the_map_the_platform_and_the_procfile_know_the_same_processes(app: dict[str, Any]) -> None:
    table = re.findall(r"^\| `(\w+)` \|", _text("ARCHITECTURE.md").split("## The folders")[0], re.MULTILINE)
    assert sorted(table) == sorted(_lines())
    assert sorted(app["formation"]) == sorted(set(_lines()) - {RELEASE})


def test_each_line_of_the_procfile_has_a_container(services: dict[str, Any]) -> None:
    commands = {name: one["command"][0] for name, one in services.items() if one["image"] == "backroom"}
    assert set(commands.values()) == set(_lines())
    assert all(name == line or (line == "web" and name.startswith("web_")) for name, line in commands.items())


def test_the_platform_is_told_of_settings_that_exist_and_of_all_that_are_needed(app: dict[str, Any]) -> None:
    assert set(app["env"]) <= KNOWN | NOT_OURS
    asked = {name for name, told in app["env"].items() if told.get("required", True)}
    assert asked | FROM_ADDONS >= NEEDED
    assert [name for name, told in app["env"].items() if not told.get("description")] == []


def test_what_the_platform_sets_can_be_read(app: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: told["value"] for name, told in app["env"].items() if "value" in told}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    needed = {"database_url": "postgres://h/d", "redis_url": "rediss://h", "stripe_secret_key": "sk"}
    read = Settings(**needed, stripe_webhook_secrets="whsec_x")  # pyright: ignore[reportArgumentType]
    assert read.proxy_hops == 1


def test_containers_are_given_settings_that_exist_and_all_that_are_needed(services: dict[str, Any]) -> None:
    for one in services.values():
        if one["image"] == "backroom":
            assert set(one["environment"]) <= KNOWN | NOT_OURS
            assert set(one["environment"]) >= NEEDED


def test_three_services_stand_on_three_ports_with_an_area_each(services: dict[str, Any]) -> None:
    three = {name: one for name, one in services.items() if one.get("profiles") == ["three"]}
    doors = {one["environment"]["AREAS"]: one["ports"] for one in three.values()}
    assert doors == {"payments": ["8004:8000"], "search": ["8005:8000"], "analytics": ["8006:8000"]}


def test_only_web_answers_health_checks_and_every_program_has_time_to_finish(services: dict[str, Any]) -> None:
    for one in services.values():
        if one["image"] == "backroom":
            assert ("test" in one["healthcheck"]) == (one["command"] == ["web"])
            assert one["stop_grace_period"] == "30s"


def test_redis_in_a_container_evicts_nothing_and_keeps_what_it_is_given(services: dict[str, Any]) -> None:
    command = services["redis"]["command"][-1]
    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command


def test_the_aptfile_names_what_draws_invoices() -> None:
    assert _text("Aptfile").split() == _setup("pango").APT_PACKAGES.split()


def test_platforms_install_what_the_lock_names() -> None:
    written = _setup("lock").for_platforms(_text("requirements/runtime.lock"))
    assert _text("requirements.txt") == written
    pinned = re.findall(r"^[a-z0-9].*", written, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z0-9]", _text("requirements/runtime.lock"), re.MULTILINE)) + 1
    assert all("==" in one for one in pinned)
    assert "://" not in written


def test_one_python_everywhere() -> None:
    version = _text(".python-version").strip()
    assert f"FROM python:{version}-slim" in _text("Dockerfile")
    least = tomllib.loads(_text("pyproject.toml"))["project"]["requires-python"].removeprefix(">=")
    assert tuple(map(int, version.split("."))) >= tuple(map(int, least.split(".")))


@pytest.mark.parametrize("name", ["post_compile", "start", "healthy"])
def test_what_platforms_and_containers_run_can_be_run(name: str) -> None:
    assert os.access(ROOT / "bin" / name, os.X_OK)


def test_a_container_runs_the_line_it_is_told(tmp_path: Path) -> None:
    said = tmp_path / "granian"
    said.write_text('#!/bin/sh\necho "$@"\n')
    said.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "WEB_CONCURRENCY": "5", "PORT": "9"}
    done = subprocess.run(
        [ROOT / "bin" / "start", "web"], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "--port 9 --workers 5 " in done.stdout


def test_a_line_that_is_not_there_is_refused_with_those_that_are() -> None:
    done = subprocess.run([ROOT / "bin" / "start", "worker_mail"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "worker_payments" in done.stderr


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _lines() -> list[str]:
    return re.findall(r"^(\w+):", _text("Procfile"), re.MULTILINE)


def _setup(name: str) -> ModuleType:
    """`setup/` is run by the machine's own Python and is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "setup" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(ROOT / "setup"))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "setup"))
    return module
