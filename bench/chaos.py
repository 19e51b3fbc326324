"""Buying and refunding while web and worker are killed and the provider has a bad day.

`python -m bench.chaos --purchases 2000`: so many purchases are begun on an installation of their
own, with everything a buyer, finance and the provider may do to them; meanwhile SIGKILL hits a
process of the web server or the worker every few seconds, webhooks are lost, doubled and shuffled,
and calls fail before or after their work. Then it is quiet, the clock's jobs have their turn, and
stock, orders, ledger, aid record and the provider's own books must agree to the fen.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from bench import catalogue, chaos_buyers, chaos_verdict, processes
from bench.installation import BenchError, Installation
from shop.context import Transactions
from shop.payments.gateway import GatewayUnavailable

PASSWORD = "chaos-for-finance-1"
BUYERS = 8
KILL_EVERY = 6.0
"""Seconds between two kills, half as many more or less."""

TICK_EVERY = 0.5
"""Seconds between two looks of the clock's jobs."""

ENDED_BY = 15
"""Seconds after the end by which nothing of the installation may be left."""

VICTIMS = ("web", "worker")
BAD_DAY = {"faults": 0.02, "lossy": 0.15, "shuffle": True, "duplicate": 1}
GOOD_DAY = {"faults": 0, "lossy": 0, "shuffle": False, "duplicate": 0, "lose": 0}


def main() -> int:
    """Run, judge, print; 1 when anything disagrees."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=main.__doc__)
    parser.add_argument("--purchases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kill-every", type=float, default=KILL_EVERY, help="seconds")
    parser.add_argument("--most-kills", type=int, default=10_000)
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ["DEMO_PASSWORD"] = PASSWORD
    try:
        with Installation(Path("var")) as mall:
            complaints = _run(mall, wanted)
        left = processes.outliving(mall.folder, ENDED_BY)
        complaints += [f"process {pid} outlived its installation" for pid in left]
    except BenchError as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("chaos: stopped", file=sys.stderr)
        return 130
    for complaint in complaints:
        print(f"  WRONG  {complaint}")
    print("Everything agrees to the fen." if not complaints else f"{len(complaints)} complaints.")
    return 1 if complaints else 0


def _run(mall: Installation, wanted: argparse.Namespace) -> list[str]:
    print(f"{wanted.purchases} purchases, seed {wanted.seed}")
    mall.start()
    transactions = mall.transactions()
    with transactions.begin() as ctx:
        catalogue.fill(ctx, 40)
    began_at = transactions.clock()
    dice = random.Random(wanted.seed)
    control = chaos_buyers.Control(mall)
    before = control.books()
    control.set(BAD_DAY)
    began = time.monotonic()
    try:
        kills, outcomes = asyncio.run(_storm(mall, transactions, wanted, dice))
    except BenchError as error:
        raise BenchError(f"{error}\n{mall.log()}") from error
    took = time.monotonic() - began
    print(f"{took:.0f} s, killed {dict(kills)}, {json.dumps(dict(sorted(outcomes.items())))}")
    control.set(GOOD_DAY)
    waited = chaos_verdict.rest(mall, transactions, control)
    print(f"at rest after {waited:.0f} s")
    return chaos_verdict.judge(transactions, control, before, began_at)


async def _storm(
    mall: Installation,
    transactions: Transactions,
    wanted: argparse.Namespace,
    dice: random.Random,
) -> tuple[Counter[str], Counter[str]]:
    kills: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    left = iter(range(wanted.purchases))
    killer = asyncio.create_task(_kill(mall, wanted, dice, kills))
    clock = asyncio.create_task(_tick(transactions))

    async def keep_buying() -> None:
        person = chaos_buyers.Person(mall, dice, PASSWORD)
        for number in left:
            outcomes[await person.live_through(number)] += 1
        person.leave()

    await asyncio.gather(*(keep_buying() for _ in range(BUYERS)))
    for task in (killer, clock):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task  # had it failed, nobody would have been killed, or looked at
    return kills, outcomes


async def _tick(transactions: Transactions) -> None:
    while True:
        await asyncio.sleep(TICK_EVERY)
        with contextlib.suppress(GatewayUnavailable):  # the provider has a bad day
            await asyncio.to_thread(chaos_verdict.tick, transactions)


async def _kill(
    mall: Installation, wanted: argparse.Namespace, dice: random.Random, kills: Counter[str]
) -> None:
    while kills.total() < wanted.most_kills:
        await asyncio.sleep(wanted.kill_every * dice.uniform(0.5, 1.5))
        role = dice.choice(VICTIMS)
        alive = processes.by_role(mall.pid).get(role, [])
        if alive:
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(dice.choice(alive), signal.SIGKILL)
                kills[role] += 1


if __name__ == "__main__":
    sys.exit(main())
