"""What production refuses to start with, each in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from environs import Env

from shop.settings import Settings, SettingsError, load

GOOD = {
    "AIDMALL_ENV": "production",
    "SECRET_KEY": "k" * 32,
    "DATABASE_URL": "postgresql://mall@db/mall",
    "STRIPE_SECRET_KEY": "sk_live_1",
    "STRIPE_WEBHOOK_SECRETS": "whsec_1",
    "PUBLIC_URL": "https://mall.example/",
}


def loaded(monkeypatch: pytest.MonkeyPatch, **changed: str) -> Settings:
    for name, value in {**GOOD, **changed}.items():
        monkeypatch.setenv(name, value)
    return load(Env())


def test_production_starts_with_what_it_needs(monkeypatch):
    settings = loaded(monkeypatch)
    assert (settings.production, settings.public_url) == (True, "https://mall.example")


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "DATABASE_URL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"]
)
def test_production_does_not_start_without(monkeypatch, name):
    with pytest.raises(SettingsError, match=f"^{name} must be set"):
        loaded(monkeypatch, **{name: ""})


@pytest.mark.parametrize("url", ["", "http://mall.example", "mall.example", "httpss//x"])
def test_production_is_reached_by_https(monkeypatch, url):
    with pytest.raises(SettingsError, match=r"^PUBLIC_URL must be the mall's https address"):
        loaded(monkeypatch, PUBLIC_URL=url)


def test_elsewhere_http_will_do(monkeypatch):
    settings = loaded(monkeypatch, AIDMALL_ENV="development", PUBLIC_URL="http://127.0.0.1:8000")
    assert settings.public_url == "http://127.0.0.1:8000"


DEVELOPMENT = dict.fromkeys(GOOD, "")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "tea", "PORT must be a whole number, not 'tea'."),
        ("WEB_WORKERS", "0", "WEB_WORKERS must be from 1 to 256, not 0."),
        ("WEB_THREADS", "0", "WEB_THREADS must be from 1 to 256, not 0."),
        ("DB_POOL_SIZE", "-2", "DB_POOL_SIZE must be from 1 to 256, not -2."),
        ("WORKER_CONCURRENCY", "0", "WORKER_CONCURRENCY must be from 1 to 256, not 0."),
        ("RESERVATION_MINUTES", "-5", "RESERVATION_MINUTES must be from 1 to 1440, not -5."),
        ("MAX_BODY_BYTES", "0", "MAX_BODY_BYTES must be from 10000 to 100000000, not 0."),
        ("TRUSTED_PROXIES", "-1", "TRUSTED_PROXIES must be from 0 to 16, not -1."),
        ("RATE_LIMITS", "maybe", "RATE_LIMITS must be true or false."),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL."),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be console or json."),
        ("REDIS_URL", "tea", "REDIS_URL must begin with one of redis://, rediss://, unix://."),
        ("PUBLIC_URL", "tea", "PUBLIC_URL must begin with http:// or https://."),
    ],
)
def test_what_nobody_understands_is_refused(monkeypatch, name, value, sentence):
    with pytest.raises(SettingsError) as refused:
        loaded(monkeypatch, **DEVELOPMENT | {name: value})
    assert str(refused.value) == sentence


def test_an_empty_setting_is_one_that_is_not_set(monkeypatch):
    names = ["PORT", "HOST", "DATA_DIR", "SEED", "LOG_LEVEL", "RATE_LIMITS", "WEB_WORKERS"]
    settings = loaded(monkeypatch, **DEVELOPMENT | dict.fromkeys(names, ""))
    assert settings == Settings(data_dir=Path("var").absolute())


@pytest.mark.parametrize(
    "written", ["whsec_new,whsec_old", " whsec_new, whsec_old,", ",whsec_new ,, whsec_old"]
)
def test_two_secrets_are_two_and_an_empty_one_is_none(monkeypatch, written):
    settings = loaded(monkeypatch, STRIPE_WEBHOOK_SECRETS=written)
    assert settings.webhook_secrets == ("whsec_new", "whsec_old")


def test_a_comma_is_no_secret(monkeypatch):
    with pytest.raises(SettingsError, match=r"^STRIPE_WEBHOOK_SECRETS must be set"):
        loaded(monkeypatch, STRIPE_WEBHOOK_SECRETS=" , ")
