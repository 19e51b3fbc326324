"""What production refuses to start with, each in one sentence."""

from __future__ import annotations

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
