"""Everything `make run` and `make test` start by themselves: PostgreSQL, the broker and our own processes.

Standard library only, so that it can say in one line what is missing; production never comes here.
"""
