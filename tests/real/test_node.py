"""Node: servers that take their handler away after the first signal, and a cluster that disconnects its workers."""

from __future__ import annotations

import signal

import pytest

from tests.real.debian import PATIENCE, Container
from tests.real.ways import STARTERS, TARGETS, TERMINATED, WITHIN, options, started
from tests.support.commands import shell

# A second TERM finds no handler any more, and kills it.
ONCE = """\
process.once("SIGTERM", () => {
    console.log("draining");
    setTimeout(() => { console.log("drained"); process.exit(0); }, 1000);
});
setInterval(() => { }, 1000);
console.log("up");
"""
CLUSTER = """\
const cluster = require("cluster"), http = require("http");
if (cluster.isPrimary) {
    cluster.fork();
    process.on("SIGTERM", () => cluster.disconnect());
} else
    http.createServer((request, response) => {
        response.write("begun\\n");
        setTimeout(() => response.end("finished\\n"), request.url === "/slow" ? 1500 : 0);
    }).listen(80, "127.0.0.1");
"""
GET = ("curl", "--silent", "--fail", "--no-buffer")


@STARTERS
@TARGETS
def test_a_server_that_handles_only_the_first_term_is_given_the_time_to_drain(
    container: Container, target: list[str], starter: str
) -> None:
    container.add("/srv/once.js", ONCE)
    init = container.start(*options(target), *started(starter, "node /srv/once.js"))
    init.expect("up\n", PATIENCE)
    container.stop(signal.SIGTERM)
    code, seconds, output, _ = container.ended()
    assert output == "up\ndraining\ndrained\n"
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN


@TARGETS
def test_it_drains_also_when_the_script_above_it_handles_term_and_ends_first(
    container: Container, target: list[str]
) -> None:
    container.add("/srv/once.js", ONCE)
    script = "trap 'sleep 0.1; exit 5' TERM; node /srv/once.js & wait"
    container.start(*options(target), *shell(script)).expect("up\n", PATIENCE)
    container.stop(signal.SIGTERM)
    code, seconds, output, _ = container.ended()
    assert output == "up\ndraining\ndrained\n"
    assert code == 5
    assert seconds < WITHIN


@pytest.mark.parametrize("starter", ["exec", "script"])
def test_a_cluster_that_disconnects_its_workers_answers_the_request_that_is_under_way(
    container: Container, starter: str
) -> None:
    """Only where the signal is for the first process alone: its workers do not handle TERM."""
    container.add("/srv/cluster.js", CLUSTER)
    container.start(*options([]), *started(starter, "node /srv/cluster.js"))
    container.answers(*GET, "http://127.0.0.1/")
    client = container.client(*GET, "http://127.0.0.1/slow")
    client.expect("begun\n", PATIENCE)
    container.stop(signal.SIGTERM)
    assert client.wait(PATIENCE).stdout == "begun\nfinished\n"
    code, seconds, _, _ = container.ended()
    assert code == (0 if starter == "exec" else TERMINATED)
    assert seconds < WITHIN
