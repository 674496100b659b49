"""Makes dist/pyinit: an interpreter that has already started and imported the program, in one static file."""
