"""A program of its own: source texts come in on standard input, their bytecode goes out, both marshalled.

Run in a fresh interpreter without an environment, because marshalled bytecode tells which strings were interned, and
of one-letter strings there is but one in a process: what it did before would show.
"""

from __future__ import annotations

import marshal
import sys


def main() -> None:
    """[(text, place, optimize), ...] to [bytecode, ...]."""
    results = []
    for text, place, optimize in marshal.loads(sys.stdin.buffer.read()):
        code = compile(text, place, "exec", dont_inherit=True, optimize=optimize)
        # It also tells which objects have a second reference: after a second reading that is always the same.
        results.append(marshal.dumps(marshal.loads(marshal.dumps(code))))
    sys.stdout.buffer.write(marshal.dumps(results))


if __name__ == "__main__":
    main()
