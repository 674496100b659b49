"""Other processes, as /proc and the kernel's cgroup files show them, and signals to those found there."""
