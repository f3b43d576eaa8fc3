"""The base of every HTML form: CSRF, messages in the page's language, and coded errors shown where they belong."""

from __future__ import annotations

from datetime import date

from flask_babel import get_locale, lazy_gettext
from flask_wtf import FlaskForm
from wtforms.validators import InputRequired, Length

from gridmap.errors import CodedError, Conflict, GeodataError, Invalid

#: What a person mends in the form it came from; other errors (403, 404, 503) are pages of their own.
MENDABLE = (Invalid, Conflict, GeodataError)


class Form(FlaskForm):  # type: ignore[misc]
    """A form; :meth:`fail` shows an error that a service raised."""

    def fail(self, error: CodedError, field: str | None = None) -> None:
        """Show ``error`` above the form, or at ``field``."""
        locale = str(get_locale())
        text = f"{error.sentence(locale)} {error.hint(locale)}".strip()
        if field is None:
            self.form_errors.append(text)
        else:
            target = self[field]
            target.errors = [*target.errors, text]


#: The field must be filled in.
required = InputRequired(lazy_gettext("请填写此项。"))


def at_most(characters: int) -> Length:
    """The field holds at most so many characters."""
    return Length(max=characters, message=lazy_gettext("最多 %(most)s 个字符。", most=characters))


def calendar_day(text: str) -> date:
    """A day of an address or a form. Raises ``Invalid`` WORKFLOW_DATE."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("WORKFLOW_DATE", value=text[:40]) from None


def row_number(text: str) -> int:
    """A number of an address that a table can hold; ``ValueError`` for any other."""
    number = int(text)
    if not 0 <= number < 2**53:
        raise ValueError(text)
    return number
