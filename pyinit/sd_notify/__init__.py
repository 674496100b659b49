"""The relay for sd_notify(3): the payload's messages, handed on to the service manager in init's name."""
