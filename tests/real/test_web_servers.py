"""Web servers and proxies: the answer that is under way at the stop is finished, or cut, as they promise."""

from __future__ import annotations

import os
import signal

import pytest

from tests.real.debian import PATIENCE, Container
from tests.real.ways import GRACE, STARTERS, TARGETS, TERMINATED, WITHIN, options, started
from tests.support import procfs
from tests.support.commands import shell
from tests.support.harness import Init
from tests.support.polling import until

NGINX = """\
load_module modules/ngx_http_echo_module.so;
worker_processes 2;
pid /run/nginx.pid;
error_log stderr notice;
events { }
http {
    access_log off;
    server {
        listen 127.0.0.1:80;
        location / { echo "served"; }
        location /slow { echo "begun"; echo_flush; echo_sleep 1.5; echo "finished"; }
    }
}
"""
FOREGROUND = "nginx -g 'daemon off;'"
# 20 KB a second: 1.5 s and more for this page.
PAGE = "begun\n" + "x" * 40_000 + "\nfinished\n"
APACHE = """\
ServerName localhost
ServerRoot /etc/apache2
Listen 127.0.0.1:80
PidFile /run/apache2.pid
ErrorLog /dev/stderr
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule env_module /usr/lib/apache2/modules/mod_env.so
LoadModule ratelimit_module /usr/lib/apache2/modules/mod_ratelimit.so
DocumentRoot /srv
<Files slow>
    SetOutputFilter RATE_LIMIT
    SetEnv rate-limit 20
</Files>
"""
APACHE_COMMAND = "apache2 -f /etc/apache2/test.conf -D FOREGROUND"
WSGI = """\
import time

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"begun\\n"
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1.5)
    yield b"finished\\n"
"""
# A worker that is still starting would miss its TERM.
WORKER_READY = "worker is ready"
GUNICORN_SETTINGS = f"""\
def post_worker_init(worker):
    worker.log.info("{WORKER_READY}")
"""
GUNICORN = "gunicorn --config /srv/settings.py --chdir /srv --bind 127.0.0.1:80 --workers 2 wsgi:application"
# One worker: a second one that has answered nothing yet may still be starting, and would miss what the master sends.
UWSGI = "uwsgi --plugin python3 --chdir /srv --wsgi-file wsgi.py --http-socket 127.0.0.1:80 --master --workers 1"
HAPROXY = """\
defaults
    mode http
    timeout connect 30s
    timeout client 30s
    timeout server 30s
frontend all
    bind 127.0.0.1:80
    default_backend slow
backend slow
    server only 127.0.0.1:8000
"""
FPM = """\
[global]
error_log = /dev/stderr
process_control_timeout = 20
daemonize = no
[www]
user = www-data
group = www-data
listen = 127.0.0.1:9000
pm = static
pm.max_children = 2
"""
SLOW_PHP = """\
<?php
file_put_contents("/tmp/begun", "begun\\n");
usleep(1500000);
echo "finished\\n";
"""


def get(path: str) -> list[str]:
    """Return the command that fetches a page of the container and fails if it is cut."""
    return ["curl", "--silent", "--show-error", "--fail", "--no-buffer", f"http://127.0.0.1{path}"]


def download(container: Container, path: str = "/slow") -> Init:
    """Begin the download that is under way when the signal comes."""
    client = container.client(*get(path))
    client.expect("begun\n", PATIENCE)
    return client


def finished(client: Init) -> bool:
    """Return True if the download came to its end, False if it was cut."""
    code, output, _ = client.wait(PATIENCE)
    return code == 0 and output.endswith("finished\n")


def nginx(container: Container, *words: str) -> Init:
    """Start pyinit with nginx below it, and begin a download."""
    container.add("/etc/nginx/nginx.conf", NGINX)
    container.start(*words)
    container.answers(*get("/"))
    return download(container)


@STARTERS
@TARGETS
@pytest.mark.parametrize(
    ("number", "rewrite"),
    [(signal.SIGTERM, ["-r", "TERM:QUIT"]), (signal.SIGQUIT, [])],
    ids=["TERM-to-QUIT", "QUIT"],
)
def test_nginx_that_is_told_to_quit_finishes_a_download(
    container: Container, target: list[str], starter: str, number: int, rewrite: list[str]
) -> None:
    client = nginx(container, *options(target, *rewrite), *started(starter, FOREGROUND))
    container.stop(number)
    assert finished(client)
    code, seconds, _, errors = container.ended()
    assert code == (0 if starter == "exec" else 128 + signal.SIGQUIT)
    assert seconds < WITHIN
    # A second QUIT would not matter to nginx; TERM in its place would cut the download.
    assert "SIGTERM" not in errors


@TARGETS
def test_nginx_finishes_a_download_when_the_script_above_it_handles_quit_and_ends_first(
    container: Container, target: list[str]
) -> None:
    script = f"trap 'sleep 0.1; exit 0' QUIT; {FOREGROUND} & wait"
    client = nginx(container, *options(target), *shell(script))
    container.stop(signal.SIGQUIT)
    assert finished(client)
    code, seconds, _, _ = container.ended()
    assert code == 0
    assert seconds < WITHIN


@STARTERS
@TARGETS
def test_nginx_that_is_told_to_terminate_ends_at_once(container: Container, target: list[str], starter: str) -> None:
    client = nginx(container, *options(target), *started(starter, FOREGROUND))
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert not finished(client)
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_nginx_in_the_background_is_waited_for_and_stops_when_asked(container: Container, number: int) -> None:
    """`-W`: the payload has ended with 0 long before."""
    client = nginx(container, "-W", "--", "nginx")
    container.stop(number)
    assert finished(client) == (number == signal.SIGQUIT)
    code, seconds, _, _ = container.ended()
    assert code == 0
    assert seconds < WITHIN


def test_a_daemon_that_is_followed_gets_the_signals_and_gives_the_exit_code(container: Container) -> None:
    client = nginx(container, "--follow=/run/nginx.pid", "--", "nginx")
    container.stop(signal.SIGQUIT)
    assert finished(client)
    assert container.ended().code == 0


def test_the_container_ends_when_a_daemon_that_is_followed_is_killed(container: Container) -> None:
    nginx(container, "--follow=/run/nginx.pid", "--", "nginx")
    assert container.enter("sh", "-c", "kill -KILL $(cat /run/nginx.pid)").wait(PATIENCE).code == 0
    assert container.ended().code == 128 + signal.SIGKILL


def apache(container: Container, *words: str) -> Init:
    """Start pyinit with apache below it, and begin a download."""
    container.add("/etc/apache2/test.conf", APACHE)
    container.add("/srv/slow", PAGE)
    container.add("/srv/page", "served\n")
    container.start(*words)
    container.answers(*get("/page"))
    return download(container)


# Where the shell above apache alone gets WINCH, which it ignores, nothing happens.
@pytest.mark.parametrize(
    ("target", "starter"), [([], "exec"), (["-g"], "exec"), (["-a"], "exec"), (["-g"], "script"), (["-a"], "script")]
)
def test_apache_stops_gracefully_when_winch_is_the_stop_signal(
    container: Container, target: list[str], starter: str
) -> None:
    words = options(target, "--stop-signal", "WINCH", "-k", str(GRACE))
    client = apache(container, *words, *started(starter, APACHE_COMMAND))
    container.stop(signal.SIGWINCH)
    assert finished(client)
    code, seconds, _, errors = container.ended()
    assert code == 0
    assert seconds < WITHIN
    assert errors.count("caught SIGWINCH") == 1


def test_apache_is_killed_when_it_outlives_winch_as_the_stop_signal(container: Container) -> None:
    client = apache(container, *options([], "--stop-signal", "WINCH", "-k", "0.3"), *shell(f"exec {APACHE_COMMAND}"))
    container.stop(signal.SIGWINCH)
    code, seconds, _, _ = container.ended()
    assert code == 128 + signal.SIGKILL
    assert seconds < WITHIN
    client.wait(PATIENCE)


@STARTERS
@TARGETS
def test_apache_that_is_told_to_terminate_ends_at_once(container: Container, target: list[str], starter: str) -> None:
    apache(container, *options(target), *started(starter, APACHE_COMMAND))
    container.stop(signal.SIGTERM)
    code, seconds, _, errors = container.ended()
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN
    assert errors.count("caught SIGTERM") == 1


def test_apache_that_is_told_to_restart_finishes_a_download_and_serves_on(container: Container) -> None:
    client = apache(container, *options([]), *shell(f"exec {APACHE_COMMAND}"))
    container.init.signal(signal.SIGUSR1)
    assert finished(client)
    container.answers(*get("/page"))


def add_application(container: Container) -> None:
    """Write what answers the requests in Python."""
    container.add("/srv/wsgi.py", WSGI)
    container.add("/srv/settings.py", GUNICORN_SETTINGS)


@STARTERS
@TARGETS
def test_gunicorn_answers_the_request_that_is_under_way(container: Container, target: list[str], starter: str) -> None:
    add_application(container)
    init = container.start(*options(target), *started(starter, GUNICORN))
    for _ in range(2):
        init.expect_error(WORKER_READY, PATIENCE)
    client = download(container)
    container.stop(signal.SIGTERM)
    assert finished(client)
    code, seconds, _, errors = container.ended()
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN
    assert errors.count("Handling signal: term") == 1


def test_gunicorn_in_the_background_reloads_without_losing_a_request(container: Container) -> None:
    """`-W`: HUP is for the daemon alone; its workers would die of it."""

    def workers_ready(number: int) -> None:
        until(lambda: container.text("/srv/log").count(WORKER_READY) == number, f"{number} workers", PATIENCE)

    add_application(container)
    container.start("-W", "--", *GUNICORN.split(), "--daemon", "--error-logfile", "/srv/log")
    workers_ready(2)
    client = download(container)
    container.init.signal(signal.SIGHUP)
    assert finished(client)
    workers_ready(4)
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    log = container.text("/srv/log")
    assert code == 0
    assert seconds < WITHIN
    assert log.count("Handling signal: hup") == log.count("Handling signal: term") == 1
    # The master may well send TERM to a worker more than once.
    assert f"terminated due to signal {signal.SIGHUP:d}\n" not in log


@pytest.mark.parametrize("option", ["-W", "--follow"])
def test_gunicorn_that_has_been_upgraded_serves_on_and_stops_when_asked(container: Container, option: str) -> None:
    """The old master, which is the payload, is told to end when the new one works; then that is an orphan."""
    add_application(container)
    init = container.start(*options([], option), *GUNICORN.split())
    for _ in range(2):
        init.expect_error(WORKER_READY, PATIENCE)
    old = init.payload
    init.signal(signal.SIGUSR2)
    for _ in range(2):
        init.expect_error(WORKER_READY, PATIENCE)
    client = download(container)
    os.kill(old, signal.SIGTERM)
    assert finished(client)
    until(lambda: not procfs.alive(old), "the old master's end", PATIENCE)
    client = download(container)
    container.stop(signal.SIGTERM)
    assert finished(client)
    code, seconds, _, _ = container.ended()
    assert code == 0
    assert seconds < WITHIN


def test_uwsgi_stops_when_term_becomes_int(container: Container) -> None:
    """To uwsgi TERM means to reload."""
    add_application(container)
    container.start(*options([], "-r", "TERM:INT"), *UWSGI.split())
    container.answers(*get("/"))
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert code == 0
    assert seconds < WITHIN


def test_uwsgi_behind_a_script_stops_when_term_becomes_int_for_the_group(container: Container) -> None:
    """The shell waits for its child when it gets INT, and dies of it then."""
    add_application(container)
    container.start(*options(["-g"], "-r", "TERM:INT"), *started("script", UWSGI))
    container.answers(*get("/"))
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert code == 128 + signal.SIGINT
    assert seconds < WITHIN


def haproxy(container: Container, *words: str) -> Init:
    """Start pyinit with haproxy below it, a server behind that, and begin a request."""
    container.add("/etc/haproxy/haproxy.cfg", HAPROXY)
    add_application(container)
    container.start(*words, "haproxy", "-W", "-f", "/etc/haproxy/haproxy.cfg")
    container.client(*GUNICORN.replace(":80", ":8000").split())
    container.answers(*get("/"))
    return download(container)


@TARGETS
def test_haproxy_finishes_a_request_when_it_stops_softly(container: Container, target: list[str]) -> None:
    client = haproxy(container, *options(target, "--stop-signal", "USR1"))
    container.stop(signal.SIGUSR1)
    assert finished(client)
    code, seconds, _, _ = container.ended()
    assert code == 0
    assert seconds < WITHIN


def test_haproxy_finishes_a_request_when_it_reloads(container: Container) -> None:
    client = haproxy(container, *options([]))
    container.init.signal(signal.SIGUSR2)
    assert finished(client)
    container.answers(*get("/"))
    container.stop(signal.SIGUSR1)
    code, seconds, _, _ = container.ended()
    assert code == 0
    assert seconds < WITHIN


def php(container: Container, *words: str) -> Init:
    """Start pyinit with php-fpm below it, and begin a request."""
    container.add("/etc/php/8.2/fpm/test.conf", FPM)
    container.add("/srv/quick.php", "<?php echo 'served';")
    container.add("/srv/slow.php", SLOW_PHP)
    container.start(*words)
    container.answers(*fastcgi("quick"))
    client = container.client(*fastcgi("slow"))
    container.says("/tmp/begun", "begun")
    return client


def fastcgi(page: str) -> list[str]:
    """Return the command that asks php-fpm for a page."""
    environment = [f"SCRIPT_FILENAME=/srv/{page}.php", "REQUEST_METHOD=GET"]
    return ["env", *environment, "cgi-fcgi", "-bind", "-connect", "127.0.0.1:9000"]


PHP_COMMAND = "php-fpm8.2 --nodaemonize --fpm-config /etc/php/8.2/fpm/test.conf"


@STARTERS
def test_php_fpm_answers_a_request_when_term_becomes_quit(container: Container, starter: str) -> None:
    client = php(container, *options([], "-r", "TERM:QUIT"), *started(starter, PHP_COMMAND))
    container.stop(signal.SIGTERM)
    assert finished(client)
    code, seconds, _, _ = container.ended()
    assert code == (0 if starter == "exec" else 128 + signal.SIGQUIT)
    assert seconds < WITHIN


def test_php_fpm_answers_a_request_when_it_reloads(container: Container) -> None:
    client = php(container, *options([]), *started("exec", PHP_COMMAND))
    container.init.signal(signal.SIGUSR2)
    assert finished(client)
    container.answers(*fastcgi("quick"))


@STARTERS
@TARGETS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_an_idle_php_fpm_ends_at_once(container: Container, target: list[str], starter: str, number: int) -> None:
    assert finished(php(container, *options(target), *started(starter, PHP_COMMAND)))
    container.stop(number)
    code, seconds, _, _ = container.ended()
    assert code == (0 if starter == "exec" else 128 + number)
    assert seconds < WITHIN
