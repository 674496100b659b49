"""A program of its own: source texts come in on standard input, their bytecode goes out, both marshalled.

Run in a fresh interpreter without an environment, because marshalled bytecode tells which strings were interned, and
of one-letter strings there is but one in a process: what it did before would show.
"""

from __future__ import annotations

import ast
import marshal
import sys
from types import CodeType


class WithoutAnnotations(ast.NodeTransformer):
    """A module's tree without its types: nothing asks for them at run time, and each function would carry them."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """A parameter."""
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # ast's name
        """A function."""
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:  # ast's name
        """A variable, with or without a value."""
        plain = ast.Assign([node.target], node.value) if node.value else ast.Pass()
        return ast.copy_location(plain, node)


def without_lines(code: CodeType) -> CodeType:
    """The code without its table of lines, and so without those that are in it."""
    constants = [without_lines(each) if isinstance(each, CodeType) else each for each in code.co_consts]
    return code.replace(co_linetable=b"", co_consts=tuple(constants))


def main() -> None:
    """[(text, place, optimize, whether lines are told), ...] to [bytecode, ...]."""
    results = []
    for text, place, optimize, has_lines in marshal.loads(sys.stdin.buffer.read()):
        tree = ast.fix_missing_locations(WithoutAnnotations().visit(ast.parse(text, place)))
        code = compile(tree, place, "exec", dont_inherit=True, optimize=optimize)
        if not has_lines:
            code = without_lines(code)
        # It also tells which objects have a second reference: after a second reading that is always the same.
        results.append(marshal.dumps(marshal.loads(marshal.dumps(code))))
    sys.stdout.buffer.write(marshal.dumps(results))


if __name__ == "__main__":
    main()
