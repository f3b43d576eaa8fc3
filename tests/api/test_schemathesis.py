"""Schemathesis drives every documented operation of the API with an administrator's token."""

from __future__ import annotations

from pathlib import Path

import pytest
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings

from gridmap.db.engine import transaction
from gridmap.services.accounts import actor_of
from gridmap.services.tokens import create_token
from tests.web import add_person, make_app


@pytest.fixture
def api_schema(database_url: str, tmp_path: Path) -> schemathesis.BaseSchema:
    app = make_app(tmp_path)
    user_id = add_person("boss")
    with transaction() as session:  # out of reach of the ids that are tried, lest the token revoke itself
        session.execute(sa.text("SELECT setval(pg_get_serial_sequence('api_token', 'id'), 424242)"))
    actor = actor_of(user_id, 1)
    assert actor is not None
    _, secret = create_token(actor, "schemathesis")
    headers = {"Authorization": f"Bearer {secret}"}
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers=headers)


def test_every_operation_keeps_its_word(api_schema: schemathesis.BaseSchema) -> None:
    tried = 0
    for found in api_schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=15,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def drive(case: schemathesis.Case) -> None:
            case.call_and_validate()

        drive()
        tried += 1
    assert tried >= 8
