"""Schemathesis drives every documented operation of the API over the demo town with an administrator's token."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import schemathesis
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from gridmap.db.engine import transaction
from gridmap.services.accounts import actor_of
from gridmap.services.tokens import create_token
from tests.web import add_person, make_app

_SETTINGS = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

#: A well-formed request may break a rule of the data (an unknown region, a login in use): 422 with the reason.
_EXCLUDED = [positive_data_acceptance]


@pytest.fixture
def app(demo_url: str, tmp_path: Path) -> Flask:
    app = make_app(tmp_path)
    app.config["PROPAGATE_EXCEPTIONS"] = False  # a fault is a 500, as in service
    return app


@pytest.fixture
def headers(app: Flask) -> dict[str, str]:
    """The token of an administrator."""
    user_id = add_person("boss")
    with transaction() as session:  # out of reach of the ids that are tried, lest the token revoke itself
        session.execute(sa.text("SELECT setval(pg_get_serial_sequence('api_token', 'id'), 424242)"))
    actor = actor_of(user_id, 1)
    assert actor is not None
    plain = "identity"  # in process nothing unpacks an answer before it is read
    return {"Authorization": f"Bearer {create_token(actor, 'schemathesis')[1]}", "Accept-Encoding": plain}


def test_every_operation_keeps_its_word(app: Flask, headers: dict[str, str]) -> None:
    """Documented statuses, types and bodies only, no fault of the program, nothing without the token."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers=headers)
    statuses: Counter[int] = Counter()
    faults = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @_SETTINGS
        @given(case=operation.as_strategy())
        def drive(case: schemathesis.Case) -> None:
            statuses[case.call_and_validate(headers=headers, excluded_checks=_EXCLUDED).status_code] += 1

        try:
            drive()
        except FailureGroup as fault:
            faults += [f"{operation.label}: {one}" for one in fault.exceptions]
    assert not faults, "\n\n".join(faults)
    assert statuses[200] > 50
    assert not statuses[401]
