"""Output: log lines on standard error, reports of exited processes, and --tree."""
