"""What cannot be written to goes with the test that has it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.support import procfs
from tests.support.broken_stderr import FOR_A_WHILE, FOR_EVER, Unwritable


@pytest.mark.parametrize("kind", [*FOR_EVER, *FOR_A_WHILE], ids=lambda kind: kind.__name__)
def test_a_test_that_fails_leaves_no_descriptor_of_a_broken_standard_error(
    kind: Callable[[], AbstractContextManager[Unwritable]],
) -> None:
    before = procfs.descriptors(os.getpid())
    with pytest.raises(ValueError, match="a failure"), kind():
        raise ValueError("a failure")
    assert procfs.descriptors(os.getpid()) == before
