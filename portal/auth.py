"""Logging in and out, and one's own password: flask-login on the lake's own sessions.

One rule: the cookie holds a token and nothing else; whether it is still good is asked of the state store each time.
"""

from dataclasses import dataclass

from flask import Flask, current_app, g, make_response, redirect, render_template, request, session
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError, CSRFProtect

from lakehouse.access.identity import Principal
from lakehouse.access.passwords import LONGEST
from lakehouse.access.users import User
from lakehouse.core import Lakehouse
from lakehouse.errors import RequestWrong
from portal.guard import PUBLIC, SIGNED_IN, is_background
from portal.recording import about, leave_to_route, write_now
from portal.secret import secret_key

WRONG = "The name or the password is wrong."
EXPIRED = "The form had expired. Try once more."
LONGEST_FIELD = 4 * LONGEST
"""Code points: signs that a keyboard makes of several are one in a password."""
ENDPOINTS = {
    "login": PUBLIC,
    "login_post": PUBLIC,
    "logout": SIGNED_IN,
    "account": SIGNED_IN,
    "account_post": SIGNED_IN,
}
"""Who may reach the routes of this module."""


class SignedIn(UserMixin):  # type: ignore[misc]
    """A user with a session, as flask-login knows one: its id is the session's token."""

    def __init__(self, user: User, token: str) -> None:
        self.name = user.name
        self.principal: Principal = user.principal
        self._token = token

    def get_id(self) -> str:
        """The session's token, which flask-login keeps in the signed cookie."""
        return self._token


class _Cookies(SecureCookieSessionInterface):
    """Cookies are for HTTPS only as soon as a request came by HTTPS, also through a trusted proxy."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def add_login(server: Flask, lakehouse: Lakehouse, env: str, csrf: CSRFProtect) -> None:
    """Give the server its sessions. Raises `SettingsWrong` when there is nothing to sign them with."""
    settings = lakehouse.settings
    base = settings.server.base_path
    server.secret_key = secret_key(settings, env)
    server.config.update(
        SESSION_COOKIE_NAME="lakeport_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH=base or "/",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,  # a script, or a browser that keeps to itself where it comes from, may log in too
    )
    server.session_interface = _Cookies()
    csrf.init_app(server)
    manager = LoginManager()
    manager.session_protection = None  # it would tie a session to an address, which changes on a phone
    # Not `init_app`: it looks at the session after every request, which makes each file vary by its reader's cookies.
    server.login_manager = manager  # type: ignore[attr-defined]

    @manager.user_loader  # type: ignore[untyped-decorator]
    def signed_in(token: str) -> SignedIn | None:
        user = lakehouse.sessions.find(token, touch=not is_background())
        return SignedIn(user, token) if user is not None else None


def safe_next(target: str) -> str:
    """The path to go on to after login; the first page for everything that would lead elsewhere."""
    leads_elsewhere = not target.startswith("/") or target.startswith("//") or "\\" in target
    good = target.isprintable() and not leads_elsewhere
    return f"{current_app.config['LAKEPORT_BASE']}{target if good else '/'}"


def add_routes(server: Flask, lakehouse: Lakehouse, csrf: CSRFProtect) -> None:
    """Give the server `/login`, `/logout` and `/account`, under the names of `ENDPOINTS`."""
    door = _FrontDoor(lakehouse, csrf)
    server.add_url_rule("/login", "login", door.show)
    server.add_url_rule("/login", "login_post", door.log_in, methods=["POST"])
    server.add_url_rule("/logout", "logout", door.log_out, methods=["POST"])
    server.add_url_rule("/account", "account", door.account)
    server.add_url_rule("/account", "account_post", door.change_password, methods=["POST"])


@dataclass(frozen=True)
class _FrontDoor:
    lakehouse: Lakehouse
    csrf: CSRFProtect

    def show(self) -> ResponseReturnValue:
        if current_user.is_authenticated:
            return redirect(safe_next(request.args.get("next", "")))
        return _form()

    def log_in(self) -> ResponseReturnValue:
        name, address = _field("username").strip().lower(), request.remote_addr or ""
        about("sign-in", "")
        try:
            self.csrf.protect()
        except CSRFError:  # a form that stood open for long is shown anew, not an error
            return _form(EXPIRED, 403)
        wait = self.lakehouse.attempts.begin(name, address)
        if wait:
            return _later(_form(_slowed(wait), 429), wait)
        user = self.lakehouse.users.authenticate(name, _field("password"))
        if user is None:
            leave_to_route()
            self.lakehouse.audit.sign_in_failed(g.record, name)
            return _form(WRONG, 401)
        self.lakehouse.attempts.succeeded(name, address)
        target, token = safe_next(request.form.get("next", "")), self.lakehouse.sessions.open(user.name)
        g.record.principal = user.name
        g.record.note(role=user.role)
        write_now(self.lakehouse, "allowed", 302)  # before anybody has the token
        session.clear()  # nothing that was known before the login is kept
        login_user(SignedIn(user, token))
        return redirect(target)

    def log_out(self) -> ResponseReturnValue:
        about("sign-out", "")
        g.record.principal = current_user.name
        self.lakehouse.sessions.close(current_user.get_id())
        write_now(self.lakehouse, "allowed", 302)
        logout_user()
        session.clear()
        return redirect(f"{current_app.config['LAKEPORT_BASE']}/login")

    def account(self) -> ResponseReturnValue:
        return _account()

    def change_password(self) -> ResponseReturnValue:
        name, address = current_user.name, request.remote_addr or ""
        about("password", name)
        g.record.principal = name
        if _field("new") != _field("again"):
            return _account(wrong="The two new passwords are not the same. Type them again."), 422
        wait = self.lakehouse.attempts.begin(name, address)
        if wait:
            return _later((_account(wrong=_slowed(wait)), 429), wait)
        if self.lakehouse.users.authenticate(name, _field("password")) is None:
            write_now(self.lakehouse, "refused", 422)
            return _account(wrong="The present password is wrong."), 422
        self.lakehouse.attempts.succeeded(name, address)
        leave_to_route()
        try:
            with self.lakehouse.audit.recorded(g.record, changes=True):
                self.lakehouse.users.set_password(name, _field("new"), keep=current_user.get_id())
        except RequestWrong as error:  # a form shows what is wrong beside its fields instead of leaving them
            return _account(wrong=str(error)), 422
        return _account(said="Your password is changed. Other sessions of yours have ended.")


def _form(wrong: str = "", status: int = 200) -> ResponseReturnValue:
    name = _field("username") if request.method == "POST" else ""
    target = request.values.get("next", "")
    return render_template("login.html", wrong=wrong, name=name, next=target), status


def _account(said: str = "", wrong: str = "") -> str:
    return render_template("account.html", name=current_user.name, said=said, wrong=wrong)


def _later(answer: ResponseReturnValue, seconds: int) -> ResponseReturnValue:
    response = make_response(answer)
    response.headers["Retry-After"] = str(seconds)
    return response


def _slowed(seconds: int) -> str:
    wait = f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"
    return f"Too many attempts. Try again in {wait}."


def _field(key: str) -> str:
    return request.form.get(key, "")[:LONGEST_FIELD]
