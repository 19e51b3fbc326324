"""Stripe's way of writing nested parameters in a form: `line_items[0][quantity]=2`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_PART = re.compile(r"[^\[\]]+")
MAX_FIELDS = 1000


def decode(form: str) -> dict[str, Any]:
    """The nested parameters of a form or query string; maps numbered 0..n-1 become lists.

    Raises:
        ValueError: more fields than anybody sends in earnest.
    """
    root: dict[str, Any] = {}
    for key, value in parse_qsl(form, keep_blank_values=True, max_num_fields=MAX_FIELDS):
        parts = _PART.findall(key) or [key]
        leaf = "" if key.endswith("[]") else parts.pop()
        node = root
        for part in parts:
            child = node.get(part)
            if not isinstance(child, dict):
                child = node[part] = {}
            node = child
        node[leaf or str(len(node))] = value
    return {key: _lists(value) for key, value in root.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    numbers = [str(place) for place in range(len(node))]
    if node and all(number in node for number in numbers):
        return [_lists(node[number]) for number in numbers]
    return {key: _lists(value) for key, value in node.items()}
