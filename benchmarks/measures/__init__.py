"""One file for each thing that is measured; each has a function that returns a table."""
