"""Task queues: the task that is under way is finished, and the worker is told once."""

from __future__ import annotations

import signal

import pytest

from tests.real.debian import PATIENCE, Container
from tests.real.ways import STARTERS, TERMINATED, WITHIN, options, started

TASKS = """\
import time
from celery import Celery

application = Celery("tasks", broker="filesystem://")
application.conf.broker_transport_options = {"data_folder_in": "/srv/queue", "data_folder_out": "/srv/queue"}
application.conf.worker_redirect_stdouts = False

@application.task
def work():
    print("task begun", flush=True)
    time.sleep(1.5)
    print("task finished", flush=True)
"""
PYTHON = ("python3", "-c")
SEND = "import sys; sys.path.append('/srv'); import tasks; tasks.work.delay()"
WORKER = "python3 -u -m celery --app tasks --workdir /srv worker --concurrency 2 --without-gossip --without-mingle"
WORKER += " --without-heartbeat --loglevel info --pool"
# What is often found in containers: the program is detached, and the payload shows its log.
DETACHED = f"setsid {WORKER} prefork >/srv/log 2>&1 & exec tail -F /srv/log"
ROOT = {"C_FORCE_ROOT": "1", "PYTHONUNBUFFERED": "1"}


def worker(container: Container, *words: str) -> None:
    """Start pyinit with celery below it, and wait until a task is under way."""
    container.add("/srv/tasks.py", TASKS)
    container.add("/srv/queue/.keep", "")
    container.add("/srv/log", "")
    assignments = ["env", *(f"{name}={value}" for name, value in ROOT.items())]
    container.start(*words, around=assignments)
    assert container.client(*PYTHON, SEND).wait(PATIENCE).code == 0
    container.init.expect("task begun", PATIENCE)


def said(container: Container, text: str) -> int:
    """Return how often the worker has said something, on either stream."""
    return (container.init.stdout + container.init.stderr).count(text)


@STARTERS
@pytest.mark.parametrize(
    ("target", "pool"),
    [([], "prefork"), ([], "threads"), (["-g"], "threads"), (["-a"], "threads")],
    ids=["payload-prefork", "payload-threads", "group-threads", "everyone-threads"],
)
def test_celery_finishes_its_task(container: Container, target: list[str], starter: str, pool: str) -> None:
    worker(container, *options(target), *started(starter, f"{WORKER} {pool}"))
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert said(container, "task finished") == 1
    assert said(container, "Warm shutdown") == 1
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN


@STARTERS
@pytest.mark.parametrize("target", [["-g"], ["-a"]], ids=["group", "everyone"])
def test_celery_with_processes_is_told_once_when_the_signal_is_for_its_group_or_everyone(
    container: Container, target: list[str], starter: str
) -> None:
    """Its processes are told as well and may take the task along, for which it waits then; the documents warn of it."""
    worker(container, "-t", "3", "-k", "3", *target, "--", *started(starter, f"{WORKER} prefork"))
    container.stop(signal.SIGTERM)
    _, seconds, _, _ = container.ended()
    assert said(container, "Warm shutdown") == 1
    assert seconds < WITHIN


def test_a_worker_beside_a_payload_that_shows_its_log_finishes_its_task(container: Container) -> None:
    """puckel/docker-airflow #630: the signal ends tail alone, and what is left is asked."""
    worker(container, *options([]), "sh", "-c", DETACHED)
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    log = container.text("/srv/log")
    assert log.count("task finished") == 1
    assert log.count("Warm shutdown") == 1
    assert code == TERMINATED
    assert seconds < WITHIN


def test_pythons_multiprocessing_leaves_no_shared_memory(container: Container) -> None:
    """Its resource tracker is left, and cleans up when it sees the end of its parent."""
    script = (
        "import multiprocessing.shared_memory as memory, time;"
        "segment = memory.SharedMemory(create=True, size=4096);"
        "print('up', flush=True); time.sleep(1000)"
    )
    init = container.start("-v", *options([]), "python3", "-c", script)
    init.expect("up\n", PATIENCE)
    segments = container.client("ls", "/dev/shm").wait(PATIENCE).stdout
    assert segments.startswith("psm_")
    container.stop(signal.SIGTERM)
    code, seconds, _, _ = container.ended()
    assert code == TERMINATED
    assert seconds < WITHIN
