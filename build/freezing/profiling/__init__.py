"""Traces starts of the frozen file, and writes down which code and memory they use, and which types they ask."""
