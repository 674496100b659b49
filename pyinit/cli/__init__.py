"""The command line, PYINIT_OPTIONS and the texts of --help: arguments in, one `Options` value out."""
