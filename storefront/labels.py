"""A product's label as the law wants it on the pack, in the reader's language where it can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shop.web import language
from storefront.texts import _

NOTED = re.compile(r"(?P<name>[^(（]+)[(（](?P<notes>[^)）]+)[)）]")
"""An allergen with notes: 坚果(交叉接触, 自愿标示)."""

WARNINGS = re.compile(r"[;；。]\s*")
NOTES = re.compile(r"[,，、]\s*")


def listed(texts: Iterable[str]) -> str:
    """Several things after one another, as the reader's language writes it."""
    return (", " if language() == "en" else "、").join(texts)


def allergens(given: Iterable[str]) -> str:
    """The eight groups of GB 7718 in both languages; what else stands on a label as it is."""
    return listed(_allergen(text) for text in given)


def _allergen(text: str) -> str:
    noted = NOTED.fullmatch(text.strip())
    if noted is None:
        return _known(ALLERGENS, text)
    notes = listed(_known(ALLERGEN_NOTES, note) for note in NOTES.split(noted["notes"]))
    return _("%(name)s（%(notes)s）", name=_known(ALLERGENS, noted["name"]), notes=notes)


def warning(text: str) -> str:
    """The warnings on a bottle, which every reader has to understand."""
    parts = [_known(ALCOHOL, part) for part in WARNINGS.split(text) if part.strip()]
    return ("; " if language() == "en" else "；").join(parts)


def _known(words: Mapping[str, Callable[[], str]], text: Any) -> str:
    said = str(text).strip()
    return words[said]() if said in words else said


ALLERGENS: dict[str, Callable[[], str]] = {
    "含有麸质的谷物": lambda: _("含有麸质的谷物"),
    "甲壳纲类动物": lambda: _("甲壳纲类动物"),
    "蛋类": lambda: _("蛋类"),
    "鱼类": lambda: _("鱼类"),
    "花生": lambda: _("花生"),
    "大豆": lambda: _("大豆"),
    "乳": lambda: _("乳"),
    "坚果": lambda: _("坚果"),
    "芝麻": lambda: _("芝麻"),
}

ALLERGEN_NOTES: dict[str, Callable[[], str]] = {
    "交叉接触": lambda: _("交叉接触"),
    "自愿标示": lambda: _("自愿标示"),
}

ALCOHOL: dict[str, Callable[[], str]] = {
    "过量饮酒有害健康": lambda: _("过量饮酒有害健康"),
    "不向未成年人销售": lambda: _("不向未成年人销售"),
    "孕妇和儿童不宜饮用": lambda: _("孕妇和儿童不宜饮用"),
    "酒后请勿驾车": lambda: _("酒后请勿驾车"),
}
