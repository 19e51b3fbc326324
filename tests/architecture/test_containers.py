"""The containers: no engine runs here, so everything that the files name is held to the code."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from shop import cli
from tests.architecture.test_docs import settings, text
from tests.conftest import ROOT

COMPOSE = yaml.safe_load(text("docker-compose.yml"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)

EXAMPLE = set(re.findall(r"^# ([A-Z][A-Z_]+)=", text(".env.example"), re.MULTILINE))

DOCKERFILE = text("Dockerfile").replace("\\\n", " ").splitlines()
"""One instruction a line."""


def instructions(word: str) -> list[str]:
    return [line.partition(" ")[2].strip() for line in DOCKERFILE if line.startswith(f"{word} ")]


def test_the_services_are_these():
    assert sorted(SERVICES) == ["db", "migrate", "redis", "web", "worker"]
    assert OURS == ["migrate", "web", "worker"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_runs_a_command_that_exists(name):
    program, command = SERVICES[name]["command"]
    assert program == "aidmall"
    assert command in cli.main.commands


def test_what_a_service_waits_for_is_there():
    waited_for = {
        (other, how["condition"])
        for service in SERVICES.values()
        for other, how in service.get("depends_on", {}).items()
    }
    healthy = {name for name, condition in waited_for if condition == "service_healthy"}
    assert {name for name, _ in waited_for} <= set(SERVICES)
    assert {name for name in healthy if "test" in SERVICES[name]["healthcheck"]} == healthy


def test_a_service_of_ours_is_given_settings_only():
    given = {key for name in OURS for key in SERVICES[name]["environment"]}
    assert given - settings() == set()


def test_what_the_file_asks_the_environment_for_is_in_the_example():
    asked = set(re.findall(r"\$\{([A-Z_]+)", text("docker-compose.yml")))
    assert asked == {"POSTGRES_PASSWORD"}
    assert asked - EXAMPLE == set()


def test_the_example_sets_nothing_else():
    assert EXAMPLE - settings() == {"POSTGRES_PASSWORD", "PG_BIN"}


def test_named_volumes_are_declared():
    used = {
        mount.partition(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", [])
    }
    assert used == set(COMPOSE["volumes"])


def test_the_image_runs_a_command_that_exists():
    (command,) = instructions("CMD")
    program, name = json.loads(command)
    assert (program, name in cli.main.commands) == ("aidmall", True)


def test_the_image_is_given_settings_only():
    (given,) = instructions("ENV")
    names = set(re.findall(r"([A-Z_]+)=", given))
    assert "AIDMALL_ENV" in names
    assert names - settings() == {"PYTHONUNBUFFERED"}


def test_the_image_takes_every_package_that_is_installed():
    copied = {word for line in instructions("COPY") for word in line.split()[:-1]}
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    assert copied >= {"models", "shop", "api", "admin", "storefront", "migrations"}


def test_both_serve_where_the_other_looks():
    port = SERVICES["web"]["environment"]["PORT"]
    assert SERVICES["web"]["ports"] == [f"127.0.0.1:8000:{port}"]
    assert instructions("EXPOSE") == [port]
    assert f"127.0.0.1:{port}/healthz" in text("Dockerfile")
