"""How passwords are kept: argon2id, with the salt and the parameters inside the stored text."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from shop.settings import Settings

MEMORY_KIB = 19_456
ROUNDS = 2
LANES = 1
"""19 MiB, two passes, one lane: one of the equally strong settings that OWASP recommends, with so
little memory that a burst of sign-ins cannot starve the server. Some 40 ms on one core."""

TEST_MEMORY_KIB = 8
TEST_ROUNDS = 1
"""The smallest that argon2 takes: tests sign in thousands of times and defend nothing."""


def hashed(password: str, settings: Settings) -> str:
    """What is stored of a password; the same password looks new every time."""
    return _hasher(settings.environment).hash(password)


def fits(stored: str | None, password: str, settings: Settings) -> bool:
    """Whether `password` is the one behind `stored`.

    Without a stored one the work is done all the same, against a dummy: how long the answer
    takes must not tell whether somebody is known here.
    """
    hasher = _hasher(settings.environment)
    try:
        hasher.verify(stored or _dummy(settings.environment), password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str, settings: Settings) -> bool:
    """Whether `stored` was made with other parameters than today's and should be made anew."""
    return _hasher(settings.environment).check_needs_rehash(stored)


@cache
def _hasher(environment: str) -> PasswordHasher:
    if environment == "test":
        return PasswordHasher(TEST_ROUNDS, TEST_MEMORY_KIB, LANES)
    return PasswordHasher(ROUNDS, MEMORY_KIB, LANES)


@cache
def _dummy(environment: str) -> str:
    return _hasher(environment).hash("nobody has this password")
