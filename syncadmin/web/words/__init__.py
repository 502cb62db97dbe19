"""The sentences of the screens, one module for each thing they speak of. Words only: no queries, no requests."""
