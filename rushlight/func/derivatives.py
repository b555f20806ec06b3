"""Derivatives of functions as functions: grad, vjp, jvp, linearize.

Reverse mode needs no level of its own: the inputs become aliases that require grad, the function is recorded from there as any program is,
and backward gives the derivative. Where nothing outside can ask for it, the derivative itself is not recorded.
"""

import rushlight as torch
from rushlight import core
from rushlight.autograd.forward_ad import dual_at
from rushlight.func._wraps import wraps
from rushlight.ops.shape import alias
from rushlight.utils._pytree import tree_flatten, tree_map, tree_structure, tree_unflatten

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["grad", "grad_and_value", "jvp", "linearize", "vjp"]


# ---- arguments -----------------------------------------------------------------------------------------------------------
def check_argnum(argnum, count):
    """A place among `count` positional arguments, from the start."""
    if not isinstance(argnum, int):
        raise RuntimeError(f"argnum must be int, got: {type(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def places_of(argnums, count):
    """`argnums` as places from the start: an int, or a tuple of them."""
    if isinstance(argnums, int):
        return check_argnum(argnums, count)
    if not isinstance(argnums, tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if not argnums:
        raise RuntimeError("argnums must be non-empty")
    places = tuple([check_argnum(argnum, count) for argnum in argnums])
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {places}")
    return places


def chosen(args, places):
    """The arguments at `places`: one, or a tuple of them."""
    return args[places] if isinstance(places, int) else tuple([args[place] for place in places])


def replaced(args, places, new):
    """`args` as the transform's own, with `new` at `places`."""
    given = {places: new} if isinstance(places, int) else dict(zip(places, new, strict=True))
    return [given[place] if place in given else core.held(value) for place, value in enumerate(args)]


def flattened(tree):
    """The leaves of a tree, and the function that makes a tree like it of others. A tensor, and a tuple of them, take a short way."""
    if isinstance(tree, torch.Tensor):
        return [tree], first
    if type(tree) is tuple:
        for item in tree:
            if not isinstance(item, torch.Tensor):
                break
        else:
            return list(tree), tuple
    if type(tree) is dict and all(isinstance(item, torch.Tensor) for item in tree.values()):
        keys = list(tree)
        return list(tree.values()), lambda leaves: dict(zip(keys, leaves, strict=True))
    leaves, spec = tree_flatten(tree)
    return leaves, spec.unflatten


def first(leaves):
    return leaves[0]


def read_argument(tree, outer):
    """A tree of inputs as tensors to differentiate by: (tree, list of them, function that makes such a tree)."""
    flat, rebuild = flattened(tree)
    for value in flat:
        if not isinstance(value, torch.Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(value)}")
    inputs = [core.derivative_input(value, outer) for value in flat]
    return rebuild(inputs), inputs, rebuild


def outside(value, level, inputs, outer, keep=False, leaves=None, step=-1):
    """A result as the caller sees it: with the graph that leads outside of the function, if there is one.

    With `keep`, backward through that graph leaves it usable for this function too. `leaves` are outside whatever their depth. `step` is 0
    where the function has been left already.
    """
    value = core.as_seen(value)
    if not (outer and core.reaches_outside((value,), inputs, keep, leaves)):
        value = core.without_graph(value, level)
    return core.left(value, step)


def auxiliary(tree, seen):
    """What a function returns beside its result, each tensor as `seen` gives it."""

    def checked(value):
        if not isinstance(value, torch.Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(value)}")
        return seen(value)

    return tree_map(checked, tree)


def result_and_aux(result, where):
    """The two halves of what a function with `has_aux` returns."""
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(f"{where}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return result


def gradients(outputs, inputs, cotangents, level, outer, retain_graph, own=(), step=0):
    """Cotangents pulled back through a recorded function, zeros where it does not depend on an input.

    `own` are leaves beside `inputs` that nobody outside can differentiate by; `step` is -1 where the function is about to be left.
    """
    own = [*inputs, *own]
    starts, seeds = [], []
    for y, g in zip(outputs, cotangents, strict=True):
        if y.requires_grad:
            starts.append(y)
            seeds.append(torch.ones_like(y) if g is None else g)
    if not starts:
        return [torch.zeros_like(x) for x in inputs]
    # What cotangents depend on is outside, though it may stand as deep in transforms as the function did.
    leaves = core.leaves_of(seeds) if outer else []
    create_graph = outer and (bool(leaves) or core.reaches_outside(starts, own))
    retain_graph = create_graph if retain_graph is None else retain_graph
    found = core.run_backward(tuple(starts), seeds, retain_graph, create_graph, inputs, True, False)
    found = [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]
    return [outside(g, level, own, True, False, leaves, step) for g in found] if create_graph else found


# ---- reverse mode --------------------------------------------------------------------------------------------------------
def grad(func, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> "Callable[..., Any]":
    """A function that gives the gradient of `func`, a function with one number as its result.

    `argnums` says by which positional argument (an int, or a tuple of them) to differentiate; these may be trees of tensors. With
    `has_aux`, `func` returns (result, anything else), and so does the gradient.

    >>> import rushlight as torch
    >>> from rushlight.func import grad
    >>> grad(lambda x: x ** 3)(torch.tensor(2.))
    tensor(12.)
    >>> grad(grad(lambda x: x ** 3))(torch.tensor(2.))
    tensor(12.)
    """

    @wraps(func)
    def wrapper(*args, **kwargs):
        found, result = gradient_and_value(func, argnums, has_aux, args, kwargs)
        return (found, result[1]) if has_aux else found

    return wrapper


def grad_and_value(func, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> "Callable[..., Any]":
    """A function that gives (gradient, result) of `func`; see `grad`.

    >>> import rushlight as torch
    >>> torch.func.grad_and_value(lambda x: x ** 2)(torch.tensor(3.))
    (tensor(6.), tensor(9.))
    """

    @wraps(func)
    def wrapper(*args, **kwargs):
        return gradient_and_value(func, argnums, has_aux, args, kwargs)

    return wrapper


def gradient_and_value(func, argnums, has_aux, args, kwargs):
    """What `grad_and_value` gives."""
    places = places_of(argnums, len(args))
    with core.differentiated() as (outer, level):
        tree, inputs, rebuild = read_argument(chosen(args, places), outer)
        result = func(*replaced(args, places, tree), **core.held(kwargs))
        if has_aux:
            result, aux = result_and_aux(result, "grad_and_value(f)(*args)")
        check_scalar(result)
        result = core.as_seen(result)
        # What comes beside the result may lead to the same graph later.
        found = rebuild(core.left(gradients([result], inputs, [None], level, outer, has_aux or None, step=-1), -1))
        value = outside(result, level, inputs, outer)
        if has_aux:
            return found, (value, auxiliary(aux, lambda y: outside(y, level, inputs, outer)))
        return found, value


def check_scalar(result):
    """Refuses results of which there is no gradient."""
    where = "grad_and_value(f)(*args): Expected f(*args) to return a"
    if not isinstance(result, torch.Tensor):
        raise RuntimeError(f"{where} Tensor, got {type(result)}")
    if result.ndim:
        raise RuntimeError(
            f"{where} scalar Tensor, got tensor with {result.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
        )
    if result.requires_grad and not result.is_floating_point():
        raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {result.dtype}")


def vjp(func, *primals, has_aux: bool = False) -> "tuple[Any, ...]":
    """(result of `func` at `primals`, a function from cotangents of the result to those of the arguments).

    Args:
        func: A function of tensors.
        primals: Its arguments.
        has_aux: Whether `func` returns a pair, whose second part is handed on as a third result.

    >>> import rushlight as torch
    >>> result, pull = torch.func.vjp(torch.sin, torch.zeros(2))
    >>> pull(torch.ones(2))
    (tensor([1., 1.]),)
    """
    value, pull, aux = pullback(func, primals, None, has_aux)
    return (value, pull, aux) if has_aux else (value, pull)


def pullback(func, args, argnums, has_aux):
    """(result, function from cotangents to cotangents, auxiliary result), by all arguments or those at `argnums`."""
    places = None if argnums is None else places_of(argnums, len(args))
    with core.differentiated() as (outer, level):
        tree, inputs, rebuild = read_argument(args if places is None else chosen(args, places), True)
        result = func(*(tree if places is None else replaced(args, places, tree)))
        aux = None
        if has_aux:
            result, aux = result_and_aux(result, "vjp(f, *primals)")
            aux = auxiliary(aux, lambda y: outside(y, level, inputs, outer))
        outputs, rebuild_result = flattened(result)
        check_results(outputs, "vjp(f, *primals)")
        outputs = [core.as_seen(y) for y in outputs]
        for output in outputs:
            if not (output.is_floating_point() or output.is_complex()):
                raise RuntimeError(
                    f"vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype {output.dtype}"
                )
        value = rebuild_result([outside(y, level, inputs, outer, True) for y in outputs])

    def wrapper(cotangents, retain_graph=True, create_graph=None):
        flat, alike = flattened(cotangents)
        if alike is not rebuild_result or alike is tuple:
            given, wanted = tree_structure(cotangents), tree_structure(value)
            if given != wanted:
                raise RuntimeError(
                    f"Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. cotangents: "
                    f"{short(given)}, primal output: {short(wanted)}"
                )
        check_cotangents(outputs, flat)
        records = torch.is_grad_enabled() if create_graph is None else create_graph
        return rebuild(gradients(outputs, inputs, flat, level, records, retain_graph))

    return value, wrapper, aux


def short(spec):
    """A structure as errors of vjp show it: only containers and leaves."""
    if spec.is_leaf():
        return "*"
    inner = ", ".join([short(child) for child in spec.children()])
    if spec.type is tuple:
        return f"({inner},)" if spec.num_children == 1 else f"({inner})"
    if spec.type is list:
        return f"[{inner}]"
    if spec.type is dict:
        return "{" + ", ".join([f"{key!r}: {short(child)}" for key, child in zip(spec.context, spec.children())]) + "}"
    return str(spec)


def check_results(outputs, where):
    """Refuses results that are no tensors, and none at all."""
    if not outputs or (len(outputs) == 1 and outputs[0] is None):
        raise RuntimeError(f"{where}: Expected f to be a function that has non-empty output (got output = {outputs})")
    for output in outputs:
        if not isinstance(output, torch.Tensor):
            raise RuntimeError(f"{where}: expected f(*primals) to return only tensors, got unsupported type {type(output)}")


def check_cotangents(outputs, cotangents):
    """Refuses cotangents that do not fit the results."""
    for place, (y, g) in enumerate(zip(outputs, cotangents, strict=True)):
        if g is None:
            if y.numel() != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
        elif not isinstance(g, torch.Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g.shape != y.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{place}] has a shape of {g.shape} and output[{place}] has a shape of {y.shape}."
            )
        elif y.is_complex() is not g.is_complex():
            raise RuntimeError(
                "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
                f"grad_output[{place}] has a dtype of {g.dtype} and output[{place}] has a dtype of {y.dtype}."
            )


# ---- forward mode --------------------------------------------------------------------------------------------------------
def jvp(func, primals, tangents, *, strict=False, has_aux: bool = False) -> "tuple[Any, ...]":
    """(result of `func` at `primals`, derivative of the result in the direction `tangents`); both are tuples of arguments.

    Args:
        func: A function of tensors.
        strict: Whether a result that does not depend on the arguments is an error rather than one with a derivative of zeros.
        has_aux: Whether `func` returns a pair, whose second part is handed on as a third result.

    >>> import rushlight as torch
    >>> torch.func.jvp(torch.sin, (torch.zeros(2),), (torch.tensor([1.0, 2.0]),))
    (tensor([0., 0.]), tensor([1., 2.]))
    """
    where = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{where}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
    flat, rebuild = flattened(primals)
    moves, alike = flattened(tangents)
    if alike is not tuple or rebuild is not tuple or len(flat) != len(moves):
        spec, given = tree_structure(primals), tree_structure(tangents)
        if spec != given:
            raise RuntimeError(
                f"{where}: Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 "
                f"tensors, tangents also must be. Got primals with structure {spec} and tangents with structure {given}"
            )
    for name, values in (("primal", flat), ("tangent", moves)):
        for value in values:
            if not isinstance(value, torch.Tensor):
                raise RuntimeError(f"{where}: Expected {name}s to only contain Tensors, got {type(value)}")
            check_differentiable(value, name)
    if not flat:
        raise RuntimeError(f"{where}: Expected primals to contain at least one Tensor.")
    return push(func, flat, rebuild, moves, strict, has_aux)


def check_differentiable(value, name):
    """Refuses what has no tangent, and what is none."""
    if not (value.is_floating_point() or value.is_complex()):
        raise ValueError(f"Expected {name} to be floating point or complex, but got: {value.dtype}")


def push(func, flat, rebuild, moves, strict=False, has_aux=False):
    """jvp of inputs and tangents in one order, of which `rebuild` makes the arguments."""
    where = "jvp(f, primals, tangents)"
    level = core.DualLevel()
    if any(isinstance(outer, core.DualLevel) and outer.tracks_all for outer in core.interpreters()):
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    # Tangents are pushed even where the caller records nothing.
    before, modes = core.set_forward_ad_enabled(True), core.leave_inference_mode()
    try:
        with level:
            duals = [dual_at(level, x, t) for x, t in zip(flat, moves, strict=True)]
            result = func(*rebuild(duals))
            aux = None
            if has_aux:
                result, aux = result_and_aux(result, where)
                aux = auxiliary(aux, lambda value: core.left(core.unpack_dual(level, value)[0], -1))
            outputs, rebuild_result = flattened(result)
            check_results(outputs, where)
            pairs = [level.parts(output) for output in outputs]
    finally:
        core.restore_modes(*modes)
        core.set_forward_ad_enabled(before)
    if strict and any(tangent is None for _, tangent in pairs):
        raise RuntimeError(
            f"{where[:-1]}, strict=True): The output of f is independent of the inputs. This is not allowed with strict=True."
        )
    # (What PyTorch gives is a view: the primal as it unpacks it.)
    values = rebuild_result([core.left(alias(without_inner_graph(value))) for value, _ in pairs])
    slopes = [torch.zeros_like(value) if tangent is None else without_inner_graph(tangent) for value, tangent in pairs]
    slopes = rebuild_result(slopes)
    return (values, slopes, aux) if has_aux else (values, slopes)


def without_inner_graph(value):
    """A result of jvp, without a graph that leads only to leaves which the function made for itself."""
    if value.requires_grad and not core.reaches_outside((value,), []):
        value = core.without_graph(value, core.current_level())
    return core.left(value)


def linearize(func, *primals) -> "tuple[Any, Callable[..., Any]]":
    """(result of `func` at `primals`, its derivative there as a linear function of tangents), which runs `func` once only.

    >>> import rushlight as torch
    >>> result, slope = torch.func.linearize(torch.sin, torch.zeros(2))
    >>> slope(torch.tensor([1., 2.]))
    tensor([1., 2.])
    """
    flat, spec = tree_flatten(primals)
    constants = {}

    def of_tensors(*tensors):
        outputs, structure = tree_flatten(func(*tree_unflatten(tensors, spec)))
        constants.update(structure=structure, others={i: y for i, y in enumerate(outputs) if not isinstance(y, torch.Tensor)})
        return tuple([y for y in outputs if isinstance(y, torch.Tensor)])

    with core.differentiated() as (outer, level):
        for x in flat:
            if isinstance(x, torch.Tensor):
                check_differentiable(x, "primal")
        inputs = [core.derivative_input(x, outer) for x in flat]
        outputs = [core.as_seen(y) for y in of_tensors(*inputs)]
        moved = [y for y in outputs if y.requires_grad]
        # The pullback of unknown cotangents is linear in them; pulling tangents back through it once more pushes them forward.
        seeds = [core.derivative_input(torch.zeros_like(y), False) for y in moved]
        pulled = torch.autograd.grad(moved, inputs, seeds, create_graph=True, allow_unused=True) if moved else [None] * len(flat)
        values = [outside(y, level, inputs, outer, True) for y in outputs]
    structure, others = constants["structure"], constants["others"]

    def complete(tensors):
        tensors = iter(tensors)
        return tree_unflatten([others[i] if i in others else next(tensors) for i in range(structure.num_leaves)], structure)

    def jvp_fn(*tangents):
        moves, given = tree_flatten(tangents)
        if given != spec:
            raise RuntimeError(f"Expected the tangents {given} to have the same argspec as the primals {spec}")
        for place, (t, x) in enumerate(zip(moves, flat, strict=True)):
            for what in ("shape", "dtype"):
                if getattr(t, what) != getattr(x, what):
                    raise RuntimeError(
                        f"tangent:{place} with {what} {getattr(t, what)} in flattened pytree doesn't match the {what} {getattr(x, what)} of "
                        "the corresponding primal."
                    )
        paths = [(g, t) for g, t in zip(pulled, moves, strict=True) if g is not None and g.requires_grad]
        slopes = iter(
            gradients([g for g, _ in paths], seeds, [t for _, t in paths], level, torch.is_grad_enabled(), True, inputs)
            if moved
            else ()
        )
        return complete([next(slopes) if y.requires_grad else torch.zeros_like(y) for y in outputs])

    return complete(values), jvp_fn
