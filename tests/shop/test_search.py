"""What the seeded shelf is found by, through the database, and what finds nothing."""

import random
import string

import pytest
import rjieba
from pypinyin import lazy_pinyin
from sqlalchemy import select

from models.catalog import Product
from shop.catalog.filters import ProductFilter, conditions

TEAS = {"P01", "P02", "P03", "P04", "P05"}
CONSONANTS = "bcdfghjklmnpqrstvwxz"
HARDLY_USED = "冂亘亙兀冘囗夬孓尢幺弋彡攴爿疒癶"


def found(ctx, words):
    fits = conditions(ctx, ProductFilter(q=words))
    return set(ctx.session.execute(select(Product.code).where(*fits)).scalars())


def named(ctx):
    return dict(ctx.session.execute(select(Product.code, Product.name)).all())


def han(name):
    """The runs of Chinese characters in a name, as somebody types one word after the other."""
    plain = "".join(c if "\u4e00" <= c <= "\u9fff" else " " for c in name)
    return plain.split()


def nonsense():
    dice = random.Random(20_260_301)
    yield from (letter * length for letter in string.ascii_lowercase for length in (3, 4, 5))
    yield from ("zz", "ZZ", "zz zz", "qwer", "asdf", "zxcv", "qwertyuiop", "asdfgh", "xyzzy")
    for length in (5, 6, 8):
        yield from ("".join(dice.choices(CONSONANTS, k=length)) for _ in range(80))
    yield from ("".join(dice.choices(string.ascii_lowercase, k=12)) for _ in range(40))
    yield from ("".join(dice.choices(HARDLY_USED, k=2)) for _ in range(40))


def test_nonsense_finds_nothing(ctx):
    tried = list(nonsense())
    assert len(tried) > 400
    assert {words: hits for words in tried if (hits := found(ctx, words))} == {}


@pytest.mark.parametrize("words", ["zz", "zzz", "zzzz", "zyhzs", "bzzzz", "ynsdl"])
def test_the_initials_of_where_everything_comes_from_find_nothing(ctx, words):
    assert found(ctx, words) == set()


@pytest.mark.parametrize("words", ["永平县", "yongping", "dali", "云雾岭", "yunwuling", "longmen"])
def test_where_goods_come_from_is_searched_by_words_and_pinyin(ctx, words):
    assert found(ctx, words) >= TEAS


@pytest.mark.parametrize(
    ("words", "codes"), [("maltose", {"P08"}), ("麦芽糖", {"P08"}), ("oligosaccharides", {"P21"})]
)
def test_an_ingredient_is_found_in_both_languages(ctx, words, codes):
    assert found(ctx, words) == codes


@pytest.mark.parametrize("words", ["茶叶", "茶葉", "chaye", "cha ye", "chay", "cy", "CY", "ｃｙ"])
def test_teas_are_found_however_they_are_typed(ctx, words):
    assert found(ctx, words) == TEAS


def test_every_name_is_found_by_its_words(ctx):
    for code, name in named(ctx).items():
        for words in [name, *rjieba.cut(name), *han(name)]:
            if any(map(str.isalnum, words)):
                assert code in found(ctx, words), (name, words)


def test_every_name_is_found_by_its_pinyin_as_far_as_it_is_typed(ctx):
    for code, name in named(ctx).items():
        for run in han(name):
            typed = "".join(lazy_pinyin(run))
            for end in range(1, len(typed) + 1):
                assert code in found(ctx, typed[:end]), (name, typed[:end])
            assert code in found(ctx, " ".join(lazy_pinyin(run))), name


def test_every_name_is_found_by_its_initials_from_any_character_on(ctx):
    for code, name in named(ctx).items():
        for run in han(name):
            initials = "".join(syllable[0] for syllable in lazy_pinyin(run))
            for start in range(len(initials)):
                assert code in found(ctx, initials[start:]), (name, initials[start:])
