"""Measures pyinit beside the other inits; `make bench` runs compare.py."""
