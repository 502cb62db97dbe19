"""Addresses of what needs a look: failures, decisions, conflicts; and where they stood before."""

from __future__ import annotations

from django.urls import path

from syncadmin.web.views import catalogue, conflicts, decisions, failures, to_do

patterns = [
    path("failures/", failures.failures, name="failures"),
    path("failures/records/", failures.records, name="failure-records"),
    path("failures/causes/", catalogue.causes, name="failure-causes"),
    path("failures/act/", failures.act, name="failure-act"),
    path("failures/<int:pk>/fix/", failures.fix, name="failure-fix"),
    path("decisions/", decisions.decisions, name="decisions"),
    path("decisions/together/", decisions.together, name="decision-together"),
    path("decisions/back/", decisions.back, name="decision-back"),
    path("decisions/<int:pk>/", decisions.decision, name="decision"),
    path("conflicts/", conflicts.conflicts, name="conflicts"),
    path("conflicts/use/", conflicts.use, name="conflict-use"),
    path("conflicts/<int:pk>/", conflicts.conflict, name="conflict"),
    path("conflicts/<int:pk>/rule/", conflicts.rule, name="conflict-rule"),
    path("to-do/", to_do.to_do, name="to-do"),
    path("to-do/failures/<slug:code>/", to_do.cause, name="to-do-cause"),
    path("to-do/decisions/<int:pk>/", decisions.moved, name="to-do-decision"),
]
