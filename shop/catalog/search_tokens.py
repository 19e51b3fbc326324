"""Words to find a product by: Chinese words and parts of them, pinyin, initials, Latin, digits.

The index side goes into a tsvector as it is (`array_to_tsvector(:tokens)`), the query side is the
text of a tsquery (`CAST(:text AS tsquery)`); neither is cut up again by PostgreSQL.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

import rjieba

from shop.catalog.traditional import SIMPLIFIED

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003347f"
PIECES = re.compile(f"[{HAN}]+|[^\\W_{HAN}]+")
"""Runs of Chinese characters, and runs of other letters and digits; all else separates."""

STOP = frozenset("的了吗呢和与或及")
"""Words that people type and no product is named by."""

MAX_QUERY = 100
MAX_TERMS = 8
"""Beyond that it is not a search for food."""

MAX_TOKEN = 40
PINYIN_SPAN = 8
"""Pinyin of so many characters in a row can be typed without a space between."""

SHORTEST_PLURAL = 4
ONE_FORM = SIMPLIFIED | str.maketrans("üǖǘǚǜ", "vvvvv")


def index_tokens(
    texts: Iterable[str | None], *, pinyin: bool = True, initials: bool = True
) -> list[str]:
    """Everything that these texts (name, English name, category, origin, …) can be found by.

    Sorted, without duplicates, in lower case, each at most `MAX_TOKEN` characters. 核桃油 gives
    its words, its characters and pairs of characters (so that any part of it is found, however
    the query is cut), and from every character on the pinyin (`hetaoyou`, `taoyou`, `you`) and
    the initials (`hty`, `ty`, `y`): a prefix search finds what begins anywhere.

    Args:
        texts: what to index; empty ones and None are skipped.
        pinyin: False for long descriptions, which would only blur the search by pinyin.
        initials: False for what most goods share (places, legal forms): by 大理白族自治州 every
            product would be found by `zz`.
    """
    tokens: set[str] = set()
    for text in texts:
        for piece in _pieces(text or ""):
            if _is_han(piece):
                tokens.update(_han_tokens(piece))
                if pinyin:
                    tokens.update(_pinyin_tokens(piece, initials=initials))
            else:
                tokens.update((piece[:MAX_TOKEN], _singular(piece)[:MAX_TOKEN]))
    return sorted(tokens)


def query_tsquery(text: str) -> str:
    """The text of a tsquery that matches what `index_tokens` made; the last term as a prefix.

    Never fails and never lets an operator through: whatever is not a letter or a digit separates.
    Returns an empty string when there is nothing to look for (the caller shows no results then,
    rather than everything).
    """
    pieces = _pieces(text[:MAX_QUERY])
    words = [word for piece in pieces for word in _query_words(piece)]
    wanted = ([word for word in words if word not in STOP] or words)[:MAX_TERMS]
    if not wanted:
        return ""
    terms = [_term(word) for word in wanted[:-1]]
    return " & ".join([*terms, _term(wanted[-1], prefix=":*")])


def _pieces(text: str) -> list[str]:
    return PIECES.findall(_folded(text))


def _folded(text: str) -> str:
    """One width, one case, no accents; `ü` as `v`, the way it is typed; 茶葉 as 茶叶."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(ONE_FORM)
    letters = (c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", "".join(letters))


def _is_han(piece: str) -> bool:
    return re.match(f"[{HAN}]", piece) is not None


def _han_tokens(run: str) -> Iterator[str]:
    yield from run
    yield from _pairs(run)
    yield from (word[:MAX_TOKEN] for word in rjieba.cut_for_search(run))


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]


def _pinyin_tokens(run: str, *, initials: bool) -> Iterator[str]:
    syllables = _syllables(run)
    yield from syllables
    spans = [(start, start + PINYIN_SPAN) for start in range(len(syllables))]
    spans += [(start, end) for _, start, end in rjieba.tokenize(run, "search")]
    for start, end in spans:
        yield "".join(syllables[start:end])[:MAX_TOKEN]
        if initials:
            yield "".join(syllable[0] for syllable in syllables[start:end])


def _syllables(run: str) -> list[str]:
    """One reading a character, found word by word: 重 is `chong` in 重庆 and `zhong` in 重货."""
    # Imported here: 0.4 s and 60 MB that only the processes which write the index need; the web
    # workers answer searches without it.
    from pypinyin import lazy_pinyin

    syllables: list[str] = []
    for word in rjieba.cut(run):
        # Not `[word]`: a word that its tables lack would be read character by character, 调味料
        # as `diaoweiliao`, instead of by the words in it.
        readings = lazy_pinyin(word)
        # Characters without a reading come back in one piece; they stand for themselves.
        syllables += readings if len(readings) == len(word) else list(word)
    return syllables


def _query_words(piece: str) -> list[str]:
    return rjieba.cut(piece) if _is_han(piece) else [piece]


def _term(word: str, prefix: str = "") -> str:
    """One word of the query; a longer Chinese word is asked for by its pairs of characters."""
    if _is_han(word):
        parts = _pairs(word) if len(word) > 1 else [word]
        return " & ".join([*(f"'{part}'" for part in parts[:-1]), f"'{parts[-1]}'{prefix}"])
    word = word[:MAX_TOKEN]
    singular = _singular(word)
    if singular == word:
        return f"'{word}'{prefix}"
    return f"('{word}'{prefix} | '{singular}'{prefix})"


def _singular(word: str) -> str:
    """`walnuts` and `walnut`, `berries` and `berry` should find each other; no more than that."""
    if len(word) < SHORTEST_PLURAL or not word.endswith("s") or word.endswith("ss"):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]
