"""The migrations make exactly the schema that the models declare, and history cannot be rewritten."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from gridmap.db.engine import engine, transaction
from gridmap.db.migrate import current, head, migrate, require_current
from gridmap.db.models import AuditEvent, Base
from gridmap.errors import Unavailable
from gridmap.services.actor import SYSTEM
from gridmap.services.audit import record

pytestmark = pytest.mark.usefixtures("database_url")


def test_models_and_migrations_agree() -> None:
    def own(name: str | None, kind: str, parents: object) -> bool:
        return kind != "table" or name in Base.metadata.tables

    with engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": own})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing() -> None:
    migrate()
    assert current() == head()
    require_current()


def test_an_old_schema_is_one_clear_sentence() -> None:
    with engine().begin() as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
    with pytest.raises(Unavailable) as caught:
        require_current()
    assert caught.value.code == "SCHEMA_OLD"


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET login = 'x'", "DELETE FROM audit_event"])
def test_the_audit_is_append_only(statement: str) -> None:
    with transaction() as session:
        record(session, SYSTEM, "test.event", answer=42)
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(sa.text(statement))
    with transaction() as session:
        assert session.scalars(sa.select(AuditEvent.detail)).all() == [{"answer": 42}]
