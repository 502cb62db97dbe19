"""Addresses, grouped by the thing they hang on."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

from syncadmin.web import admin_urls, field_urls, matter_urls, preview_urls, setup_urls
from syncadmin.web.access import open_to_all
from syncadmin.web.views import (
    health,
    overview,
    people,
    person,
    runs,
    sign_in,
    users,
    webhook,
    you,
)

session = [
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-in/<str:token>", sign_in.by_link, name="sign-in-link"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("you/", you.you, name="you"),
    path("you/zone/", you.zone, name="you-zone"),
    path("you/password/", you.password, name="you-password"),
    path("language/", open_to_all(set_language), name="set_language"),
    path("healthz", health.healthz, name="healthz"),
]

loop = [
    path("", overview.overview, name="overview"),
    path("pause/", overview.pause, name="pause"),
    path("resume/", overview.resume, name="resume"),
]

persons = [
    path("people/", people.people, name="people"),
    path("people/export.csv", people.people_csv, name="people-csv"),
    path("people/<int:link>/", person.person, name="person"),
    path("people/dynamics/<uuid:guid>/", person.dynamics_record, name="person-in-dynamics"),
    path("people/marketo/<int:number>/", person.marketo_person, name="person-in-marketo"),
    *(
        path(f"people/{which}/history.{form}", person.history_file, {"form": form}, name=f"history-{form}")
        for which in ("<int:link>", "dynamics/<uuid:guid>", "marketo/<int:number>")
        for form in ("csv", "json")
    ),
]

passes = [
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:pk>/", runs.run, name="run"),
]

accounts = [
    path("settings/users/", users.users, name="settings-users"),
    path("settings/users/invite/", users.invite, name="settings-users-invite"),
    path("settings/users/<int:pk>/role/", users.role, name="settings-users-role"),
    path("settings/users/<int:pk>/link/", users.link, name="settings-users-link"),
    path("settings/users/<int:pk>/close/", users.close, name="settings-users-close"),
    path("settings/users/<int:pk>/reopen/", users.reopen, name="settings-users-reopen"),
]

hooks = [
    path("hooks/marketo/sync-person", webhook.sync_person_hook, name="sync-person-hook"),
]

urlpatterns = [
    path("", include(session)),
    path("", include(loop)),
    path("", include(persons)),
    path("", include(matter_urls.patterns)),
    path("", include(passes)),
    path("", include(setup_urls.patterns)),
    path("", include(preview_urls.patterns)),
    path("", include(accounts)),
    path("", include(admin_urls)),
    path("", include(field_urls.patterns)),
    path("", include(hooks)),
]
