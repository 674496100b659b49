"""Programs that stop others in order: what they look after is told once, and by them."""

from __future__ import annotations

import signal

import pytest

from tests.real.debian import PATIENCE, Container
from tests.real.ways import STARTERS, TERMINATED, WITHIN, options, started

# Says how often it is told, and takes half a second to end.
SERVICE = """\
#!/bin/bash
trap 'echo told >>/srv/$1' TERM
trap 'echo ended >>/srv/$1' EXIT
echo up >>/srv/$1
until grep -q told /srv/$1; do sleep 0.1; done
sleep 0.5
"""
ONCE = "up\ntold\nended\n"
SUPERVISORD = """\
[supervisord]
nodaemon=true
user=root
logfile=/dev/null
logfile_maxbytes=0
pidfile=/run/supervisord.pid
[program:one]
command=/srv/service one
[program:two]
command=/srv/service two
"""
# Debian's cron takes jobs of a user's file from spool, and @reboot at its start.
CRONTAB = "@reboot root /srv/service one\n"
SSHD = """\
ListenAddress 127.0.0.1
HostKey /srv/key
AuthorizedKeysFile /srv/key.pub
StrictModes no
PidFile none
UsePAM no
"""
NEW_KEY = "rm -f /srv/key* && ssh-keygen -q -t ed25519 -N '' -f /srv/key"
# The command cleans up; its end is seen although nobody reads its output any more.
SESSION = "trap 'sleep 0.3; echo told >>/srv/one; exit' TERM; echo up >>/srv/one; while :; do sleep 0.1; done"
SSH = ("ssh", "-i", "/srv/key", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "127.0.0.1")


# With -g what a script leaves is everyone, and told at once.
TOLD_IN_ORDER = pytest.mark.parametrize(("target", "starter"), [([], "exec"), ([], "script"), (["-g"], "exec")])


@TOLD_IN_ORDER
def test_supervisord_stops_its_programs_which_are_told_once(
    container: Container, target: list[str], starter: str
) -> None:
    container.add("/etc/supervisord.conf", SUPERVISORD)
    container.add("/srv/service", SERVICE, 0o755)
    container.start(*options(target), *started(starter, "supervisord -c /etc/supervisord.conf"))
    for name in ("one", "two"):
        container.says(f"/srv/{name}", "up\n")
    # A TERM in supervisord's first second may be lost between its fork and exec.
    container.init.expect("success: two entered RUNNING state", PATIENCE)
    container.stop(signal.SIGTERM)
    code, seconds, output, _ = container.ended()
    assert [container.text(f"/srv/{name}") for name in ("one", "two")] == [ONCE, ONCE]
    assert [output.count(f"stopped: {name} (exit status 0)") for name in ("one", "two")] == [1, 1]
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN


@STARTERS
def test_supervisord_ends_also_when_everyone_is_told(container: Container, starter: str) -> None:
    container.add("/etc/supervisord.conf", SUPERVISORD)
    container.add("/srv/service", SERVICE, 0o755)
    init = container.start(*options(["-a"]), *started(starter, "supervisord -c /etc/supervisord.conf"))
    init.expect("success: two entered RUNNING state", PATIENCE)
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert [container.text(f"/srv/{name}").count("ended\n") for name in ("one", "two")] == [1, 1]
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN


@STARTERS
def test_the_services_of_runsvdir_are_told_once(container: Container, starter: str) -> None:
    """It ends at TERM and leaves its runsv, which stop their services in order."""
    container.add("/srv/service", SERVICE, 0o755)
    container.add("/srv/services/one/run", "#!/bin/sh\nexec /srv/service one\n", 0o755)
    container.start(*options([]), *started(starter, "runsvdir /srv/services"))
    container.says("/srv/one", "up\n")
    container.stop(signal.SIGTERM)
    _, seconds, _, _ = container.ended()
    assert container.text("/srv/one") == ONCE
    assert seconds < WITHIN


@STARTERS
def test_a_job_of_cron_is_told_once(container: Container, starter: str) -> None:
    container.add("/srv/service", SERVICE, 0o755)
    container.add("/etc/cron.d/job", CRONTAB)
    container.start(*options([]), *started(starter, "cron -f"))
    container.says("/srv/one", "up\n")
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert container.text("/srv/one") == ONCE
    assert code == TERMINATED
    assert seconds < WITHIN


@STARTERS
def test_the_command_of_an_ssh_session_cleans_up_in_its_trap(container: Container, starter: str) -> None:
    """Who is told first is a matter of luck: so several times."""
    container.add("/srv/sshd_config", SSHD)
    container.add("/run/sshd/.keep", "")
    server = "/usr/sbin/sshd -D -e -f /srv/sshd_config"
    before = ""
    for _ in range(3):
        init = container.start(*options([]), "sh", "-c", f"{NEW_KEY} && {started(starter, server)[2]}")
        init.expect_error("Server listening", PATIENCE)
        client = container.client(*SSH, SESSION)
        container.says("/srv/one", f"{before}up\n")
        container.stop(signal.SIGTERM)
        _, seconds, _, _ = container.ended()
        before = container.text("/srv/one")
        assert before.endswith("up\ntold\n")
        assert seconds < WITHIN
        client.wait(PATIENCE)
