"""A PostgreSQL server of one's own, for a machine that has none: `EmbeddedPostgres`."""

from shop.embedded_postgres.account import EmbeddedPostgresError
from shop.embedded_postgres.manager import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
