"""What starts a program as PID 1 of a PID namespace, and what it finds there."""

from __future__ import annotations

# --kill-child: unshare's end is the end of the namespace. Otherwise its child would outlive it.
NAMESPACE = ("/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
# Besides, for an ordinary user: the user id stays the same in there.
OWN_USER_NAMESPACE = ("--user", "--map-current-user")
# Where a container usually looks for programs.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
