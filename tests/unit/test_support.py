"""Whom buyers turn to, as the settings tell it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from environs import Env

from shop.serve.web import warnings
from shop.settings import DEMO_SUPPORT, Settings, Support, load

NOBODY = Support("", "", "", "")
NOT_SET = ["SUPPORT_PHONE and SUPPORT_EMAIL are not set: buyers are told of nobody to turn to."]


def test_the_demonstration_shows_a_contact_of_nobody():
    assert Settings().support is DEMO_SUPPORT
    assert DEMO_SUPPORT.demo
    assert DEMO_SUPPORT.email.endswith(".example")
    assert warnings(Settings()) == []


def test_production_shows_none_and_the_start_says_so():
    settings = Settings(environment="production")
    assert settings.support == NOBODY
    assert warnings(settings) == NOT_SET
    assert warnings(replace(settings, operator_name="永平")) == NOT_SET
    assert warnings(replace(settings, support_email="help@mall.example")) == []


def test_what_is_set_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch):
    for name, text in (
        ("SUPPORT_PHONE", " 0872-000-0001 "),
        ("SUPPORT_HOURS", "工作日"),
        ("OPERATOR_NAME", "永平"),
    ):
        monkeypatch.setenv(name, text)
    assert load(Env()).support == Support("0872-000-0001", "", "工作日", "永平")
