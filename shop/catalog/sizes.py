"""What a size is called: 罐装100g is its only name, and in English its pack is said in English."""

from __future__ import annotations

import re

PACKS = {
    "罐装": "tin",
    "袋装": "bag",
    "箱装": "box",
    "瓶装": "bottle",
    "盒装": "box",
    "单饼": "cake",
    "罐": "tin",
    "袋": "bag",
    "瓶": "bottle",
    "盒": "box",
    "箱": "case",
    "饼": "cake",
    "组": "set",
    "礼盒": "gift box",
    "真空袋": "vacuum bag",
    "组合": "set",
}
MANY = {"tin": "tins", "bag": "bags", "bottle": "bottles", "box": "boxes", "case": "cases"}

CHINESE = re.compile("[\u4e00-\u9fff]+")
COUNTED = re.compile(r"×\d+$")


def size_name(text: str, language: str) -> str:
    """A size, or the unit it is sold by; one whose words are not known here stays as it is."""
    if language.startswith("zh") or any(word not in PACKS for word in CHINESE.findall(text)):
        return text
    if text in PACKS:
        return PACKS[text]
    return CHINESE.sub(_pack, text).strip()


def _pack(found: re.Match[str]) -> str:
    before = found.string[: found.start()]
    word = PACKS[found[0]]
    if COUNTED.search(before):
        word = MANY.get(word, word)
    if not before:
        return f"{word.capitalize()} "
    return word if before.endswith("/") else f" {word}"
