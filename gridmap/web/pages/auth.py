"""Signing in and out, one-time links, and one's own account."""

from __future__ import annotations

from flask import Blueprint, Flask, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import IntegerField, PasswordField, StringField
from wtforms.validators import EqualTo, NumberRange

from gridmap.errors import GridmapError, Invalid, TooMany
from gridmap.services import accounts, tokens
from gridmap.services.passwords import MIN_LENGTH
from gridmap.services.sign_in import sign_in as try_sign_in
from gridmap.web.config import app_settings
from gridmap.web.forms import MENDABLE, Form, at_most, required
from gridmap.web.security import safe_next
from gridmap.web.session import begin, current_actor, end, public

pages = Blueprint("auth", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


class SignInForm(Form):
    login = StringField(lazy_gettext("账号"), [required, at_most(80)], render_kw={"autocomplete": "username"})
    password = PasswordField(
        lazy_gettext("密码"), [required, at_most(200)], render_kw={"autocomplete": "current-password"}
    )


class NewPasswordForm(Form):
    password = PasswordField(
        lazy_gettext("新密码"),
        [required],
        description=lazy_gettext("至少 %(least)s 个字符；不要用常见密码，也不要包含账号。", least=MIN_LENGTH),
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        lazy_gettext("再输入一次"),
        [required, EqualTo("password", lazy_gettext("两次输入的密码不一致。"))],
        render_kw={"autocomplete": "new-password"},
    )


class ChangePasswordForm(NewPasswordForm):
    old = PasswordField(lazy_gettext("当前密码"), [required], render_kw={"autocomplete": "current-password"})
    field_order = ("old", "password", "again")


class TokenForm(Form):
    name = StringField(lazy_gettext("用途"), [required, at_most(80)])
    days = IntegerField(lazy_gettext("有效天数"), [required, NumberRange(1, tokens.MAX_DAYS)], default=90)


@pages.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    target = safe_next(request.args.get("next"))
    if g.actor is not None:
        return redirect(target or "/")
    form = SignInForm()
    status = 200
    if form.validate_on_submit():
        config = app_settings()
        outcome = try_sign_in(
            form.login.data.strip().lower(),
            form.password.data,
            request.remote_addr,
            attempts=config.lockout_attempts,
            minutes=config.lockout_minutes,
        )
        if not isinstance(outcome, GridmapError):
            begin(outcome)
            return redirect(target or "/")
        form.fail(outcome)
        status = 429 if isinstance(outcome, TooMany) else 401
    return render_template("auth/sign_in.html", form=form), status


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    end()
    flash(gettext("您已退出登录。"), "info")
    return redirect(url_for("auth.sign_in"))


@pages.route("/sign-in/<token>", methods=["GET", "POST"])
@public
def link(token: str) -> ResponseReturnValue:
    """Set a password with a one-time link; only the POST spends it (mail scanners follow links)."""
    login = accounts.link_login(token)
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            identity = accounts.redeem_link(token, form.password.data, request.remote_addr)
        except Invalid as error:
            form.fail(error, "password")
        else:
            begin(identity)
            flash(gettext("密码已设置，您已登录。"), "success")
            return redirect("/")
    return render_template("auth/link.html", form=form, login=login)


@pages.get("/account")
def account() -> ResponseReturnValue:
    return _account()


@pages.post("/account/password")
def change_password() -> ResponseReturnValue:
    form = ChangePasswordForm()
    if not form.validate_on_submit():
        return _account(password_form=form)
    try:
        identity = accounts.change_password(current_actor(), form.old.data, form.password.data)
    except Invalid as error:
        form.fail(error, "old" if error.code == "PASSWORD_WRONG" else "password")
        return _account(password_form=form)
    begin(identity)
    flash(gettext("密码已修改，其他设备上的登录已全部结束。"), "success")
    return redirect(url_for("auth.account"))


@pages.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    accounts.end_sessions(current_actor())
    end()
    flash(gettext("所有设备上的登录都已结束。"), "info")
    return redirect(url_for("auth.sign_in"))


@pages.post("/account/tokens")
def create_token() -> ResponseReturnValue:
    form = TokenForm()
    if not form.validate_on_submit():
        return _account(token_form=form)
    try:
        _, secret = tokens.create_token(current_actor(), form.name.data, form.days.data)
    except MENDABLE as error:
        form.fail(error)
        return _account(token_form=form)
    return _account(secret=secret, status=201)


@pages.post("/account/tokens/<int:token_id>/revoke")
def revoke_token(token_id: int) -> ResponseReturnValue:
    tokens.revoke_token(current_actor(), token_id)
    flash(gettext("令牌已撤销。"), "success")
    return redirect(url_for("auth.account") + "#tokens")


def _account(
    password_form: ChangePasswordForm | None = None,
    token_form: TokenForm | None = None,
    secret: str | None = None,
    status: int | None = None,
) -> ResponseReturnValue:
    failed = (password_form or token_form) is not None
    page = render_template(
        "auth/account.html",
        password_form=password_form or ChangePasswordForm(formdata=None),
        token_form=token_form or TokenForm(formdata=None),
        tokens=tokens.list_tokens(current_actor()),
        secret=secret,
    )
    return page, status or (422 if failed else 200)
