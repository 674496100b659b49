"""The payload: starting it, telling why it could not be started, and sharing the terminal with it."""
