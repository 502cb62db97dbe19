"""How fast, how dear, how large: named cases against real PostgreSQL, with figures as JSON."""
