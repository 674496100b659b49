"""The entry point: argv and the environment in, an exit code out."""

from __future__ import annotations

import os
import sys

from pyinit import exit_codes, supervisor, version
from pyinit.cli import cli
from pyinit.cli.compat import originals
from pyinit.cli.compat.base import Persona
from pyinit.cli.option_table import Option
from pyinit.exit_codes import Failure
from pyinit.options import Options
from pyinit.payload.spawn import Inherited
from pyinit.report.log import Log


def main() -> int:
    """Run init; return its exit code, 0 to 255. Every exception ends here, as one line on standard error."""
    options = Options()
    try:
        inherited = Inherited()
        persona = originals.persona_for(sys.argv[0]) if sys.argv else None
        parse = persona.parse if persona else cli.parse
        text_option = parse(sys.argv[1:], options)
        if text_option:
            return _print(text_option, options, persona)
        return supervisor.run(options, inherited)
    except Failure as failure:
        Log(json=options.json).error(failure.message)
        return failure.code
    except BaseException as error:
        Log(json=options.json).error(f"internal error: {type(error).__name__}: {error}")
        return options.remap.get(exit_codes.INTERNAL, exit_codes.INTERNAL)


def _print(option: Option, options: Options, persona: Persona | None) -> int:
    """Print the text that an option stands for; return the exit code."""
    if option.name == "tree":
        from pyinit.report import tree

        text = tree.tree(os.isatty(1))
    elif option.name == "version":
        text = version.version(bool(options.verbose) and persona is None, as_peer=persona is not None)
    elif option.name == "help" or option.letter == "h":
        text = persona.help_text() if persona else cli.help_text()
    else:
        text = version.licence()
    _write(text.encode("utf-8", "surrogateescape"))
    return 0


def _write(text: bytes) -> None:
    try:
        while text:
            text = text[os.write(1, text) :]
    except BrokenPipeError:
        # `pyinit --help | head`: the reader has closed the pipe.
        return
    except OSError as error:
        raise Failure(f"standard output: {error.strerror}") from None


def command() -> None:
    """Run init as the installed script, and end the process without Python's own clean-up."""
    os._exit(main())


if __name__ == "__main__":
    command()
