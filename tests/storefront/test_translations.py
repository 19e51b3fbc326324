"""Every word in English too."""

from __future__ import annotations

import io
import re

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from tests.conftest import ROOT

SOURCES = ROOT / "storefront"
CATALOGUE = SOURCES / "translations" / "en" / "LC_MESSAGES" / "messages.po"
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def catalogue():
    return read_po(io.BytesIO(CATALOGUE.read_bytes()), locale="en")


def used() -> set[str]:
    methods = [("**.py", "python"), ("**.html", "jinja2")]
    options = {"**.html": {"silent": "false", "extensions": "jinja2.ext.i18n"}}
    found = extract_from_dir(SOURCES, methods, options, keywords={"_": None})
    return {message for _file, _line, message, _comments, _context in found}


def test_every_text_is_translated(catalogue):
    translated = {message.id for message in catalogue if message.id and message.string}
    assert used() - translated == set()


def test_nothing_is_translated_that_nobody_says(catalogue):
    assert {message.id for message in catalogue if message.id} - used() == set()


def test_a_translation_fills_in_the_same_values(catalogue):
    for message in catalogue:
        if message.id:
            assert set(PLACEHOLDER.findall(message.id)) == set(PLACEHOLDER.findall(message.string))


def test_the_compiled_catalogue_is_the_readable_one(catalogue):
    compiled = read_mo(io.BytesIO(CATALOGUE.with_suffix(".mo").read_bytes()))
    assert texts(compiled) == texts(catalogue)


def texts(catalogue) -> dict[str, str]:
    return {message.id: message.string for message in catalogue if message.id}
