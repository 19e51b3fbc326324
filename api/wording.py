"""What marshmallow says of a field, also in Chinese."""

from __future__ import annotations

import re

from shop.errors import Words

CHINESE = [
    (re.compile(english), chinese)
    for english, chinese in (
        (r"Missing data for required field\.", "此项必填"),
        (r"Field may not be null\.", "此项不能为空"),
        (r"Unknown field\.", "没有这个字段"),
        (r"Invalid (?:input|value)(?: type)?\.", "格式有误"),
        (r"Not a valid string\.", "须为文字"),
        (r"Not a valid (?:integer|number)\.", "须为整数"),
        (r"Number too large\.", "数字过大"),
        (r"Not a valid boolean\.", "须为 true 或 false"),
        (r"Not a valid list\.", "须为列表"),
        (r"Not a valid UUID\.", "编号无效"),
        (r"Not a valid date\.", "日期无效，须为 2026-01-31 这样的格式"),
        (r"Not a valid email address\.", "请填写有效的电子邮箱"),
        (r"Must be one of: (.+)\.", r"须为以下之一：\1"),
        (r"Shorter than minimum length (\d+)\.", r"长度不能少于 \1"),
        (r"Longer than maximum length (\d+)\.", r"长度不能超过 \1"),
        (r"Length must be between (\d+) and (\d+)\.", r"长度须在 \1 至 \2 之间"),
        (
            r"Must be greater than or equal to (-?\d+) and less than or equal to (-?\d+)\.",
            r"须在 \1 至 \2 之间",
        ),
    )
]


def worded(message: str) -> str:
    """A message of a schema in both languages; as it is when it is one of our own."""
    for english, chinese in CHINESE:
        found = english.fullmatch(message)
        if found is not None:
            return Words(found.expand(chinese), message)
    return message
