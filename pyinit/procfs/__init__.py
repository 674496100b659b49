"""Other processes: what /proc and the cgroup files show about them, and signals to those found there."""
