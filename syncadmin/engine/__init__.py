"""The engine decides. It is pure: values in, decisions out; no clock, no randomness, no Django, no I/O."""
