"""Stand-ins for both remote systems, written from their documents and not from our clients."""

from .faults import Cut as Cut
