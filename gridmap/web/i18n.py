"""Languages: Chinese sentences are the message ids, English is a catalogue; times are shown in the configured zone.

The catalogue is compiled at set-up (``python -m gridmap.translations compile``); a checkout where that was missed, or
where the source is newer, compiles it when the app starts.
"""

from __future__ import annotations

from flask import Flask, Response, g, redirect, request
from flask_babel import Babel, get_locale

from gridmap.errors import Invalid
from gridmap.services.accounts import choose_language
from gridmap.translations import FOLDER, LOCALES, compile_stale
from gridmap.translations.catalogue import script_messages
from gridmap.web.config import app_settings
from gridmap.web.security import safe_next
from gridmap.web.session import LOCALE_COOKIE, public

_YEAR_SECONDS = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    compile_stale()
    config = app.extensions["gridmap.settings"]
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(FOLDER)
    app.config["BABEL_DEFAULT_LOCALE"] = "zh"
    app.config["BABEL_DEFAULT_TIMEZONE"] = config.time_zone
    Babel(app, locale_selector=select_locale)
    app.add_template_global(get_locale)
    english = script_messages()
    app.add_template_global(lambda: english if get_locale().language == "en" else {}, "script_messages")
    app.add_template_filter(in_language)
    app.add_url_rule("/language", "language", change_language, methods=["POST"])


def select_locale() -> str:
    """The person's language, else the browser's cookie, else the setting."""
    actor = g.get("actor")
    chosen = request.cookies.get(LOCALE_COOKIE)
    if chosen in LOCALES:
        return chosen
    return actor.locale if actor is not None else str(app_settings().default_locale)


def in_language(text: object, name: str = "sentence") -> str:
    """The field ``name_zh`` or ``name_en`` of an object or mapping, in the reader's language."""
    key = f"{name}_{'en' if str(get_locale()).startswith('en') else 'zh'}"
    value = text.get(key, "") if isinstance(text, dict) else getattr(text, key, "")
    return str(value)


@public
def change_language() -> Response:
    """Keep the language in a cookie and, where somebody is signed in, in the account."""
    locale = request.form.get("locale", "")
    if locale not in LOCALES:
        raise Invalid("LOCALE_UNKNOWN", locale=locale)
    if g.get("actor") is not None and g.actor.user_id is not None:
        choose_language(g.actor, locale)
    response = redirect(safe_next(request.form.get("next")) or "/")
    config = app_settings()
    response.set_cookie(
        LOCALE_COOKIE, locale, max_age=_YEAR_SECONDS, httponly=True, samesite="Lax", secure=config.secure_cookies
    )
    assert isinstance(response, Response)
    return response
