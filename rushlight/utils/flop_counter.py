"""How many multiplications and additions a program makes: those of its matrix products, convolutions and attention."""

import functools
from collections import defaultdict
from math import prod

import rushlight as torch
from rushlight import core
from rushlight._ops import AtenPacket, OpOverloadPacket
from rushlight.core import Tensor, warn_user
from rushlight.utils._pytree import tree_leaves, tree_map
from rushlight.utils.module_tracker import ModuleTracker

__all__ = ["FlopCounterMode", "register_flop_formula"]

aten = torch.ops.aten

flop_registry: dict = {}
"""The formula of each op that is counted: a function of its arguments, with the shapes of tensors in their place, and of `out_val`."""

suffixes = ["", "K", "M", "B", "T"]


def get_shape(i):
    """The shape of a tensor; what is none stays."""
    return i.shape if isinstance(i, Tensor) else i


def shape_wrapper(f):
    """A formula of shapes as one of tensors."""

    @functools.wraps(f)
    def of_tensors(*args, out_val=None, **kwargs):
        args, kwargs, out_shape = tree_map(get_shape, (args, kwargs, out_val))
        return f(*args, out_shape=out_shape, **kwargs)

    return of_tensors


def register_flop_formula(targets, get_raw=False):
    """A decorator: counts calls of the ops `targets` by the function, of their shapes or (with `get_raw`) of the tensors.

    >>> import rushlight as torch
    >>> from rushlight.utils.flop_counter import FlopCounterMode, register_flop_formula
    >>> @register_flop_formula(torch.ops.aten.cdist)
    ... def cdist_flop(x1, x2, *args, out_shape=None, **kwargs):
    ...     return 3 * x1[-1] * x1[-2] * x2[-2]
    >>> with FlopCounterMode(display=False) as counter:
    ...     distances = torch.cdist(torch.ones(4, 2), torch.ones(5, 2))
    >>> counter.get_total_flops()
    120
    """

    def register(formula):
        formula = formula if get_raw else shape_wrapper(formula)
        for target in tree_leaves(targets):
            if not isinstance(target, AtenPacket | OpOverloadPacket):
                raise ValueError(
                    "register_flop_formula(targets): expected each target to be OpOverloadPacket (i.e. torch.ops.mylib.foo), JitFunction, "
                    f"or HigherOrderOperator, got {target} which is of type {type(target)}"
                )
            if target in flop_registry:
                raise RuntimeError(f"duplicate registrations for {target}")
            flop_registry[target] = formula
        return formula

    return register


# ---------------------------------------------------------------------------------------------------------- formulas
def expect(fits, what, *shapes):
    if not fits:
        raise AssertionError(f"{what}, got {' and '.join(str(shape) for shape in shapes)}")


@register_flop_formula(aten.mm)
def mm_flop(a_shape, b_shape, *args, out_shape=None, **kwargs) -> int:
    """Of a product of matrices."""
    (m, k), (k2, n) = a_shape, b_shape
    expect(k == k2, "matmul: inner dimensions must match (k == k2)", k, k2)
    return m * n * 2 * k


@register_flop_formula(aten.addmm)
def addmm_flop(self_shape, a_shape, b_shape, out_shape=None, **kwargs) -> int:
    """Of the product in addmm."""
    return mm_flop(a_shape, b_shape)


@register_flop_formula(aten.bmm)
def bmm_flop(a_shape, b_shape, out_shape=None, **kwargs) -> int:
    """Of a batch of products."""
    (b, m, k), (b2, k2, n) = a_shape, b_shape
    expect(b == b2, "bmm: batch dimensions must match (b == b2)", b, b2)
    expect(k == k2, "bmm: inner dimensions must match (k == k2)", k, k2)
    return b * m * n * 2 * k


@register_flop_formula(aten.baddbmm)
def baddbmm_flop(self_shape, a_shape, b_shape, out_shape=None, **kwargs) -> int:
    """Of the products in baddbmm."""
    return bmm_flop(a_shape, b_shape)


def conv_flop_count(x_shape, w_shape, out_shape, transposed=False) -> int:
    """Of a convolution: the filter is applied at each place of the output (of the input, where it is transposed)."""
    places = (x_shape if transposed else out_shape)[2:]
    return x_shape[0] * prod(places) * prod(w_shape) * 2


@register_flop_formula([aten.convolution, aten._convolution])
def conv_flop(x_shape, w_shape, _bias, _stride, _padding, _dilation, transposed, *args, out_shape=None, **kwargs) -> int:
    """Of a convolution, of any number of dimensions."""
    return conv_flop_count(x_shape, w_shape, out_shape, transposed=transposed)


@register_flop_formula(aten.convolution_backward)
def conv_backward_flop(
    grad_out_shape, x_shape, w_shape, _bias, _stride, _padding, _dilation, transposed, _output_padding, _groups, output_mask, out_shape,
    **kwargs,
) -> int:  # fmt: skip
    """Of the gradients of a convolution: by the input it is a convolution the other way, by the weight one with the other as its filter."""

    def swapped(shape):
        return [shape[1], shape[0], *shape[2:]]

    count = 0
    if output_mask[0]:
        count += conv_flop_count(grad_out_shape, w_shape, out_shape[0], not transposed)
    if output_mask[1]:
        given, filters = (grad_out_shape, x_shape) if transposed else (x_shape, grad_out_shape)
        count += conv_flop_count(swapped(given), swapped(filters), swapped(out_shape[1]))
    return count


def heads_of(query_shape, key_shape, value_shape):
    """(batch and heads, queries, keys, width of queries, width of values), once the shapes are known to fit."""
    b, h, queries, width = query_shape
    b2, h2, keys, width2 = key_shape
    b3, h3, keys2, value_width = value_shape
    fits = b == b2 == b3 and h2 == h3 and width == width2 and keys == keys2
    expect(fits, "sdpa_flop_count: query/key/value shapes are incompatible", query_shape, key_shape, value_shape)
    expect(h >= h2 and h % h2 == 0, "sdpa_flop_count: query heads must be a multiple of key/value heads", h, h2)
    return b * h, queries, keys, width, value_width


def sdpa_flop_count(query_shape, key_shape, value_shape) -> int:
    """Of attention: the scores, and what is made of the values."""
    heads, queries, keys, width, value_width = heads_of(query_shape, key_shape, value_shape)
    return 2 * heads * queries * keys * (width + value_width)


@register_flop_formula(
    [
        aten._scaled_dot_product_efficient_attention,
        aten._scaled_dot_product_flash_attention,
        aten._scaled_dot_product_cudnn_attention,
    ]
)
def sdpa_flop(query_shape, key_shape, value_shape, *args, out_shape=None, **kwargs) -> int:
    """Of attention in one kernel; that of the CPU is not among those that PyTorch counts."""
    return sdpa_flop_count(query_shape, key_shape, value_shape)


def sdpa_backward_flop_count(grad_out_shape, query_shape, key_shape, value_shape) -> int:
    """Of the gradients of attention, which computes the scores anew."""
    heads, queries, keys, width, value_width = heads_of(query_shape, key_shape, value_shape)
    return 2 * heads * queries * keys * (3 * width + 2 * value_width)


@register_flop_formula(
    [
        aten._scaled_dot_product_efficient_attention_backward,
        aten._scaled_dot_product_flash_attention_backward,
        aten._scaled_dot_product_cudnn_attention_backward,
    ]
)
def sdpa_backward_flop(grad_out_shape, query_shape, key_shape, value_shape, *args, out_shape=None, **kwargs) -> int:
    """Of the gradients of attention in one kernel."""
    return sdpa_backward_flop_count(grad_out_shape, query_shape, key_shape, value_shape)


# ---------------------------------------------------------------------------------------------------------- counting
KEYWORD_ONLY = {"addmm": ("beta", "alpha"), "baddbmm": ("beta", "alpha")}

WITHOUT_PRODUCTS = {"MkldnnRnnLayerBackward0", "TrilinearBackward0"}
"""Nodes whose backward PyTorch has one op for, which it does not count: their products here are not counted either."""


def as_pytorch_calls(op, arguments):
    """The arguments of a call as PyTorch's op has them: positional ones and keywords."""
    if op.name == "convolution_backward":
        return (*arguments[:3], None, *arguments[3:]), {}
    names = KEYWORD_ONLY.get(op.name, ())
    count = len(arguments) - len(names)
    return arguments[:count], dict(zip(names, arguments[count:], strict=True))


class _Counter:
    """An interpreter that watches."""

    def __init__(self, counter):
        self.counter, self.within = counter, 0

    def process(self, op, arguments, keywords):
        """One op."""
        result = core.run(op, arguments, keywords)
        if not self.within and keywords.get("mode") != 1:
            self.counter._count(op, result, arguments)
        return result

    def enter_node(self, node):
        """The engine begins to run a node."""
        silent = node.name() in WITHOUT_PRODUCTS
        self.within += silent
        return silent

    def exit_node(self, silent):
        """The node is done."""
        self.within -= silent


class FlopCounterMode:
    """A context that counts multiplications and additions, in all and for each module, forward and backward.

    At its end it prints a table of modules down to `depth` (unless `display` is False). `custom_mapping` has formulas for further
    ops.

    Args:
        mods: Which is not looked at: every module is counted by itself.

    >>> import rushlight as torch
    >>> from rushlight.utils.flop_counter import FlopCounterMode
    >>> with FlopCounterMode() as counter:
    ...     out = torch.nn.Linear(100, 10)(torch.ones(32, 100))
    Module            FLOP    % Total
    -------------  -------  ---------
    Linear         64.000K    100.00%
     - aten.addmm  64.000K    100.00%
    >>> counter.get_total_flops()
    64000
    """

    def __init__(self, mods=None, depth=2, display=True, custom_mapping=None):
        if mods is not None:
            warn_user("mods argument is not needed anymore, you can stop passing it")
        self.flop_counts = defaultdict(lambda: defaultdict(int))
        self.depth, self.display, self.mode = depth, display, None
        custom = {
            op: formula if getattr(formula, "_get_raw", False) else shape_wrapper(formula)
            for op, formula in (custom_mapping or {}).items()
        }
        self.flop_registry = {**flop_registry, **custom}
        self.mod_tracker = ModuleTracker()

    def get_total_flops(self) -> int:
        """All that was counted."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self):
        """The count of each op, for each module by its name and for "Global"."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth=None) -> str:
        """The counts as text, of modules down to `depth` (that of the counter)."""
        depth = self.depth if depth is None else depth
        total = self.get_total_flops()
        suffix = get_suffix_str(total)
        rows, is_all_in_modules = [], False
        for name in sorted(self.flop_counts.keys() - {"Global"}):
            level = name.count(".") + 1
            if depth is None or level <= depth:
                is_all_in_modules |= sum(self.flop_counts[name].values()) >= total
                rows += self._rows(name, level - 1, total, suffix)
        if "Global" in self.flop_counts and not is_all_in_modules:
            rows = self._rows("Global", 0, total, suffix) + [(" " + name, *rest) for name, *rest in rows]
        return _table(("Module", "FLOP", "% Total"), rows or [("Global", "0", "0%")])

    def _rows(self, name, indent, total, suffix):
        counts = self.flop_counts[name]
        named = [(name, sum(counts.values())), *((f" - {op}", count) for op, count in counts.items())]
        return [(" " * indent + title, _shown(count, suffix), convert_to_percent_str(count, total)) for title, count in named]

    def __enter__(self):
        self.flop_counts.clear()
        self.mod_tracker.__enter__()
        self.mode = _Counter(self)
        core.push_interpreter(self.mode)
        return self

    def __exit__(self, *exc):
        core.remove_interpreter(self.mode)
        self.mode = None
        self.mod_tracker.__exit__()
        if self.display:
            print(self.get_table(self.depth))

    def _count(self, op, result, arguments):
        packet = getattr(aten, op.name)
        formula = self.flop_registry.get(packet)
        if formula is not None:
            args, kwargs = as_pytorch_calls(op, arguments)
            count = formula(*args, **kwargs, out_val=result)
            for parent in set(self.mod_tracker.parents):
                self.flop_counts[parent][packet] += count


# ---------------------------------------------------------------------------------------------------------- the table
def get_suffix_str(number) -> str:
    """The unit in which a number has two to four digits before the point."""
    return suffixes[max(0, min(len(suffixes) - 1, (len(str(number)) - 2) // 3))]


def convert_num_with_suffix(number, suffix) -> str:
    """A number in a unit, with three digits behind the point."""
    return f"{number / 1000 ** suffixes.index(suffix):.3f}{suffix}"


def convert_to_percent_str(num, denom) -> str:
    """A share in percent."""
    return f"{num / denom:.2%}" if denom else "0%"


def _shown(number, suffix):
    """A count as the table has it: without a unit it is a plain number there."""
    return convert_num_with_suffix(number, suffix) if suffix else str(number)


def _table(header, rows):
    """Columns, the first to the left, under their titles and a line."""
    widths = [max(len(title) + 2, *map(len, cells)) for title, *cells in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    aligned = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join(line.rstrip() for line in aligned)
