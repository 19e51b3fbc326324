"""Alembic's entry: one connection, one transaction a migration, the models as the target."""

from alembic import context
from sqlalchemy import create_engine

from models import Base

OWNED_ELSEWHERE = ("procrastinate_",)


def include_name(name, type_, _parents):
    """The job tables belong to their library; its SQL stands in the first migration."""
    return not (type_ == "table" and name is not None and name.startswith(OWNED_ELSEWHERE))


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    engine = create_engine(url)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_name=include_name,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
