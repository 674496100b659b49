"""Databases: what was written is there at the next start, which has nothing to recover."""

from __future__ import annotations

import signal
from collections.abc import Sequence

import pytest

from tests.real.debian import PATIENCE, Container
from tests.real.ways import STARTERS, TARGETS, TERMINATED, WITHIN, options, started
from tests.support.harness import Init
from tests.support.polling import until
from tests.support.procfs import children

SERVER = (
    "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c listen_addresses="
    " -c config_file=/etc/postgresql/15/main/postgresql.conf -c ssl=off -c fsync=off"
)
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
ACTIVE = "select count(*) from pg_stat_activity where query like 'select pg_sleep%'"
RECOVERY = "was not properly shut down"
# Each key takes 1.5 ms to save.
REDIS = "redis-server --port 6379 --dir /var/lib/redis --save '3600 1' --rdb-key-save-delay 1500"
REDIS += " --enable-debug-command yes"
KEYS = 1000


def psql(query: str) -> list[str]:
    """Return the command that asks postgres."""
    return [*AS_POSTGRES, "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", query]


def postgres(container: Container, words: Sequence[str], starter: str = "exec") -> Init:
    """Start pyinit with postgres below it, and wait until it answers."""
    init = container.start("-u", "postgres", *words, *started(starter, SERVER))
    container.answers(*psql("select 1"))
    return init


def busy(container: Container) -> Init:
    """Begin a query of 1.5 s, and wait until it is under way."""
    client = container.client(*psql("select pg_sleep(1.5), 'finished'"))
    until(lambda: container.answers(*psql(ACTIVE)) == "1\n", "the query under way", PATIENCE)
    return client


def next_start(container: Container) -> str:
    """Start postgres once more; return what it logs of that."""
    init = postgres(container, ["-r", "TERM:INT", "--"])
    log = init.expect_error("is ready to accept connections", PATIENCE)
    container.stop(signal.SIGTERM)
    assert container.ended().code == 0
    return log


@STARTERS
@TARGETS
def test_postgres_shuts_down_cleanly_at_term(container: Container, target: list[str], starter: str) -> None:
    """TERM is its smart shutdown, which lets clients finish; where everyone gets TERM, their servers end by it.

    Those are in groups of their own: with -g they are asked when a script that was above postgres has ended.
    """
    postgres(container, options(target), starter)
    client = busy(container)
    container.stop(signal.SIGTERM)
    code, seconds, _, errors = container.ended()
    if not target or (target == ["-g"] and starter == "exec"):
        assert "finished" in client.wait(PATIENCE).stdout
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN
    assert errors.count("received smart shutdown request") == 1
    assert errors.count("database system is shut down") == 1
    assert RECOVERY not in next_start(container)


# A shell that gets INT alone waits for its child.
@pytest.mark.parametrize(
    ("target", "starter"), [([], "exec"), (["-g"], "exec"), (["-a"], "exec"), (["-g"], "script"), (["-a"], "script")]
)
def test_postgres_shuts_down_fast_when_term_becomes_int(container: Container, target: list[str], starter: str) -> None:
    postgres(container, options(target, "-r", "TERM:INT"), starter)
    client = container.client(*psql("select pg_sleep(100)"))
    until(lambda: container.answers(*psql(ACTIVE)) == "1\n", "the query under way", PATIENCE)
    container.stop(signal.SIGTERM)
    code, seconds, _, errors = container.ended()
    assert client.wait(PATIENCE).code != 0
    assert code == (0 if starter == "exec" else 128 + signal.SIGINT)
    assert seconds < WITHIN
    assert errors.count("database system is shut down") == 1
    assert RECOVERY not in next_start(container)


def test_postgres_shuts_down_at_once_at_quit_and_has_something_to_recover(container: Container) -> None:
    """The counterpart: so a start after an unclean end looks."""
    postgres(container, options([]))
    busy(container)
    container.stop(signal.SIGQUIT)
    _, seconds, _, errors = container.ended()
    assert seconds < WITHIN
    assert errors.count("received immediate shutdown request") == 1
    assert RECOVERY in next_start(container)


def test_postgres_that_has_gone_to_the_background_is_followed_by_its_pid_file(container: Container) -> None:
    words = ["-v", "--follow=/run/postgresql/15-main.pid", "--", "pg_ctlcluster", "15", "main", "start"]
    # Before that, a stop is for pg_ctlcluster.
    container.start(*words).expect_error("following ", PATIENCE)
    container.answers(*psql("select 1"))
    client = busy(container)
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert "finished" in client.wait(PATIENCE).stdout
    assert code == 0
    assert seconds < WITHIN
    log = container.text("/var/log/postgresql/postgresql-15-main.log")
    assert log.count("database system is shut down") == 1


@pytest.mark.parametrize("words", [["-W"], ["-W", "-g"], ["-W", "-t", "20"]], ids=" ".join)
def test_postgres_behind_a_script_that_is_waited_for_is_told_to_stop(container: Container, words: list[str]) -> None:
    """`-W`: TERM ends the script, which passes nothing on."""
    postgres(container, [*words, "--"], "script")
    container.stop(signal.SIGTERM)
    code, seconds, _, errors = container.ended()
    assert code == TERMINATED
    assert seconds < WITHIN
    assert errors.count("database system is shut down") == 1


def test_an_orphan_of_a_health_check_is_no_crash_to_postgres(container: Container) -> None:
    """As PID 1 postgres takes an orphan for a process of its own that crashed (docker-library/postgres #1349)."""
    init = postgres(container, options([]))
    orphan = "(read -r _ </srv/fifo; exit 2) & exit 0"
    container.client("mkfifo", "/srv/fifo").wait(PATIENCE)
    assert container.enter("sh", "-c", orphan).wait(PATIENCE).code == 0
    until(lambda: len(children(init.pid)) == 2, "the orphan", PATIENCE)
    assert container.client("sh", "-c", "echo >/srv/fifo").wait(PATIENCE).code == 0
    until(lambda: len(children(init.pid)) == 1, "the orphan's end", PATIENCE)
    container.answers(*psql("select 1"))
    container.stop(signal.SIGTERM)
    code, _, _, errors = container.ended()
    assert code == 0
    assert "terminating any other active server processes" not in errors


@STARTERS
@TARGETS
def test_redis_keeps_what_was_written_when_a_save_is_under_way(
    container: Container, target: list[str], starter: str
) -> None:
    container.start(*options(target), *started(starter, REDIS))
    container.answers("redis-cli", "ping")
    written = container.answers("redis-cli", "debug", "populate", str(KEYS))
    assert written == "OK\n"
    container.answers("redis-cli", "set", "last", "one")
    assert "started" in container.answers("redis-cli", "bgsave")
    container.stop(signal.SIGTERM)
    code, seconds, output, _ = container.ended()
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN
    # The child that saves is told as well with -g and -a, and logs that itself: it has a log line of its own.
    assert output.count("User requested shutdown") == 1
    assert output.count("Redis is now ready to exit") == 1
    container.start("--", *started("exec", REDIS))
    container.answers("redis-cli", "ping")
    assert container.answers("redis-cli", "dbsize") == f"{KEYS + 1}\n"


def test_redis_in_the_background_saves_when_it_is_stopped(container: Container) -> None:
    container.start("-W", "--", *started("exec", f"{REDIS} --daemonize yes --logfile /var/log/redis.log"))
    container.answers("redis-cli", "ping")
    container.answers("redis-cli", "set", "last", "one")
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert code == 0
    assert seconds < WITHIN
    assert container.text("/var/log/redis.log").count("Redis is now ready to exit") == 1
