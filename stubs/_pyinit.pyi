"""The module that the frozen file has built in: build/boot/native.c; pyinit/unfrozen.py is its twin from source."""

def take_over() -> tuple[int, bool]: ...
def getenv(name: bytes) -> bytes | None: ...
def close_range(first: int) -> None: ...
def fork_exec(
    argv: list[bytes],
    placement: int,
    terminal: int,
    mask: int,
    ignore_chld: bool,
    death_signal: int,
    identity: tuple[int, int, list[int]] | None,
    unset: list[bytes],
    own_pid: list[bytes],
    assign: list[bytes],
) -> tuple[int, int, str]: ...
