"""Addresses of the field screens; the list is the same component in the wizard and in the settings."""

from __future__ import annotations

from django.urls import URLPattern, path

from syncadmin.web.views import fields, fields_pair, fields_saved


def _of_fields(place: str) -> list[URLPattern]:
    """The same screens in the wizard and in the settings."""
    told = {"place": place}
    return [
        path(f"{place}/fields/", fields.page, told, name=f"{place}-fields"),
        path(f"{place}/fields/edit/", fields.edit, told, name=f"{place}-fields-edit"),
        path(f"{place}/fields/discard/", fields.discard, told, name=f"{place}-fields-discard"),
        path(f"{place}/fields/progress/", fields.progress, told, name=f"{place}-fields-progress"),
        path(f"{place}/fields/marketo/", fields.marketo, told, name=f"{place}-fields-marketo"),
        path(f"{place}/fields/review/", fields_saved.review, told, name=f"{place}-fields-review"),
        path(f"{place}/fields/<str:table>/<str:column>/", fields_pair.pair, told, name=f"{place}-fields-pair"),
        path(f"{place}/fields/<str:table>/<str:column>/look/", fields_pair.look, told, name=f"{place}-fields-look"),
        path(
            f"{place}/fields/<str:table>/<str:column>/samples/",
            fields_pair.samples,
            told,
            name=f"{place}-fields-samples",
        ),
    ]


patterns = [
    path("settings/fields/versions/", fields_saved.versions, name="settings-fields-versions"),
    path("settings/fields/versions/compare/", fields_saved.compare, name="settings-fields-compare"),
    path("settings/fields/versions/<int:version>/", fields_saved.version, name="settings-fields-version"),
    path("settings/fields/versions/<int:version>/return/", fields_saved.return_to, name="settings-fields-return"),
    *_of_fields("setup"),
    *_of_fields("settings"),
]
