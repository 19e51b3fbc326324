"""The storefront's pages for R1h and R2h: what a buyer's phone asks for."""

from __future__ import annotations

from urllib.parse import quote

from bench import reads

LISTS = (
    "/",
    "/categories",
    "/c/tea",
    "/c/walnut",
    "/c/pickles",
    "/c/fresh",
    f"/search?q={quote('茶')}",
    "/search?q=hetao",
)


def paths(port: int, name: str, products: int) -> list[str]:
    """The paths of R1h (lists) or R2h (products); empty as long as there are no such pages."""
    wanted = (
        list(LISTS) if name == "R1h" else [f"/p/bench-{number:04}" for number in range(products)]
    )
    return wanted if all(reads.status(port, path) == 200 for path in wanted[:8]) else []
