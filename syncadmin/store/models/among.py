"""``column = ANY(array)``, for the long lists of ids that a batch is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

# Generic for the type checker alone.
if TYPE_CHECKING:
    _Lookup = models.Lookup[Any]
else:
    _Lookup = models.Lookup


# A foreign key looks only at its own lookups.
@models.ForeignKey.register_lookup
@models.Field.register_lookup
class Among(_Lookup):
    """``filter(link_id__among={1, 2})``: one parameter, however many values there are.

    Django's ``in`` prepares, quotes and sends each value by itself. The values must be of the column's own type; a set
    is taken as it is, while a list would be searched for expressions.
    """

    lookup_name = "among"

    def get_prep_lookup(self) -> list[Any]:
        return list(self.rhs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        # Numbers would be sent as the narrowest type that holds them, and then each row be compared with all of them.
        cast = "::bigint[]" if self.lhs.output_field.db_type(connection) == "bigint" else ""
        return f"{column} = ANY(%s{cast})", (*params, self.rhs)
