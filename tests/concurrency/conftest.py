"""Races on real connections with real commits. Each has a control that shows it can fail."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from shop.context import Transactions
from shop.payments.providers import install
from tests.fakes.gateway import FakeGateway


class Together:
    """Runs callables at the same moment, each in a thread of its own, and collects what came."""

    def __call__(self, *calls: Callable[[], Any]) -> list[Any]:
        gate = threading.Barrier(len(calls))
        results: list[Any] = [None] * len(calls)

        def run(place: int, call: Callable[[], Any]) -> None:
            gate.wait()
            try:
                results[place] = call()
            except Exception as error:  # noqa: BLE001 - the outcome of a racer is what we look at
                results[place] = error

        threads = [
            threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results


@pytest.fixture
def together() -> Together:
    return Together()


@pytest.fixture
def provider(transactions: Transactions, time: Any) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(transactions.settings, fake)
    return fake
