"""What sizes are called in English."""

from __future__ import annotations

import pytest

from storefront import sizes


@pytest.mark.parametrize(
    ("name", "english"),
    [
        ("罐装100g", "Tin 100g"),
        ("单饼357g", "Cake 357g"),
        ("礼盒2×100g", "Gift box 2×100g"),
        ("500ml瓶", "500ml bottle"),
        ("200g真空袋", "200g vacuum bag"),
        ("4g×12罐", "4g×12 tins"),
        ("240ml×12罐/箱", "240ml×12 tins/case"),
        ("500ml×2礼盒", "500ml×2 gift box"),
        ("280g×4组合", "280g×4 set"),
        ("1kg", "1kg"),
        ("饼", "cake"),
        ("罐", "tin"),
        ("手工竹篮500g", "手工竹篮500g"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_size_in_both_languages(monkeypatch, name, english, language):
    monkeypatch.setattr(sizes, "language", lambda: language)
    assert sizes.size_name(name) == (english if language == "en" else name)


def test_every_page_says_it_in_english(visitor, provider):
    visitor.put_in("P01-1")
    for page in ("/p/high-mountain-green-tea", "/cart", "/checkout"):
        shown = visitor.get(f"{page}?lang=en").text
        assert ("Tin 100g" in shown, "罐装" in shown) == (True, False)
    visitor.check_out()
    order = visitor.get(visitor.get("/checkout").location).text
    assert ("Tin 100g" in order, "罐装" in order) == (True, False)
