"""Asking a served gridmap as a program does: with a token, over HTTP."""

from __future__ import annotations

import time
from urllib.parse import quote
from urllib.request import Request, urlopen

from gridmap.db import engine
from gridmap.services.accounts import actor_of, redeem_link
from gridmap.services.tokens import create_token
from tests.browser.conftest import Server


def token_of(server: Server) -> str:
    """A token of the first administrator; leaves the engine connected."""
    engine.connect(server.url)
    identity = redeem_link(server.sign_in.rsplit("/", 1)[-1], "measured-Ground-7")
    actor = actor_of(identity.user_id, identity.epoch)
    assert actor is not None
    _, token = create_token(actor, "bench")
    return token


def ask_ms(address: str, token: str) -> float:
    """Milliseconds from asking to the last byte."""
    request = Request(quote(address, safe=":/?&=,.+%"), headers={"Authorization": f"Bearer {token}"})
    start = time.perf_counter()
    with urlopen(request) as answer:
        answer.read()
    return (time.perf_counter() - start) * 1000
