"""The command line, PYINIT_OPTIONS and the texts of --help: words in, one `Options` value out."""
