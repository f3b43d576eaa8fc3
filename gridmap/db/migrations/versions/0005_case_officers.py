"""A role for those who handle single cases."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAME = "ck_role_grant_role"


def upgrade() -> None:
    op.drop_constraint(op.f(_NAME), "role_grant", type_="check")
    op.create_check_constraint(
        op.f(_NAME), "role_grant", "role IN ('viewer', 'case_officer', 'planner', 'approver', 'administrator')"
    )


def downgrade() -> None:
    op.execute("DELETE FROM role_grant WHERE role = 'case_officer'")
    op.drop_constraint(op.f(_NAME), "role_grant", type_="check")
    op.create_check_constraint(op.f(_NAME), "role_grant", "role IN ('viewer', 'planner', 'approver', 'administrator')")
