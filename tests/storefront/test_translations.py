"""Every word in English too."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from shop.catalog.commands import set_listing
from shop.catalog.states import Step
from shop.orders.access import access_token
from tests.conftest import ROOT, actor_of
from tests.storefront.conftest import orders

SOURCES = ROOT / "storefront"
CATALOGUE = SOURCES / "translations" / "en" / "LC_MESSAGES" / "messages.po"
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def catalogue():
    return read_po(io.BytesIO(CATALOGUE.read_bytes()), locale="en")


def used() -> set[str | tuple[str, ...]]:
    methods = [("**.py", "python"), ("**.html", "jinja2")]
    options = {"**.html": {"silent": "false", "extensions": "jinja2.ext.i18n"}}
    found = extract_from_dir(SOURCES, methods, options, keywords={"_": None, "ngettext": (1, 2)})
    return {message for _file, _line, message, _comments, _context in found}


def test_every_text_is_translated(catalogue):
    translated = {message.id for message in catalogue if message.id and message.string}
    assert used() - translated == set()


def test_nothing_is_translated_that_nobody_says(catalogue):
    assert {message.id for message in catalogue if message.id} - used() == set()


def test_a_translation_fills_in_the_same_values(catalogue):
    for message in catalogue:
        for said, translated in zip(each(message.id), each(message.string), strict=True):
            assert set(PLACEHOLDER.findall(said)) == set(PLACEHOLDER.findall(translated))


def each(text: str | Sequence[str]) -> tuple[str, ...]:
    """The text, or its singular and plural."""
    return (text,) if isinstance(text, str) else tuple(text)


def test_the_compiled_catalogue_is_the_readable_one(catalogue):
    compiled = read_mo(io.BytesIO(CATALOGUE.with_suffix(".mo").read_bytes()))
    assert texts(compiled) == texts(catalogue)


def texts(catalogue) -> dict[tuple[str, ...], tuple[str, ...]]:
    return {each(message.id): each(message.string) for message in catalogue if message.id}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/search?q=miniatures", ">1 product found<"),
        ("/search?q=walnut", " products found<"),
        ("/c/alcohol", ">3 products<"),
    ],
)
def test_numbers_agree_with_their_words(reader, path, told):
    assert told in reader.get(path, headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize(("pieces", "told"), [(1, "Total, 1 item<"), (2, "Total, 2 items<")])
def test_pieces_in_the_cart_do_so_too(visitor, pieces, told):
    visitor.put_in("P01-1", pieces)
    assert told in visitor.get("/cart?lang=en&province=310000").text


def test_what_cannot_be_bought_again_has_its_english_name(visitor, provider, transactions):
    visitor.get("/?lang=en")
    for sku in ("P06-1", "P07-1"):
        visitor.put_in(sku)
    visitor.check_out()
    [order] = orders(transactions)
    with transactions.acting(actor_of(transactions, "charlie")).begin() as ctx:
        for slug in ("thin-shell-dried-walnuts", "walnut-kernels"):
            set_listing(ctx, slug, Step.WITHDRAW)
    secret = access_token(transactions.settings, order.id)
    visitor.get("/sign-in")
    visitor.post(f"/orders/{order.number}/again", {"access_token": secret})
    said = re.search(r"No longer on sale: ([^<]*)<", visitor.follow().text)[1]
    assert said == "Thin-shell dried walnuts, Walnut kernels"
