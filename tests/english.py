"""Finding Chinese on a page that is asked for in English."""

from __future__ import annotations

import re
from html.parser import HTMLParser

CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
READ_ALOUD = frozenset({"alt", "aria-label", "content", "data-label", "placeholder", "title"})
"""Attributes that say something to people."""

UNSEEN = frozenset({"script", "style"})


class Page(HTMLParser):
    """The addresses that a page leads to, and the texts on it with Chinese in them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.chinese: list[str] = []
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        for name, value in attrs:
            if tag == "a" and name == "href" and value:
                self.links.append(value.partition("#")[0])
            if name in READ_ALOUD and value:
                self._read(value)

    def handle_data(self, data: str) -> None:
        if self.inside not in UNSEEN:
            self._read(data)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def _read(self, text: str) -> None:
        if CHINESE.search(text):
            self.chinese.append(" ".join(text.split()))
