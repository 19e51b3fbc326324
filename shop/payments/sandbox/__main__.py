"""`python -m shop.payments.sandbox`: the sandbox alone, with the settings of the environment."""

from __future__ import annotations

from shop.payments.sandbox.server import main
from shop.settings import load

if __name__ == "__main__":
    main(load())
