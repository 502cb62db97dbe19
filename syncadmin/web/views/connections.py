"""Connecting a system: what is typed, the checks one after the other, and what they allow.

The same page is a step of the wizard and a page of the settings. With script each check is a request of its own and
shows as it finishes; without, one request makes them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from syncadmin.engine.records import Side
from syncadmin.services import checks, connecting, connections, sandbox_setup
from syncadmin.services.checks import Attempt
from syncadmin.services.connect import Unopened
from syncadmin.store import options
from syncadmin.store.queries import setup as queries
from syncadmin.store.queries.setup import ConnectionCard
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.forms.connections import DynamicsForm, MarketoForm
from syncadmin.web.views import setup_draft, setup_steps
from syncadmin.web.views.setup_draft import Draft
from syncadmin.web.words import checks as words

Form = DynamicsForm | MarketoForm
View = Callable[..., HttpResponse]
TEMPLATE = "setup/connection.html"


def _with_secret(view: View) -> View:
    """For administrators; what is posted holds a secret, and no answer is kept anywhere."""
    shut = sensitive_post_parameters("secret")(never_cache(require_http_methods(["GET", "HEAD", "POST"])(view)))
    return needs(Right.ADMINISTER)(shut)


@_with_secret
def dynamics(request: HttpRequest) -> HttpResponse:
    """The wizard's first step."""
    return setup_steps.not_yet(request, "dynamics") or _answer(request, Side.DYNAMICS, "setup")


@_with_secret
def marketo(request: HttpRequest) -> HttpResponse:
    """The wizard's second step."""
    return setup_steps.not_yet(request, "marketo") or _answer(request, Side.MARKETO, "setup")


@_with_secret
def connection(request: HttpRequest, side: str) -> HttpResponse:
    """One connection in the settings: another secret, another address, or none any more."""
    if side not in set(Side):
        raise Http404
    return _answer(request, Side(side), "settings")


def _answer(request: HttpRequest, side: Side, place: str) -> HttpResponse:
    if request.method != "POST":
        return _page(request, side, place)
    act = _ACTIONS.get(request.POST.get("action", ""))
    if act is None:
        raise Http404
    return act(request, side, place)


def _page(request: HttpRequest, side: Side, place: str, form: Form | None = None) -> HttpResponse:
    draft, card = setup_draft.load(request, side), queries.connection(side)
    if card is None and draft is not None and draft.attempt is None:
        draft = None  # somebody else disconnected what was checked here
    changing = card is None or "change" in request.GET or form is not None
    changing = changing or (draft is not None and draft.attempt is not None and not draft.again)
    context = {
        "side": side,
        "place": place,
        "card": card,
        "form": form or (_form(side, draft, card) if changing else None),
        "here": request.path,
        "sandbox": sandbox_setup.offered(side) is not None,
        "now": htmx.now(),
        "linked": queries.linked(),
        **_progress(side, draft),
        **_around(side, place),
    }
    if side is Side.MARKETO and card is not None and place == "setup":
        context["equipment"] = connecting.equipment()
    return htmx.answer(request, TEMPLATE, context)


def _around(side: Side, place: str) -> dict[str, Any]:
    if place == "setup":
        return {"frame_template": "setup/frame.html", **setup_steps.frame(side)}
    return {"frame_template": "settings/frame.html"}


def _progress(side: Side, draft: Draft | None) -> dict[str, Any]:
    """What the list of checks shows."""
    if draft is None:
        return {"rows": [], "running": False}
    names = checks.names(side)
    running = draft.attempt is not None and len(draft.checks) < len(names)
    found = checks.verdict(side, draft.checks)
    consequences = [(word, *words.CONSEQUENCES[word]) for word in found.to_accept]
    offers = draft.attempt is not None and not running and not draft.again
    return {
        "rows": words.rows(names, draft.checks, running=running),
        "running": running,
        "done": len(draft.checks),
        "of": len(names),
        "blocked": found.blocked and offers,
        "consequences": consequences if offers and not found.blocked else [],
        "again": draft.again,
        "saved": draft.attempt is None,
        "quiet": draft.attempt is None and not draft.again and all(check.ok for check in draft.checks),
    }


# --- what is typed -----------------------------------------------------------------------------------------------------


def _form(side: Side, draft: Draft | None, card: ConnectionCard | None, data: Any = None) -> Form:
    kept = card is not None or (draft is not None and draft.attempt is not None)
    quota = options.read().marketo_quota
    if draft is not None and draft.attempt is not None and not draft.again:
        initial: dict[str, Any] = {**draft.shown, "quota": draft.quota or quota}
    elif card is not None:
        initial = {
            "url": card.address,
            "tenant": card.tenant,
            "client_id": card.client_id,
            "expires": card.expires,
            "authority": card.authority,
            "identity_url": card.identity_url,
            "quota": quota,
        }
    else:
        initial = {"quota": quota}
    kind = DynamicsForm if side is Side.DYNAMICS else MarketoForm
    return kind(data, initial=initial, kept=kept, stored=card is not None)


def _check(request: HttpRequest, side: Side, place: str) -> HttpResponse:
    draft, card = setup_draft.load(request, side), queries.connection(side)
    form = _form(side, draft, card, request.POST)
    if form.is_valid():
        try:
            attempt = _attempt(side, form.cleaned_data, draft)
        except connecting.SecretWanted as wanted:
            form.add_error("secret", _(str(wanted)))
        except checks.WrongAddress as wrong:
            form.add_error("url", _(str(wrong)))
        else:
            shown = {name: str(value or "") for name, value in form.cleaned_data.items() if name != "secret"}
            return _begin(request, place, Draft(side, attempt, quota=form.cleaned_data.get("quota") or 0, shown=shown))
    if htmx.wants_part(request):
        context = {"form": form, "side": side, "here": request.path, "card": card}
        return htmx.answer(request, TEMPLATE, {**context, **_around(side, place)}, part="form")
    return _page(request, side, place, form)


def _attempt(side: Side, typed: dict[str, Any], draft: Draft | None) -> Attempt:
    expires = typed.get("expires")
    attempt = Attempt(
        side,
        typed["url"],
        typed["client_id"].strip(),
        typed["secret"],
        tenant=typed.get("tenant", ""),
        authority=typed.get("authority", ""),
        identity_url=typed.get("identity_url", ""),
        expires=expires.isoformat() if expires else "",
    )
    before = None if draft is None or draft.again else draft.attempt
    return connecting.completed(attempt, before)


def _sandbox(request: HttpRequest, side: Side, place: str) -> HttpResponse:
    attempt = sandbox_setup.offered(side)
    if attempt is None:
        raise Http404
    return _begin(request, place, Draft(side, attempt, shown={"url": attempt.url, "client_id": attempt.client_id}))


# --- the checks --------------------------------------------------------------------------------------------------------


def _begin(request: HttpRequest, place: str, draft: Draft) -> HttpResponse:
    """With script the page comes back at once and asks for one check after the other."""
    if htmx.wants_part(request):
        setup_draft.keep(request, draft)
        return _to_page(request)
    return _proceed(request, place, draft, steps=0)


def _next(request: HttpRequest, side: Side, place: str) -> HttpResponse:
    draft = setup_draft.load(request, side)
    if draft is None or draft.attempt is None:
        return _to_page(request)
    return _proceed(request, place, draft, steps=1 if htmx.wants_part(request) else 0)


def _proceed(request: HttpRequest, place: str, draft: Draft, steps: int) -> HttpResponse:
    assert draft.attempt is not None
    draft = draft.with_checks(checks.go_on(draft.attempt, draft.checks, steps=steps))
    setup_draft.keep(request, draft)
    if len(draft.checks) >= len(checks.names(draft.side)):
        return _conclude(request, place, draft)
    if not htmx.wants_part(request):
        return _to_page(request)
    context = {"side": draft.side, "here": request.path, **_progress(draft.side, draft), **_around(draft.side, place)}
    return htmx.answer(request, TEMPLATE, context, part="checks")


def _conclude(request: HttpRequest, place: str, draft: Draft, accepted: list[str] | None = None) -> HttpResponse:
    """All checks are made: saved if they allow it, else the page says what stands in the way."""
    assert draft.attempt is not None
    if draft.again:
        setup_draft.keep(request, replace(draft, attempt=None))
        return _to_page(request)
    who, granted = request.user.get_username(), accepted or ()
    connected = connections.save(draft.attempt, draft.checks, who=who, accepted=granted)
    if connected.identity is None:
        setup_draft.keep(request, draft.with_checks(list(connected.checks)))
        return _to_page(request)
    connecting.settle(draft.attempt, quota=draft.quota, who=who, now=htmx.now())
    setup_draft.keep(request, replace(draft, attempt=None))
    messages.success(request, _("The connection is saved."))
    if options.read().paused:
        messages.info(request, _("The sync is paused. Resume it on the Overview."))
    return _to_page(request)


def _accept(request: HttpRequest, side: Side, place: str) -> HttpResponse:
    draft = setup_draft.load(request, side)
    if draft is None or draft.attempt is None:
        return _to_page(request)
    return _conclude(request, place, draft, request.POST.getlist("accept"))


def _again(request: HttpRequest, side: Side, place: str) -> HttpResponse:
    """The stored connection is looked at once more; nothing is saved."""
    try:
        attempt = checks.stored(side)
    except Unopened as error:
        messages.error(request, _(str(error)))
        return _to_page(request)
    if attempt is None:
        return _to_page(request)
    return _begin(request, place, Draft(side, attempt, again=True))


def _equip(request: HttpRequest, side: Side, place: str) -> HttpResponse:
    """Makes our fields and the activity type in Marketo, or takes over what somebody made by hand."""
    done = connecting.equip(who=request.user.get_username())
    if done.trouble:
        messages.error(request, done.trouble)
    elif done.missing:
        messages.warning(request, _("Not everything is there yet; below is what to make by hand."))
    else:
        messages.success(request, _("Our fields and the activity type are there."))
    return _to_page(request)


def _disconnect(request: HttpRequest, side: Side, place: str) -> HttpResponse:
    if request.POST.get("sure") != "yes":
        messages.error(request, _("Nothing was changed: tick the box to disconnect."))
        return _to_page(request)
    try:
        connections.disconnect(side, who=request.user.get_username(), now=htmx.now())
    except connections.NotConnected:
        return _to_page(request)
    setup_draft.forget(request, side)
    messages.success(request, _("Disconnected. Everything that was read and written is kept."))
    return redirect("settings-connections")


def _to_page(request: HttpRequest) -> HttpResponse:
    if htmx.wants_part(request):
        # The address without "?change": what was typed is in the draft.
        return HttpResponse(status=204, headers={"HX-Redirect": request.path})
    return redirect(request.path)


_ACTIONS: dict[str, Callable[[HttpRequest, Side, str], HttpResponse]] = {
    "check": _check,
    "sandbox": _sandbox,
    "next": _next,
    "accept": _accept,
    "again": _again,
    "equip": _equip,
    "disconnect": _disconnect,
}
