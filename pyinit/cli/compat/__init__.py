"""The command lines of tini, dumb-init and catatonit, for an init that is run under one of their names."""
