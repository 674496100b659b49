"""The frozen file: what it is, what it needs, and what it hands on."""
