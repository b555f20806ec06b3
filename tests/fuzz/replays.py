"""Random programs as functions of their tensors: compiled, and called with other values again and again, they give what they give as they are written."""

import ast
import signal
import warnings

import rushlight as torch

from .compare import SECONDS, TooSlow, stop
from .values import names_for

CALLS = 7


class Hoisted(ast.NodeTransformer):
    """Makes every tensor that a program makes for itself an argument."""

    def __init__(self):
        self.made = []

    def visit_Call(self, node):
        self.generic_visit(node)
        if (
            isinstance(node.func, ast.Name)
            and node.func.id == "T"
            and all(isinstance(part, (ast.Constant, ast.Tuple)) for part in node.args)
        ):
            self.made.append(ast.literal_eval(ast.Tuple(node.args, ast.Load())))
            return ast.Name(f"a{len(self.made) - 1}", ast.Load())
        return node


def as_function(lines):
    """The function of a program, and what its arguments are made from: (seed, shape, dtype, state) of each."""
    tree, hoisted = ast.parse("\n".join(lines)), Hoisted()
    body = ast.unparse(hoisted.visit(tree))
    names = sorted(
        {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
    )
    text = f"def program({', '.join(f'a{i}' for i in range(len(hoisted.made)))}):\n"
    text += "".join(f"    {line}\n" for line in body.split("\n")) + f"    return [{', '.join(names)}]\n"
    return text, hoisted.made


def without_errors(lines):
    """The lines of a program that raise nothing."""
    names, kept = names_for(torch), []
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line in lines:
            signal.alarm(SECONDS)
            try:
                exec(line, names)
                kept.append(line)
            except (TooSlow, Exception):
                continue
            finally:
                signal.alarm(0)
    return kept


def outcome(function, arguments):
    """What a call gives, as far as it can be compared."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signal.alarm(SECONDS)
        try:
            given = function(*arguments)
        except TooSlow:
            return "slow"
        except Exception as error:
            return type(error).__name__, str(error)
        finally:
            signal.alarm(0)
    return (
        described(given),
        described([x.grad for x in arguments if x.is_leaf]),
        described(arguments),
        torch.get_rng_state().tolist()[:32],
    )


def described(value):
    if isinstance(value, torch.Tensor):
        elements = repr(value.detach().flatten().tolist()) if value.numel() <= 2000 else ""
        return str(value.dtype), tuple(value.shape), value.stride() if value.numel() else (), value.requires_grad, elements
    if isinstance(value, (tuple, list)):
        return type(value).__name__, *map(described, value)
    return type(value).__name__, repr(value)


def check(lines):
    """Returns how many calls were replayed, and (text, seeds) of the first difference, or None."""
    signal.signal(signal.SIGALRM, stop)
    text, made = as_function(without_errors(lines))
    names = names_for(torch)
    exec(compile(text, "<program>", "exec"), names)
    function, make = names["program"], names["T"]
    compiled = torch.compile(function)
    for call in range(CALLS):

        def arguments(call=call):
            return [make(seed + 1000 * call, *rest) for seed, *rest in made]

        wanted, found = outcome(function, arguments()), outcome(compiled, arguments())
        if wanted != found:
            return compiled.replays, (f"call {call}\n{text}\nwanted {wanted}\nfound {found}", made)
    return compiled.replays, None
