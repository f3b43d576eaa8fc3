"""Who may see case figures as they are, and single cases: rights by role and region, refusals, the audit."""

from __future__ import annotations

import pytest

from gridmap.services.actor import SYSTEM, Actor, Grant, Role

COUNTY, NORTH, SOUTH = "339901", "339901001", "339901002"


def actor(*grants: tuple[Role, str]) -> Actor:
    return Actor("someone", tuple(Grant(role, prefix) for role, prefix in grants))


@pytest.mark.parametrize(
    ("who", "prefix", "small", "raw"),
    [
        (actor((Role.VIEWER, "")), "", False, False),
        (actor((Role.VIEWER, COUNTY)), NORTH, False, False),
        (actor((Role.APPROVER, "")), "", False, False),
        (actor((Role.PLANNER, "")), "", True, False),
        (actor((Role.PLANNER, NORTH)), "", True, False),  # all that they see at all
        (actor((Role.CASE_OFFICER, NORTH)), "", True, True),
        (actor((Role.ADMINISTRATOR, COUNTY)), SOUTH, True, True),
        (SYSTEM, "", True, True),
        # a part of what they see: exact there only, for the whole less the part would be the rest
        (actor((Role.VIEWER, COUNTY), (Role.PLANNER, NORTH)), "", False, False),
        (actor((Role.VIEWER, COUNTY), (Role.PLANNER, NORTH)), NORTH, True, False),
        (actor((Role.VIEWER, COUNTY), (Role.PLANNER, NORTH)), NORTH + "003", True, False),
        (actor((Role.VIEWER, COUNTY), (Role.PLANNER, NORTH)), SOUTH, False, False),
        (actor((Role.PLANNER, NORTH), (Role.CASE_OFFICER, SOUTH)), "", True, False),
        (actor((Role.PLANNER, NORTH), (Role.CASE_OFFICER, SOUTH)), SOUTH, True, True),
        (actor((Role.PLANNER, NORTH)), SOUTH, True, False),  # nothing is seen there: the answer is nought
        (actor(), "", False, False),
    ],
)
def test_rights_reach_as_far_as_the_roles(who: Actor, prefix: str, small: bool, raw: bool) -> None:
    assert (who.sees_small(prefix), who.sees_raw(prefix)) == (small, raw)
