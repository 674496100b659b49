"""Real programs under pyinit, stopped with work under way; `make real` runs them, `make test` does not.

They run in a Debian of their own, which has no environment for pyinit's sources: the frozen file alone is tested.
"""
