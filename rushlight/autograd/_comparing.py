"""The checks of gradcheck, one by one: derivatives beside differences, and what else has to hold of a backward."""

import functools

import rushlight as torch
from rushlight._vmap_internals import _vmap
from rushlight.autograd import _jacobians as jacobians
from rushlight.autograd._jacobians import as_tuple, is_number_tensor, recorded, tracked
from rushlight.autograd.engine import grad
from rushlight.autograd.function import Function
from rushlight.core import warn_user


class GradcheckError(RuntimeError):
    """What gradcheck raises when derivatives are wrong.

    >>> import rushlight as torch
    >>> from rushlight.autograd.gradcheck import GradcheckError
    >>> x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    >>> try: torch.autograd.gradcheck(lambda x: x * x.detach(), x)
    ... except GradcheckError as error: print(str(error).splitlines()[0])
    Jacobian mismatch for output 0 with respect to input 0,
    """


_NOT_REENTRANT = (
    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different values, although "
    "analytical gradient matches numerical gradient.The tolerance for nondeterminism was {}.\n\n"
    "If the difference is meant, give gradcheck or gradgradcheck `nondet_tol=<tol>`.\n"
)
_NOT_BATCHED = (
    "gradcheck or gradgradcheck failed while testing batched gradient computation.\n"
    "To go without this test, give gradcheck or gradgradcheck `check_batched_grad=False`.\n"
)
_NOT_BATCHED_FORWARD = (
    "gradcheck failed while testing batched gradient computation with forward-mode AD.\n"
    "To go without this test, give gradcheck `check_batched_forward_grad=False`.\n"
)
_UNDEFINED = 'Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"'
_FAST_MODE = (
    "\n\nThe above quantities relating the numerical and analytical jacobians are computed \nin fast mode. See: "
    "https://github.com/pytorch/pytorch/issues/53876 for more background \nabout fast mode. Below, we recompute numerical and analytical "
    "jacobians in slow mode:\n\nNumerical:\n {}\nAnalytical:\n{}\n\nThe max per-element difference (slow mode) is: {}.\n"
)


# ---------------------------------------------------------------------------------------------------------------- one comparison
def close(a, b, rtol, atol):
    """allclose of two tensors in the wider of their dtypes."""
    wider = torch.promote_types(a.dtype, b.dtype)
    return torch.allclose(a.to(wider), b.to(wider), rtol, atol)


class Comparison:
    """One function whose outputs (or, in forward mode, inputs) are real, and how its derivatives are compared."""

    def __init__(self, function, inputs, settings, forward=False, complex_places=(), imaginary=False, outputs=None):
        self.function, self.inputs, self.settings, self.forward = function, inputs, settings, forward
        self.complex_places, self.imaginary = complex_places, imaginary
        everything = as_tuple(function(*inputs)) if outputs is None else outputs
        self.places = [place for place, out in enumerate(everything) if is_number_tensor(out) and out.requires_grad]
        self.outputs = tuple(everything[place] for place in self.places)
        self.wanted = tracked(inputs)

    def differentiable(self, *inputs):
        """The function, its outputs without derivative left out."""
        outputs = as_tuple(self.function(*inputs))
        if self.forward:
            return tuple(outputs[place] for place in self.places)
        return tuple(out for out in outputs if is_number_tensor(out) and out.requires_grad)

    def mismatch(self, numerical, analytical, out, place):
        """The text about two derivatives that differ."""
        text = ""
        if (place if self.forward else out) in self.complex_places:
            part = "imaginary" if self.imaginary else "real"
            text = f"While considering the {part} part of complex {'inputs' if self.forward else 'outputs'} only, "
        what = "Jacobian computed with forward mode" if self.forward else "Jacobian"
        return text + (
            f"{what} mismatch for output {out} with respect to input {place},\nnumerical:{numerical}\nanalytical:{analytical}\n"
        )

    def check(self):
        """Raises GradcheckError where derivatives and differences differ."""
        if not self.outputs:
            self.check_constant()
        elif self.settings["fast_mode"]:
            self.check_products()
        else:
            self.check_jacobians()

    def check_constant(self):
        """Outputs without derivative may not depend on the inputs."""
        everything = as_tuple(self.function(*self.inputs))
        for x in self.wanted:
            found = jacobians.numerical_jacobian(self.function, self.inputs, x, everything, self.settings["eps"])
            if any((entry != 0).any() for entry in found):
                raise GradcheckError("Numerical gradient for function expected to be zero")

    def analytical_by_forward(self):
        """By output, then by input."""
        rows = [jacobians.forward_jacobian(self.differentiable, self.inputs, x, self.outputs) for x in self.wanted]
        return list(zip(*rows))

    def analytical_by_backward(self, out):
        """By input, with what else is asked of backward checked."""
        settings = self.settings
        found, same, sizes, dtypes = jacobians.analytical_jacobian(self.inputs, out, settings["nondet_tol"])
        if not sizes:
            raise GradcheckError("Analytical gradient has incorrect size")
        if settings["check_grad_dtypes"] and not dtypes:
            raise GradcheckError("Gradient has dtype mismatch")
        if not same:
            raise GradcheckError(_NOT_REENTRANT.format(settings["nondet_tol"]))
        return found

    def check_jacobians(self):
        """Every entry of every Jacobian."""
        settings = self.settings
        numerical = [
            jacobians.numerical_jacobian(self.differentiable, self.inputs, x, self.outputs, settings["eps"]) for x in self.wanted
        ]
        pushed = self.analytical_by_forward() if self.forward else None
        for o, out in enumerate(self.outputs):
            for i, found in enumerate(pushed[o] if self.forward else self.analytical_by_backward(out)):
                expected = numerical[i][o]
                if not close(found, expected, settings["rtol"], settings["atol"]):
                    raise GradcheckError(self.mismatch(expected, found, o, i))

    def check_products(self):
        """One random product of each Jacobian: vᵀJu, or Ju in forward mode."""
        settings = self.settings
        moves, cotangents = jacobians.random_vectors(self.wanted, self.outputs, self.forward)
        numerical = [
            jacobians.numerical_product(self.differentiable, self.inputs, x, u, settings["eps"])
            for x, u in zip(self.wanted, moves)
        ]
        for i, (x, u) in enumerate(zip(self.wanted, moves)):
            if self.forward:
                found = jacobians.forward_product(self.differentiable, self.inputs, x, u.reshape(x.shape))
            for o, out in enumerate(self.outputs):
                expected, atol = numerical[i][o], settings["atol"] * magnitude(u)
                if self.forward:
                    product = found[o].reshape(-1)
                else:
                    product = self.product_by_backward(out, cotangents[o], x, u)
                    expected = inner(expected, cotangents[o])
                    atol *= magnitude(cotangents[o])
                if not close(product, expected.to(product.dtype), settings["rtol"], atol):
                    shown = (expected, product) if self.forward else (expected.item(), product.item())
                    raise GradcheckError(self.mismatch(*shown, o, i) + self.in_full(i, o))

    def product_by_backward(self, out, v, x, u):
        """vᵀJu by two backwards, which have to agree."""
        found = []
        for _ in range(2):
            (g,) = grad(out, x, v.reshape(out.shape), retain_graph=True, allow_unused=True)
            found.append(torch.zeros_like(x) if g is None else g.detach().clone())
        if x.numel() and (found[0] - found[1]).abs().max().item() > self.settings["nondet_tol"]:
            raise GradcheckError(_NOT_REENTRANT.format(self.settings["nondet_tol"]))
        g = found[0].reshape(-1)
        if not isinstance(u, tuple):
            return (g * u).sum()
        return (g.real * u[0]).sum() + 1j * (g.imag * u[1]).sum()

    def in_full(self, i, o):
        """For an error of the fast mode: the whole Jacobians."""
        x, out, settings = self.wanted[i], self.outputs[o], self.settings
        numerical = jacobians.numerical_jacobian(self.differentiable, self.inputs, x, self.outputs, settings["eps"])[o]
        if self.forward:
            analytical = jacobians.forward_jacobian(self.differentiable, self.inputs, x, self.outputs)[o]
        else:
            analytical = jacobians.analytical_jacobian(self.inputs, out, settings["nondet_tol"])[0][i]
        text = _FAST_MODE.format(numerical, analytical, (analytical - numerical).abs().max())
        if close(analytical, numerical, settings["rtol"], settings["atol"]):
            text += "\nFast gradcheck failed but element-wise differences are small. This means that the\ntest might've passed in slow_mode!\n"
        return text.removeprefix("\n")


def inner(numerical, v):
    """v·(Ju), apart for the real and the imaginary move of a complex input."""
    if isinstance(numerical, tuple):
        return (numerical[0] * v).sum() + 1j * (numerical[1] * v).sum()
    return (numerical * v).sum()


def magnitude(vector):
    """How much larger than one entry a product with the vector may be."""
    return sum(part.abs().sum().item() for part in (vector if isinstance(vector, tuple) else (vector,)))


# ---------------------------------------------------------------------------------------------------------------- complex numbers
def part_of_outputs(function, part):
    """The function with complex outputs replaced by their real or imaginary part."""

    def partial(*inputs):
        return tuple(
            getattr(out, part) if isinstance(out, torch.Tensor) and out.is_complex() else out
            for out in as_tuple(function(*inputs))
        )

    return partial


def along_part_of_inputs(function, inputs, places, part):
    """The function of the real or the imaginary parts of its complex inputs, the other parts held, and those parts."""
    complex_inputs = list(inputs)

    def partial(*parts):
        arguments = list(parts)
        for place in places:
            whole = complex_inputs[place].detach()
            arguments[place] = parts[place] + whole.imag * 1j if part == "real" else whole.real + parts[place] * 1j
        return function(*arguments)

    parts = tuple(
        getattr(x.detach(), part).clone().requires_grad_(x.requires_grad) if place in places else x
        for place, x in enumerate(inputs)
    )
    return partial, parts


def compare_backward(function, inputs, outputs, settings):
    """Backward against differences; of complex outputs first the imaginary parts, then the real ones."""
    places = [place for place, out in enumerate(outputs) if out.is_complex()]
    if not places:
        Comparison(function, inputs, settings, outputs=outputs).check()
        return
    for part in ("imag", "real"):
        Comparison(part_of_outputs(function, part), inputs, settings, complex_places=places, imaginary=part == "imag").check()


def compare_forward(function, inputs, settings):
    """Forward mode against differences; along the imaginary parts of complex inputs first, then along the real ones."""
    places = [place for place, x in enumerate(inputs) if isinstance(x, torch.Tensor) and x.is_complex()]
    if not places:
        Comparison(function, inputs, settings, forward=True).check()
        return
    for part in ("imag", "real"):
        partial, parts = along_part_of_inputs(function, inputs, places, part)
        Comparison(partial, parts, settings, True, places, part == "imag").check()


# ---------------------------------------------------------------------------------------------------------------- the other checks
def check_inputs(inputs):
    """Refuses inputs that cannot be checked, and warns of those that are not precise enough."""
    for place, x in enumerate(inputs):
        if not isinstance(x, torch.Tensor) or not x.requires_grad:
            continue
        if x.dtype not in (torch.float64, torch.complex128):
            warn_user(
                f"Input #{place} requires gradient and is not a double precision floating point or complex. This check will likely fail if all "
                "the inputs are not of double precision floating point or complex. "
            )
        if not all(stride > 0 or size <= 1 for stride, size in zip(x.stride(), x.size())):
            raise RuntimeError(
                f"The {place}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able to "
                "compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck."
            )
    if not tracked(inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for x in tracked(inputs):
        x.retain_grad()


def check_multiplied(outputs, inputs):
    """Zero cotangents have to give zero gradients, of the inputs' shapes and dtypes."""
    zeros = [torch.zeros_like(out) for out in outputs]
    for g, x in zip(grad(outputs, tracked(inputs), zeros, allow_unused=True, retain_graph=True), tracked(inputs)):
        if g is None:
            continue
        if not (g == 0).all():
            raise GradcheckError("backward not multiplied by grad_output")
        if g.dtype != x.dtype:
            raise GradcheckError("grad is incorrect type")
        if g.shape != x.shape:
            raise GradcheckError("grad is incorrect size")


class Undefined(Function):
    """The identity, whose gradient is undefined."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return None


def check_undefined(function, inputs):
    """Undefined cotangents, all at once and one at a time, have to be taken for zeros."""
    count = len(recorded(function(*inputs)))
    for chosen in [range(count)] + ([[place] for place in range(count)] if count > 1 else []):
        outputs = [Undefined.apply(out) if place in chosen else out for place, out in enumerate(recorded(function(*inputs)))]
        zeros = [torch.zeros_like(out) for out in outputs]
        try:
            found = grad(outputs, tracked(inputs), zeros, allow_unused=True)
        except RuntimeError as error:
            warn_of_undefined()
            raise GradcheckError(f"Expected backward function to handle undefined output grads. {_UNDEFINED}") from error
        if any(g is not None and not (g == 0).all() for g in found):
            warn_of_undefined()
            raise GradcheckError(
                f"Expected all input grads to be undefined or zero when all output grads are undefined or zero. {_UNDEFINED}"
            )


def warn_of_undefined():
    """How to do without the check."""
    warn_user(
        "Backwards compatibility: New undefined gradient support checking feature is enabled by default, but it may break existing callers of "
        'this function. If this is true for you, you can call this function with "check_undefined_grad=False" to disable the feature'
    )


def check_undefined_forward(function, inputs):
    """An input with a zero tangent has to give what one without a tangent gives, whatever tangents the others have."""
    moves = {place: torch.rand_like(x) for place, x in enumerate(inputs) if isinstance(x, torch.Tensor) and x.requires_grad}
    for place in moves:
        found = []
        for tangent in (torch.zeros_like(inputs[place]), None):
            with jacobians.forward_ad.dual_level():
                found.append(jacobians.tangents_of(function(*jacobians.as_duals(inputs, {**moves, place: tangent}))))
        for out, (zero, undefined) in enumerate(zip(*found)):
            if zero is not None and undefined is not None and not torch.allclose(zero, undefined):
                raise GradcheckError(
                    "Mismatch in tangent values for output with index: ", out, " when input: ", inputs[place],
                    " has an undefined tangent value. ", " Got: ", zero, " but expected: ", undefined,
                )  # fmt: skip


def check_batched(out, inputs, place):
    """Backward under vmap against backward one at a time."""
    wanted = tracked(inputs)

    def pull(cotangent):
        found = grad(out, wanted, cotangent, retain_graph=True, allow_unused=True)
        return tuple(torch.zeros_like(x) if g is None else g for g, x in zip(found, wanted))

    cotangents = [torch.randn_like(out) for _ in range(2)]
    expected = [torch.stack(many) for many in zip(*map(pull, cotangents))]
    compare_batched(pull, cotangents, expected, lambda i: (place, i), _NOT_BATCHED)


def check_batched_forward(function, inputs):
    """Forward mode under vmap against forward mode one at a time."""
    for place, x in enumerate(tracked(inputs)):
        push = functools.partial(jacobians.forward_product, function, inputs, x)
        tangents = [torch.randn_like(x) for _ in range(2)]
        expected = [torch.stack(many) for many in zip(*map(push, tangents))]
        compare_batched(push, tangents, expected, lambda o, place=place: (o, place), _NOT_BATCHED_FORWARD)


def compare_batched(function, vectors, expected, where, advice):
    """vmap of `function` over `vectors` against what each of them gave."""
    try:
        found = _vmap(function, allow_none_pass_through=True)(torch.stack(vectors))
    except RuntimeError as error:
        raise GradcheckError(f"While computing batched gradients, got: {error}\n\n{advice}") from error
    for place, (a, b) in enumerate(zip(found, expected)):
        if not torch.allclose(a, b):
            out, x = where(place)
            raise GradcheckError(f"For output {out} and input {x}:\n\n{advice}\n\nGot:\n{a}\n\nExpected:\n{b}")
