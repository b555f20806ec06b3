"""Schemas of ops: texts that say what an op takes and returns, made of annotations, and read."""

import inspect
import types
import typing
from collections.abc import Sequence

import rushlight as torch
from rushlight.core import Tensor

SCALARS = {
    Tensor: "Tensor",
    int: "SymInt",
    float: "float",
    bool: "bool",
    str: "str",
    torch.dtype: "ScalarType",
    torch.device: "Device",
}


def _type_text(annotation):
    """An annotation as a schema writes it; None where it cannot."""
    if annotation in SCALARS:
        return SCALARS[annotation]
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        if type(None) in args and len(args) == 2:
            inner = _type_text(next(kind for kind in args if kind is not type(None)))
            return None if inner is None else inner + "?"
        return "Scalar" if set(args) == {int, float, bool} else None
    if origin in (list, Sequence) and args:
        inner = _type_text(args[0])
        return None if inner is None else inner + "[]"
    return None


def infer_schema(prototype_function, /, *, mutates_args, op_name=None) -> str:
    """The schema of a function by its annotations: what its parameters are, which of them it writes to, and what it returns.

    Args:
        prototype_function: The function.
        op_name: A name to put before it.

    >>> import rushlight as torch
    >>> def scaled(x: torch.Tensor, factor: float = 2.0) -> torch.Tensor:
    ...     return x * factor
    >>> torch.library.infer_schema(scaled, mutates_args=())
    '(Tensor x, float factor=2.0) -> Tensor'
    """
    signature = inspect.signature(prototype_function, eval_str=True)
    texts, star, written = [], False, 0

    def refuse(what):
        raise ValueError(f"infer_schema(func): {what}Got func with signature {signature})")

    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            refuse("We do not support positional-only args, varargs, or varkwargs. ")
        if parameter.kind == parameter.KEYWORD_ONLY and not star:
            texts.append("*")
            star = True
        if parameter.annotation is parameter.empty:
            refuse(f"Parameter {name} must have a type annotation. ")
        text = _type_text(parameter.annotation)
        if text is None:
            refuse(f"Parameter {name} has unsupported type {parameter.annotation}. ")
        if (mutates_args == "unknown" and text.startswith("Tensor")) or (mutates_args != "unknown" and name in mutates_args):
            if not text.startswith("Tensor"):
                refuse(f"Parameter {name} is in mutable_args but only Tensors or collections of Tensors can be mutated. ")
            text = text.replace("Tensor", f"Tensor(a{written}!)", 1)
            written += 1
        default = "" if parameter.default is parameter.empty else f"={_default_text(parameter.default)}"
        texts.append(f"{text} {name}{default}")
    if mutates_args != "unknown":
        unknown = set(mutates_args) - set(signature.parameters)
        if unknown:
            refuse(f"{unknown} in mutates_args were not found in the function. ")
    returned = signature.return_annotation
    if returned is signature.empty:
        refuse("No return type annotation was provided. Please add one. ")
    if typing.get_origin(returned) is tuple:
        text = "(" + ", ".join(str(_type_text(kind)) for kind in typing.get_args(returned)) + ")"
    else:
        text = "()" if returned is None else _type_text(returned)
    if text is None or "None" in text:
        refuse(f"Return has unsupported type {returned}. ")
    return f"{op_name or ''}({', '.join(texts)}) -> {text}"


def _default_text(value):
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)


class Schema:
    """A schema that was read: the names of parameters, their types and defaults."""

    def __init__(self, text):
        self.text = text
        head, _, self.returns = text.rpartition("->")
        self.name, _, inside = head.strip().partition("(")
        self.parameters: list[tuple[str, str, bool]] = []
        depth, part, parts = 0, "", []
        for letter in inside.rpartition(")")[0]:
            depth += (letter in "([") - (letter in ")]")
            if letter == "," and depth == 0:
                parts.append(part)
                part = ""
            else:
                part += letter
        for piece in [*parts, part]:
            piece = piece.strip()
            if piece and piece != "*":
                kind, _, rest = piece.rpartition(" ") if "=" not in piece else piece.partition("=")[0].rpartition(" ")
                self.parameters.append((rest, kind, "=" in piece))

    def __str__(self):
        return self.text
