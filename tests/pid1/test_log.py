"""What init says, as text and as JSON; standard output stays the payload's."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.commands import ENVIRONMENT, payload, shell
from tests.support.types import Start


def test_with_v_init_logs_what_happens_on_standard_error(start: Start, place: str) -> None:
    """tini's INFO goes to standard output, into what the payload's readers get."""
    outcome = start("-v", *shell("echo output; exit 3"), place=place).wait()
    assert (outcome.code, outcome.stdout) == (3, "output\n")
    said = r"pyinit: payload (\d+) started: /bin/sh\npyinit: payload \1 ended: exit code 3\n"
    assert re.fullmatch(said, outcome.stderr)


def test_with_vv_init_logs_every_signal(start: Start) -> None:
    init = start("-vv", "--", *payload("receive"))
    init.expect("got is ready\n")
    init.signal(37)
    init.expect("got 37 ")
    init.expect_error("RTMIN+3")


def test_with_vv_init_logs_what_a_signal_becomes(start: Start) -> None:
    init = start("-vv", "-r", "RTMIN+3:TERM", "-r", "HUP:0", "--", *payload("receive"))
    init.expect("got is ready\n")
    for number, lines in ((37, "RTMIN+3 becomes TERM\npyinit: TERM is forwarded\n"), (1, "HUP is dropped\n")):
        init.signal(number)
        init.expect_error(f"pyinit: {lines}")


def test_without_options_init_logs_nothing(start: Start, place: str) -> None:
    assert start(*shell("( true & ); kill -TERM $$"), place=place).wait() == (143, "", "")


def test_with_log_format_json_each_line_is_one_object(start: Start) -> None:
    begun = time.time()
    script = "(sh -c 'exit 4' &); trap : USR1; read line; exit 3"
    init = start("-vvw", "--log-format", "json", *shell(script), stdin=subprocess.PIPE)
    init.expect_error("exit code 4")
    init.signal(signal.SIGUSR1)
    init.expect_error("USR1 is forwarded")
    init.end_input()
    outcome = init.wait()
    found = [json.loads(line) for line in outcome.stderr.splitlines()]
    # It is written in thousandths.
    assert all(begun - 0.001 <= each["time"] <= time.time() + 0.001 for each in found)

    def fields(text: str) -> tuple[object, ...]:
        (each,) = [each for each in found if text in each["message"]]
        return tuple(each.get(name) for name in ("level", "code", "signal"))

    assert fields("started: /bin/sh") == ("info", None, None)
    assert fields("reaped") == ("warning", 4, None)
    assert fields("USR1 is forwarded") == ("debug", None, "USR1")
    assert fields("ended: exit code 3") == ("info", 3, None)
    assert outcome.code == 3


def test_with_log_format_json_errors_are_json_as_well(start: Start) -> None:
    outcome = start("--log-format=json", '/no/"such\\\n\xff').wait()
    assert outcome.code == 127
    said = json.loads(outcome.stderr)
    assert '/no/"such' in said["message"]
    assert (said["level"], said["code"]) == ("error", 127)


@pytest.mark.parametrize("kind", ["source"], indirect=True)
def test_an_internal_error_keeps_to_the_log_format_and_the_remapping(start: Start, tmp_path: Path) -> None:
    (tmp_path / "prctl.py").write_text(
        "def set_name(_):\n    pass\n\ndef set_child_subreaper(_):\n    raise ValueError('odd')\n"
    )
    environment = {**ENVIRONMENT, "PYTHONPATH": str(tmp_path)}
    outcome = start("--log-format=json", "-e", "125:9", "true", place="subreaper", environment=environment).wait()
    assert outcome.code == 9
    assert json.loads(outcome.stderr)["message"] == "internal error: ValueError: odd"


def test_with_log_format_json_lines_are_utf_8_whatever_the_names_are(start: Start) -> None:
    outcome = start("--log-format=json", b"/no/\xff\xfe").wait()
    assert os.fsencode(outcome.stderr).decode("utf-8")
    assert "/no/" in json.loads(outcome.stderr)["message"]
