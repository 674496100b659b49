"""What init prints: log lines on standard error, how processes ended, and --tree."""
