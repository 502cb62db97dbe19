"""Shows that nothing is lost: random schedules against the real code, checked by an oracle that shares none of it."""
