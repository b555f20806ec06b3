"""Programs made at random from the calls that the laws have samples of.

Every call in tests/laws (torch.f(…), F.f(…), a method of an input) is a template; its inputs x(…), y(…), n(…) and mask(…) are holes. A program is
Python text that runs on either package: a line makes a tensor, fills a template's holes with tensors (those the template asks for, or any that
the program has), or asks for derivatives.
"""

import ast
import copy
import random
from pathlib import Path

import rushlight
from rushlight import core
from rushlight.ops import namespaces, table

LAWS = Path(__file__).parent.parent / "laws"
HOLES = {"x", "y", "n", "mask"}
KNOWN = HOLES | {"torch", "F", "float"}

DTYPES = (
    ("float64",) * 6 + ("float32",) * 4 + ("complex128", "int64", "bool", "float16", "bfloat16", "complex64", "int32", "uint8")
)
SHAPES = ("()", "(3,)", "(2, 3)", "(3, 2)", "(3, 3)", "(1, 3)", "(2, 1)", "(2, 2, 3)", "(0, 3)", "(4,)", "(1,)")
STATES = ("plain",) * 6 + ("transposed", "gapped", "expanded", "leaf", "leaf", "leaf", "result", "view", "stale_view", "part")
WRONG = (
    "None", "True", "0", "1", "-1", "5", "-100", "2**31", "2**63", "0.5", "-1.5", "1e300", "float('nan')", "float('inf')", "1j", "'sum'", "'xyz'",
    "''", "()", "[]", "(1,)", "(0, 1)", "(0, 0)", "[1.5]", "[None]", "{}", "b'x'", "object()", "...", "slice(None)", "torch.float32",
    "torch.int64", "torch.complex64", "torch.device('cpu')", "torch.strided", "torch.channels_last", "range(3)", "lambda: 0", "float", "int",
    "T(1, (), 'int64', 'plain')", "T(2, (2, 3), 'float32', 'plain')", "[T(3, (3,), 'float64', 'leaf')]", "torch.Size([2, 3])", "Index()", "Shrinking([1, 1, 1])",
)  # fmt: skip
FREE_SIGNS = {"svd"}
"""Calls whose first result is determined up to signs (or phases) alone: what programs use of it is its magnitude."""
KEYWORDS = ("dim", "dtype", "keepdim", "out", "input", "other", "generator", "zzz")


def parts_of_samples():
    """Every call in the samples that needs no names but the known ones."""
    for path in sorted(LAWS.glob("*.py")):
        for outer in ast.walk(ast.parse(path.read_text())):
            if isinstance(outer, ast.Lambda):
                for node in ast.walk(outer.body):
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and names_in(node) <= KNOWN:
                        yield node


def names_in(node):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def pointwise():
    """Element-wise functions, which have their samples from their kind."""
    inputs = ("x(2, 3)", "y(3)", "x(2, 1)", "y(2, 3)", "x(1, 3)")
    for space in ("torch", "special"):
        for name, op in namespaces[space].items():
            if type(op) is core.PointwiseOp and table.get(op.name) is op and not name.startswith("_"):
                holes = ", ".join(inputs[: len(op.tensor_parameters)])
                yield ast.parse(f"torch.{'' if space == 'torch' else space + '.'}{name}({holes})", mode="eval").body


def is_hole(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in HOLES


def private(node):
    return any(isinstance(part, ast.Attribute) and part.attr.startswith("_") for part in ast.walk(node))


def templates():
    found = {ast.unparse(node): node for node in (*parts_of_samples(), *pointwise()) if not private(node)}
    return [found[text] for text in sorted(found)]


class Filler(ast.NodeTransformer):
    """Fills the holes of a template, and now and then changes another argument."""

    def __init__(self, program, mutate):
        self.program, self.mutate = program, mutate

    def visit_Call(self, node):
        if is_hole(node):
            return ast.parse(self.program.fill(node), mode="eval").body
        return self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, int) and not isinstance(node.value, bool) and self.program.chance(self.mutate):
            return ast.parse(str(self.program.random.choice((0, 1, -1, 2, -2, node.value + 1))), mode="eval").body
        return node


def is_writable(node):
    """Has the call an in-place form?"""
    return not node.func.attr.endswith("_") and hasattr(rushlight.Tensor, node.func.attr + "_")


class Program:
    """One random program: `lines`, of which each may use the tensors of those before it."""

    def __init__(self, seed, every):
        self.random = random.Random(seed)
        self.every = every
        self.writable = [node for node in every if is_writable(node)]
        self.tensors, self.lines = [], []
        for _ in range(self.random.randint(1, 3)):
            self.assign(self.tensor(self.random.choice(SHAPES)))
        for _ in range(self.random.randint(2, 8)):
            self.random.choices((self.call, self.write, self.index, self.operator), (8, 2, 1, 2))[0]()
        self.random.choice((self.gradients, self.gradients, self.second, self.transformed))()

    def chance(self, probability):
        return self.random.random() < probability

    def assign(self, text):
        name = f"t{len(self.tensors)}"
        self.tensors.append(name)
        self.lines.append(f"{name} = {text}")
        return name

    def any(self):
        return self.random.choice(self.tensors)

    def tensor(self, shape, dtype=None):
        dtype = dtype or self.random.choice(DTYPES)
        return f"T({self.random.randrange(100)}, {shape}, {dtype!r}, {self.random.choice(STATES)!r})"

    def fill(self, hole):
        if self.chance(0.5):
            return self.any()
        if hole.func.id == "n":
            return f"torch.tensor({ast.unparse(ast.List(hole.args, ast.Load()))})"
        sizes = ast.unparse(ast.Tuple(hole.args, ast.Load()))
        dtype = "bool" if hole.func.id == "mask" else "float64" if self.chance(0.6) else None
        return self.tensor(sizes, dtype)

    def filled(self, every=None, mutate=0.1):
        return Filler(self, mutate).visit(copy.deepcopy(self.random.choice(every or self.every)))

    def call(self):
        node = self.filled()
        self.assign(f"first({ast.unparse(node)})" + ".abs()" * (node.func.attr in FREE_SIGNS))

    def write(self):
        """The in-place form of a call on a tensor of the program."""
        node = self.filled(self.writable)
        if isinstance(node.func.value, ast.Name) and node.args:
            node.args.pop(0)
        call = ast.Call(ast.Attribute(ast.Name(self.any()), node.func.attr + "_"), node.args, node.keywords)
        self.lines.append(ast.unparse(call))

    def index(self):
        at = self.random.choice(
            ("0", "-1", "1:", "...", "None", ":, 0", "::2", "[0, 1]", "True", f"{self.any()} > 0", "..., None, 0")
        )
        if self.chance(0.5):
            self.assign(f"{self.any()}[{at}]")
        else:
            self.lines.append(f"{self.any()}[{at}] = {self.random.choice((self.any(), '0.5', '2', '1j'))}")

    def operator(self):
        sign = self.random.choice(("+", "-", "*", "/", "**", "//", "%", "@", "<", "==", "&"))
        left, right = self.any(), self.random.choice((self.any(), "2", "0.5", "-1", "True"))
        if self.chance(0.3) and sign not in "<==":
            self.lines.append(f"{left} {sign}= {right}")
        else:
            self.assign(f"{left} {sign} {right}")

    def scalar(self):
        return f"sum((t.abs() ** 2).sum() for t in ({', '.join(self.tensors)},) if t.requires_grad)"

    def leaves(self):
        return f"[t for t in ({', '.join(self.tensors)},) if t.requires_grad and t.is_leaf]"

    def gradients(self):
        self.lines.append(f"g = torch.autograd.grad({self.scalar()}, {self.leaves()}, allow_unused=True)")

    def second(self):
        self.lines.append(f"g = torch.autograd.grad({self.scalar()}, {self.leaves()}, create_graph=True, allow_unused=True)")
        self.lines.append(
            f"h = torch.autograd.grad(sum((a.abs() ** 2).sum() for a in g if a is not None and a.requires_grad), {self.leaves()}, allow_unused=True)"
        )

    def transformed(self):
        shape, call = self.random.choice(SHAPES[1:6]), self.filled()
        before, self.tensors = self.tensors, ["v"]
        text = ast.unparse(Filler(self, 0).visit(call))
        self.tensors = before
        function = f"lambda v: first({text})" + ".abs()" * (call.func.attr in FREE_SIGNS)
        of = self.tensor(shape, "float64")
        self.lines.append(
            "g = "
            + self.random.choice(
                (
                    f"torch.vmap({function})({of})",
                    f"torch.func.jvp({function}, ({of},), ({of},))",
                    f"torch.func.grad(lambda v: ({function})(v).abs().sum())({of})",
                    f"torch.func.jacrev({function})({of})",
                    f"torch.vmap(torch.func.grad(lambda v: ({function})(v).abs().sum()))({of})",
                )
            )
        )


class WrongCall:
    """One call with an argument of a wrong kind, one too many or too few, or an unknown keyword."""

    def __init__(self, seed, every):
        self.random = random.Random(seed)
        self.tensors = []
        template = copy.deepcopy(self.random.choice(every))
        node = Filler(self, 0).visit(template)
        for _ in range(self.random.choice((1, 1, 2))):
            self.spoil(node)
        self.lines = [f"r = {ast.unparse(node)}"]

    chance, tensor = Program.chance, Program.tensor

    def fill(self, hole):
        if hole.func.id == "n":
            return f"torch.tensor({ast.unparse(ast.List(hole.args, ast.Load()))})"
        return self.tensor(ast.unparse(ast.Tuple(hole.args, ast.Load())), None if self.chance(0.3) else "float64")

    def wrong(self):
        return ast.parse(self.random.choice(WRONG), mode="eval").body

    def spoil(self, node):
        what = self.random.random()
        if what < 0.6 and node.args:
            node.args[self.random.randrange(len(node.args))] = self.wrong()
        elif what < 0.7 and node.args:
            node.args.pop()
        elif what < 0.8:
            node.args.append(self.wrong())
        elif what < 0.9 and node.keywords:
            self.random.choice(node.keywords).value = self.wrong()
        else:
            node.keywords.append(ast.keyword(self.random.choice(KEYWORDS), self.wrong()))
