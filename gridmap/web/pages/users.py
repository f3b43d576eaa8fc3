"""Administering accounts."""

from __future__ import annotations

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import StringField

from gridmap.errors import CodedError, Conflict
from gridmap.services import accounts, users
from gridmap.services.actor import Role
from gridmap.web.config import app_settings
from gridmap.web.forms import MENDABLE, Form, at_most, required
from gridmap.web.session import current_actor

pages = Blueprint("users", __name__, url_prefix="/users")


def init_app(app: Flask) -> None:
    app.register_blueprint(pages)


class UserForm(Form):
    login = StringField(
        lazy_gettext("账号"),
        [required, at_most(63)],
        description=lazy_gettext("小写字母、数字和 . _ - @，例如 zhang.wei。"),
        render_kw={"autocomplete": "off", "autocapitalize": "none"},
    )
    name = StringField(lazy_gettext("姓名或岗位"), [required, at_most(80)], render_kw={"autocomplete": "off"})


@pages.get("")
def index() -> ResponseReturnValue:
    return render_template("users/index.html", users=users.list_users(current_actor()))


@pages.get("/new")
def new() -> ResponseReturnValue:
    return _new(UserForm())


@pages.post("/new")
def add() -> ResponseReturnValue:
    form = UserForm()
    if not form.validate_on_submit():
        return _new(form), 422
    try:
        user_id, path = users.invite_user(current_actor(), form.login.data, form.name.data, _posted_grants())
    except MENDABLE as error:
        form.fail(error, "login" if error.code in ("LOGIN_FORM", "LOGIN_TAKEN") else None)
        return _new(form), 422
    return _one(user_id, path)


@pages.get("/<int:user_id>")
def show(user_id: int) -> ResponseReturnValue:
    return _one(user_id)


@pages.post("/<int:user_id>/name")
def rename(user_id: int) -> ResponseReturnValue:
    users.rename_user(current_actor(), user_id, request.form.get("name", ""))
    return _done(user_id, gettext("姓名已保存。"))


@pages.post("/<int:user_id>/grants")
def grant(user_id: int) -> ResponseReturnValue:
    try:
        users.set_grants(current_actor(), user_id, _posted_grants())
    except MENDABLE as error:
        return _refused(user_id, error)
    return _done(user_id, gettext("权限已保存。"))


@pages.post("/<int:user_id>/close")
def close(user_id: int) -> ResponseReturnValue:
    try:
        users.set_active(current_actor(), user_id, active=False)
    except Conflict as error:
        return _refused(user_id, error)
    return _done(user_id, gettext("账号已停用，其登录已全部结束。"))


@pages.post("/<int:user_id>/reopen")
def reopen(user_id: int) -> ResponseReturnValue:
    users.set_active(current_actor(), user_id, active=True)
    return _done(user_id, gettext("账号已启用。"))


@pages.post("/<int:user_id>/unlock")
def unlock(user_id: int) -> ResponseReturnValue:
    users.unlock_user(current_actor(), user_id)
    return _done(user_id, gettext("登录锁定已解除。"))


@pages.post("/<int:user_id>/link")
def link(user_id: int) -> ResponseReturnValue:
    actor = current_actor()
    return _one(user_id, accounts.create_sign_in_link(actor, users.get_user(actor, user_id).login))


def _posted_grants() -> list[tuple[str, str | None]]:
    """The rows of the grants table: a role and a region's code each, "*" for everywhere; no role, no grant."""
    rows = zip(request.form.getlist("role"), request.form.getlist("region"), strict=False)
    return [(role, None if region == "*" else region) for role, region in rows if role]


def _new(form: UserForm) -> str:
    regions = users.region_choices(current_actor())
    return render_template("users/new.html", form=form, regions=regions, roles=list(Role), posted=_posted_grants())


def _one(user_id: int, path: str | None = None) -> str:
    actor = current_actor()
    base = (app_settings().public_url or request.url_root).rstrip("/")
    return render_template(
        "users/show.html",
        user=users.get_user(actor, user_id),
        regions=users.region_choices(actor),
        roles=list(Role),
        link=base + path if path else None,
    )


def _done(user_id: int, text: str) -> ResponseReturnValue:
    flash(text, "success")
    return redirect(url_for("users.show", user_id=user_id))


def _refused(user_id: int, error: CodedError) -> ResponseReturnValue:
    flash(error.sentence(current_actor().locale), "error")
    return redirect(url_for("users.show", user_id=user_id))
