"""Every path the sandbox answers, grouped by what it is about."""

from syncadmin.sandbox.marketo.routing import Route

from . import activities, assets, bulk, custom, imports, leads, lists, members, schema, stats, writes

ROUTES: tuple[Route, ...] = (
    *leads.ROUTES,
    *writes.ROUTES,
    *schema.ROUTES,
    *activities.ROUTES,
    *custom.ROUTES,
    *lists.ROUTES,
    *members.ROUTES,
    *assets.ROUTES,
    *bulk.ROUTES,
    *imports.ROUTES,
    *stats.ROUTES,
)
