"""Random numbers: new tensors of them, writing them into tensors, and dropout. The same seed gives PyTorch's numbers."""

import contextlib
import math

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor, default_generator, draw, drawn, kernel, warn_user
from rushlight.ops._declare import Declaration, composite, namespaces, place, table
from rushlight.ops._rules import c_name, not_implemented
from rushlight.ops.creation import LONG, check_layout, like, requiring, size_keyword

UNIFORM, NORMAL, BERNOULLI = kernel("uniform"), kernel("normal"), kernel("bernoulli")
FROM_TO, FULL_RANGE, ANY_BITS = kernel("random_from_to"), kernel("random_full"), kernel("random_bits")


# ---------------------------------------------------------------------------------------------------------------- the generator
@composite(method=False, signature=None)
def manual_seed(seed):
    """Starts the default generator's sequence that belongs to `seed`; returns the generator.

    >>> import rushlight
    >>> _ = rushlight.manual_seed(0)
    >>> rushlight.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


@composite(method=False, signature=None)
def seed() -> int:
    """Seeds the default generator from the system's entropy; returns the seed.

    >>> import rushlight as torch
    >>> torch.seed() == torch.initial_seed()
    True
    """
    return default_generator.seed()


@composite(method=False, signature=None)
def initial_seed() -> int:
    """The seed that the default generator began with.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(7)
    >>> torch.initial_seed()
    7
    """
    return default_generator.initial_seed()


@composite(method=False, signature=None)
def get_rng_state():
    """The state of the default generator, as a tensor of bytes.

    >>> import rushlight as torch
    >>> state = torch.get_rng_state()
    >>> x = torch.rand(2)
    >>> torch.set_rng_state(state)
    >>> torch.equal(torch.rand(2), x)
    True
    """
    return default_generator.get_state()


@composite(method=False, signature=None)
def set_rng_state(new_state) -> None:
    """Makes the default generator go on from a state `new_state` that `get_rng_state` returned.

    >>> import rushlight as torch
    >>> state = torch.get_rng_state()
    >>> x = torch.rand(2)
    >>> torch.set_rng_state(state)
    >>> torch.equal(torch.rand(2), x)
    True
    """
    default_generator.set_state(new_state)


@composite(method=False)
@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, _caller="fork_rng", _devices_kw="devices", device_type="cpu"):
    """Inside, random numbers are drawn as anywhere; afterwards the default generator is where it was before.

    Args:
        devices, device_type: Other devices, of which there are none.
        enabled: False does nothing.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> with torch.random.fork_rng():
    ...     x = torch.rand(2)
    >>> torch.equal(torch.rand(2), x)
    True
    """
    if device_type != "cpu":
        torch.device(device_type)
    if not enabled:
        yield
        return
    if devices:
        raise AssertionError("Torch not compiled with CUDA enabled")
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


namespaces["torch"]["Generator"] = core.Generator
namespaces["torch"]["default_generator"] = default_generator


# ---------------------------------------------------------------------------------------------------------------- new tensors
def standard_factory(name, kernel, about):
    """rand or randn: a factory of tensors drawn from one distribution."""

    def general(
        *size, generator=None, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, **more
    ):
        if not size or more:
            size = size_keyword(name, size, more)
        if layout is not None:
            check_layout(layout)
        if out is None:
            return drawn(name, size, kernel, dtype, device, requires_grad, generator, 0.0, 1.0)
        check_drawn_out(f"aten::{name}", out)
        if dtype is not None and dtype is not out.dtype:
            raise RuntimeError(f"dtype {dtype.legacy_name} does not match dtype of out parameter ({out.dtype.legacy_name})")
        return requiring(write(torch.empty(*size, out=out), kernel, generator, 0.0, 1.0), requires_grad)

    general.__name__ = general.__qualname__ = name
    general.__doc__ = about
    return composite(
        core.Factory(name, 0.0, general, kernel),
        method=False,
        signature="sizes size, *, generator?|none generator, out, factory",
    )


rand = standard_factory("rand", UNIFORM, "Numbers from the uniform distribution on [0, 1), in a tensor of the given size.")
randn = standard_factory("randn", NORMAL, "Numbers from the standard normal distribution, in a tensor of the given size.")


OUT_IN_VMAP = "vmap: We do not support calling out variants of random operations inside of vmap. Please use non-out variants as a workaround"


def check_drawn_out(name, out):
    """What `out=` of a draw must not be: tracked, one place for several elements; within vmap each example would need other numbers."""
    if out is None:
        return
    if core.in_vmap():
        raise RuntimeError(OUT_IN_VMAP)
    core.refuse_tracked_out(name, out)
    core.check_no_overlap(out)


def write(out, kernel, generator, first=0.0, second=0.0):
    """Draws into `out=`."""
    draw(out, kernel, generator, first, second)
    core.mark_written(out)
    return out


def like_factory(name, kernel, about):
    """rand_like or randn_like."""

    def factory(
        input,
        *,
        generator=None,
        memory_format=None,
        dtype=None,
        layout=None,
        device=None,
        pin_memory=False,
        requires_grad=False,
    ):
        made = draw(like(name, input, dtype, layout, device, memory_format), kernel, generator, 0.0, 1.0)
        return core.require_grad_of_new(made) if requires_grad else made

    factory.__name__ = factory.__qualname__ = name
    factory.__doc__ = about
    return composite(
        factory,
        method=False,
        signature="Tensor input, *, generator?|none generator, memory_format? memory_format=None, factory",
    )


rand_like = like_factory("rand_like", UNIFORM, "Uniform numbers on [0, 1) in the shape, strides and dtype of `input`.")
randn_like = like_factory("randn_like", NORMAL, "Standard normal numbers in the shape, strides and dtype of `input`.")


def limits_of(dtype):
    """What fits into a dtype and into 64 bits, and the largest whole number that random_ draws without an upper end."""
    digits, _, _, smallest, largest = core.limits_of(dtype)
    return max(smallest, -(2**63)), min(largest, 2**63 - 1), 2**digits if dtype.is_floating_point else largest


def wrapped(value):
    """An integer modulo 2^64, as a signed one."""
    return (value + 2**63) % 2**64 - 2**63


def draw_integers(x, low, high, generator):
    """Whole numbers in [low, high) into `x`; high None: up to the largest that the dtype holds."""
    if x.is_complex() and high is not None:
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")
    if x.is_complex():
        raise not_implemented("random_kernel_cpu", x.dtype)
    least, greatest, greatest_drawn = limits_of(x.dtype)
    for bound in (low, high):
        if bound is not None and not -(2**63) <= bound < 2**63:
            raise ValueError("Overflow when unpacking long long")
    if high is None:
        if low == -(2**63) and x.dtype is LONG:
            return draw(x, ANY_BITS, generator)
        high = greatest_drawn + 1
    elif low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if not least <= low <= greatest:
        raise RuntimeError(f"from is out of bounds for {c_name(x.dtype)}")
    if not least <= high - 1 <= greatest:
        raise RuntimeError(f"to - 1 is out of bounds for {c_name(x.dtype)}")
    if x.is_floating_point():
        digits = core.limits_of(x.dtype)[0]
        for label, bound in (("from", low), ("to - 1", high - 1)):
            if abs(bound) > 2**digits:
                warn_user(
                    f"{label} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {c_name(x.dtype)} can "
                    "support discrete uniform distribution only within this range. This warning will become an error in version 1.7 release, "
                    "please fix the code in advance"
                )
        low, high = representable(low, high, digits)
    return draw(x, FROM_TO, generator, low, wrapped(high))


def nearest(value, digits):
    """A whole number rounded to `digits` bits, ties to even."""
    excess = abs(value).bit_length() - digits
    if excess <= 0:
        return value
    unit = 1 << excess
    quotient, rest = divmod(abs(value), unit)
    quotient += 2 * rest > unit or (2 * rest == unit and quotient & 1)
    return quotient * unit * (1 if value > 0 else -1)


def representable(low, high, digits):
    """Bounds moved inwards where rounding would leave [low, high)."""
    above, below = nearest(low + 1, digits), nearest(high - 1, digits)
    if above < low:
        low = above + (1 << (abs(low + 1).bit_length() - digits))
    if below >= high:
        high = below - (1 << (abs(high - 1).bit_length() - digits))
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from={low} >= to={high}"
        )
    return low, high


def integer_bounds(name, args, more):
    """low, high and what follows from randint(high, …) or randint(low, high, …)."""
    values = list(args)
    low, high = more.pop("low", None), more.pop("high", None)
    if high is None:
        if low is None and len(values) > 1 and is_integer(values[1]):
            low = values.pop(0)
        if not values:
            raise TypeError(f"{name}() received an invalid combination of arguments; use {name}(low=0, high, …)")
        high = values.pop(0)
    elif low is None and values and is_integer(values[0]):
        low = values.pop(0)
    low = 0 if low is None else low
    if not (is_integer(low) and is_integer(high)):
        kinds = ", ".join(type(value).__name__ for value in args)
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({kinds}); use {name}(low=0, high, …)")
    return int(low), int(high), values


def is_integer(value):
    """Whether `value` can be a bound: an int, or a 0-d integer tensor."""
    if isinstance(value, Tensor):
        return value.dim() == 0 and not value.is_floating_point() and not value.is_complex()
    return hasattr(type(value), "__index__")


@composite(
    method=False,
    signature="index high, sizes size, *, generator?|none generator, out, factory | index low, index high, sizes size, *, generator?|none generator, out, factory",
)
def randint(*args, generator=None, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, **more):
    """Whole numbers from [low, high): randint(high, size) or randint(low, high, size); int64 unless `dtype` says otherwise.

    >>> import rushlight
    >>> rushlight.randint(3, 5, (3,)).shape
    torch.Size([3])
    """
    if len(args) == 2 and isinstance(args[1], int) and "size" not in more and "high" not in more and "low" not in more:
        raise TypeError(f"randint(): argument 'size' (position 2) must be tuple of ints, not {type(args[1]).__name__}")
    low, high, rest = integer_bounds("randint", args, more)
    size = more.pop("size", None)
    if size is None and len(rest) == 1:
        size = rest.pop()
    if size is None or rest or more:
        raise TypeError("randint() received an invalid combination of arguments; use randint(low=0, high, size)")
    check_layout(layout)
    if out is not None:
        check_drawn_out("aten::randint", out)
        if dtype is not None and dtype is not out.dtype:
            raise RuntimeError(f"dtype {dtype.legacy_name} does not match dtype of out parameter ({out.dtype.legacy_name})")
        draw_integers(torch.empty(size, out=out), low, high, generator)
        core.mark_written(out)
        return out
    made = draw_integers(core.unset("randint", (size,), dtype or LONG, device), low, high, generator)
    return core.require_grad_of_new(made) if requires_grad else made


@composite(
    method=False,
    signature=(
        "Tensor input, index low, index high, *, generator?|none generator, memory_format? memory_format=None, factory | "
        "Tensor input, Tensor|index high, *, generator?|none generator, memory_format? memory_format=None, factory"
    ),
)
def randint_like(
    input,
    *args,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    memory_format=None,
    **more,
):
    """Whole numbers from [low, high) in the shape, strides and dtype of `input`: randint_like(x, high) or (x, low, high)."""
    low, high, rest = integer_bounds("randint_like", args, more)
    if rest or more:
        raise TypeError("randint_like() received an invalid combination of arguments; use randint_like(input, low=0, high)")
    made = draw_integers(like("randint_like", input, dtype, layout, device, memory_format), low, high, generator)
    return core.require_grad_of_new(made) if requires_grad else made


@composite(method=False, signature="index n, *, generator?|none generator, out, factory")
def randperm(n, *, generator=None, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A random permutation of 0 … n - 1.

    >>> import rushlight
    >>> rushlight.randperm(4).sort().values
    tensor([0, 1, 2, 3])
    """
    if not hasattr(type(n), "__index__"):
        raise TypeError(f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    dtype = dtype or (LONG if out is None else out.dtype)
    if dtype.is_complex or dtype.name == "bool":
        raise not_implemented("randperm", dtype)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if not dtype.is_floating_point:
        core.check_number_fits(max(n - 1, 0), dtype)
    elif dtype is not torch.bfloat16 and n > 2 ** core.limits_of(dtype)[0] + 1:
        limit = "2049" if dtype is torch.float16 else f"2^{core.limits_of(dtype)[0]}+1"
        raise RuntimeError(f"n cannot be greater than {limit} for {dtype.legacy_name} type.")
    check_layout(layout)
    if out is not None:
        check_drawn_out("aten::randperm", out)
        return write(torch.empty(n, out=out), kernel("randperm"), generator)
    return drawn("randperm", (n,), kernel("randperm"), dtype, device, requires_grad, generator)


# ----------------------------------------------------------------------------------------------------------- writing in place
def no_gradient(g):
    """What was in the tensor before does not matter."""
    return torch.zeros_like(g)


def in_place(signature, *, method=None, name=None, variant=None, keywords=()):
    """Declares a method that draws into its tensor, of a signature; the function checks the parameters before it writes."""

    def declare(body):
        declared = Declaration(body, called=method, name=name, out=False, jvp=lambda x_t, **_: torch.zeros_like(x_t))
        for keyword, parameter in keywords:
            declared.keywords[keyword] = declared.parameters.index(parameter)
        made = declared.make(core.WritingOp, [declared.rule(declared.parameters[0], no_gradient)], (0,), None)
        made.choose_variant = variant
        table[declared.called + "_"] = made
        place(core.InPlace(made), declared.called, suffix="_", function=False, method=signature)
        return made

    return declare


def shown(value):
    """A number as C++ prints it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


@in_place("float from=0, float to=1, *, generator? generator=None", keywords=(("from", "from_"),))
def uniform(x, from_=0.0, to=1.0, *, generator=None):
    """Fills with numbers from the uniform distribution on [from, to)."""
    from_, to = float(from_), float(to)
    if from_ != 0.0 or to != 1.0:
        limit = core.limits_of(x.dtype)[-1] if x.is_floating_point() or x.is_complex() else math.inf
        for label, bound in (("from", from_), ("to", to)):
            if not -limit <= bound <= limit:
                raise RuntimeError(f"{label} is out of bounds for {c_name(x.dtype)}")
        if from_ > to:
            raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={shown(from_)} > to={shown(to)}")
        if to - from_ > limit:
            raise RuntimeError(
                f"uniform_ expects to-from <= std::numeric_limits<{x.dtype.legacy_name}>::max(), but found to={shown(to)} and "
                f"from={shown(from_)} which result in to-from to exceed the limit"
            )
    draw(x, UNIFORM, generator, from_, to)


def check_std(std):
    """A standard deviation is not negative."""
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {shown(std)}")


@in_place("float mean=0, float std=1, *, generator? generator=None")
def normal(x, mean=0.0, std=1.0, *, generator=None):
    """Fills with numbers from the normal distribution."""
    check_std(std)
    if x.numel():
        draw(x, NORMAL, generator, float(mean), float(std))


UNGIVEN = object()
"""random_(5) has an upper end only; random_(5, None) a lower end only."""


def random_variant(x, from_, to, generator):
    """random_(from, to), random_(to) and random_() have names of their own."""
    return 2 if from_ is None else 1 if to is UNGIVEN else 0


@in_place(
    "*, generator? generator=None | int from, int? to, *, generator? generator=None | int to, *, generator? generator=None",
    name=("RandomBackward0", "RandomBackward1", "RandomBackward2"),
    variant=random_variant,
    keywords=(("from", "from_"),),
)
def random(x, from_=None, to=UNGIVEN, *, generator=None):
    """Fills with whole numbers: random_(from, to) from [from, to), random_(to) from [0, to), random_() from all of the dtype's."""
    if from_ is None:
        if to is not UNGIVEN:
            return draw_integers(x, 0, to, generator)
        return draw(x, FULL_RANGE, generator)
    if to is UNGIVEN:
        return draw_integers(x, 0, from_, generator)
    return draw_integers(x, from_, to, generator)


def check_probability(p):
    """A probability lies in [0, 1]."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={shown(p)}")


def bernoulli_variant(x, p, generator):
    """bernoulli_ of a tensor of probabilities, and of one number."""
    return 0 if isinstance(p, Tensor) and p.dim() else 1


def draw_bernoulli(x, p, generator):
    """0 and 1 into `x`, 1 with probability p: a number or a tensor."""
    if isinstance(p, Tensor):
        p = p.expand(x.shape)
        core.kernel("bernoulli_tensor")(x, p, generator_of(generator).address)
        return x
    check_probability(p)
    return draw(x, BERNOULLI, generator, float(p))


def generator_of(generator):
    """The generator to draw from: the default one where none is given."""
    return default_generator if generator is None else generator


@in_place(
    "Tensor p, *, generator? generator=None | float p=0.5, *, generator? generator=None",
    method="bernoulli",
    name=("BernoulliBackward1", "BernoulliBackward2"),
    variant=bernoulli_variant,
)
def bernoulli_in_place(x, p=0.5, *, generator=None):
    """Fills with 0 and 1, 1 with probability `p`: a number, or a tensor that broadcasts."""
    draw_bernoulli(x, p, generator)


@in_place("float lambd=1, *, generator? generator=None")
def exponential(x, lambd=1.0, *, generator=None):
    """Fills with numbers from the exponential distribution with rate `lambd`."""
    if not x.numel():
        return
    if not x.is_floating_point():
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {x.dtype.legacy_name}"
        )
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={shown(lambd)}")
    draw(x, kernel("exponential"), generator, float(lambd))


@in_place("float p, *, generator? generator=None")
def geometric(x, p, *, generator=None):
    """Fills with the number of trials up to the first success, each with probability `p`."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={shown(p)}")
    draw(x, kernel("geometric"), generator, float(p))


@in_place("float median=0, float sigma=1, *, generator? generator=None")
def cauchy(x, median=0.0, sigma=1.0, *, generator=None):
    """Fills with numbers from the Cauchy distribution."""
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={shown(sigma)}")
    if not x.is_floating_point():
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified "
            f"{c_name(x.dtype)}"
        )
    draw(x, kernel("cauchy"), generator, float(median), float(sigma))


@in_place("float mean=1, float std=2, *, generator? generator=None")
def log_normal(x, mean=1.0, std=2.0, *, generator=None):
    """Fills with exponentials of numbers from the normal distribution."""
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={shown(std)}")
    if x.numel():
        draw(x, kernel("log_normal"), generator, float(mean), float(std))
