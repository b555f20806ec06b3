"""Programs whose results knowingly differ, and why. Each runs on both libraries (test_semantic_differences.py): one that no longer differs as
stated fails there, and is to be struck off."""

import warnings
from dataclasses import dataclass
from importlib import import_module

SEMANTIC_DIFFERENCES = {}
"""name -> Difference"""


@dataclass(frozen=True)
class Difference:
    reason: str
    pytorch: str
    rushlight: str
    program: object


def differs(reason, *, pytorch, rushlight):
    """Declares a program, a function of the module `torch`: how what it returns, printed, or its exception begins on either side."""

    def declare(program):
        SEMANTIC_DIFFERENCES[program.__name__] = Difference(reason, pytorch, rushlight, program)
        return program

    return declare


def outcome(program, torch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(program(torch))
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def forward_ad(torch):
    return import_module(f"{torch.__name__}.autograd.forward_ad")


def leaf(torch, *values, **options):
    return torch.tensor(values, requires_grad=True, **options)


# ------------------------------------------------------------------------------------------------- what PyTorch gets wrong
@differs("PyTorch's gradient is not transposed back", pytorch="[[1j, (2+3j)]", rushlight="[[1j, (4+5j)]")
def transpose_of_view_as_real(torch):
    z = torch.ones(2, 2, dtype=torch.complex64, requires_grad=True)
    parts = torch.view_as_real(z.clone())
    parts.transpose_(0, 1)
    parts += 1
    parts.backward(torch.arange(8.0).view(2, 2, 2))
    return z.grad.tolist()


@differs(
    "PyTorch gives the input a gradient in the very window that was overwritten", pytorch="([1.0], 1.0)", rushlight="([0.0], 1.0)"
)
def as_strided_scatter_of_everything(torch):
    x, source = torch.ones(1, requires_grad=True), torch.tensor(2.0, requires_grad=True)
    torch.as_strided_scatter(x, source, (), (), 0).sum().backward()
    return x.grad.tolist(), source.grad.item()


@differs("PyTorch's tangent is not the derivative", pytorch="[[0.111", rushlight="[[0.055")
def triangular_solve_in_forward_mode(torch):
    primals, tangents = (torch.ones(2, 1), torch.tensor([[2.0, 1.0], [7.0, 3.0]])), (torch.ones(2, 1), torch.ones(2, 2))
    return torch.func.jvp(lambda b, a: torch.triangular_solve(b, a)[0], primals, tangents)[1].tolist()


@differs("PyTorch's tangent is not the derivative", pytorch="[[-0.197", rushlight="[[-0.148")
def cholesky_inverse_in_forward_mode(torch):
    factor = torch.tensor([[2.0, 0.0], [1.0, 3.0]], dtype=torch.float64)
    return torch.func.jvp(torch.cholesky_inverse, (factor,), (torch.ones(2, 2, dtype=torch.float64),))[1].tolist()


@differs("the adjugate of a singular matrix, which PyTorch takes for 0", pytorch="[[0.0, 0.0]", rushlight="[[1.0, 0.0]")
def determinant_of_a_singular_matrix(torch):
    a = torch.tensor([[0.0, 0.0], [0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(torch.linalg.det(a), a)[0].tolist()


@differs(
    "PyTorch copies by address, and misses a write at another address of the same memory", pytorch="[0.0", rushlight="[0.841"
)
def part_of_a_tensor_written_under_allow_mutation(torch):
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        x = torch.ones(4, requires_grad=True)
        b = x.clone()
        out = b[2:].cos()
        b.zero_()
        out.sum().backward()
    return (-x.grad[2:]).tolist()


@differs("PyTorch's second derivative leaves out what passed through intermediate values", pytorch="4.0", rushlight="6.0")
def vjp_made_under_no_grad_and_pulled_back_outside(torch):
    x = torch.tensor(1.0, requires_grad=True)
    with torch.no_grad():
        _, pull = torch.func.vjp(lambda x: (x * x) * x, x)
    (g,) = pull(torch.tensor(1.0))
    return torch.autograd.grad(g, x)[0].item() if g.requires_grad else "no graph"


@differs("PyTorch's series are inexact beyond 5", pytorch="-0.15384125", rushlight="-0.15384130")
def bessel_functions(torch):
    return torch.special.bessel_j1(torch.tensor(6.5, dtype=torch.float64)).item()


@differs(
    "the message of an assertion inside",
    pytorch="RuntimeError: is_initialized && !tls.stack.empty()",
    rushlight="RuntimeError: there are no",
)
def saved_tensor_hooks_left_twice(torch):
    hooks = torch.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x)
    hooks.__enter__()
    hooks.__exit__()
    hooks.__exit__()


# ------------------------------------------------------------------------------------------------------- what PyTorch refuses
@differs(
    "the value before the write is kept",
    pytorch="['NotImplementedError', 'RuntimeError', 'RuntimeError', 'RuntimeError', 'RuntimeError']",
    rushlight="[[0.5774], [-0.7358], [1.6487], [-2.0], [-2.0]]",
)
def derivatives_of_activations_in_place(torch):
    F, found = torch.nn.functional, []
    for call, value in (
        (lambda x: x.acosh_(), 2.0),
        (lambda x: F.elu_(x, -2), -1.0),
        (lambda x: F.celu_(x, -2), -1.0),
        (lambda x: F.leaky_relu_(x, -2), -1.0),
        (lambda x: F.rrelu_(x, -2, -2), -1.0),
    ):
        x = torch.tensor([value], requires_grad=True)
        try:
            call(x.clone()).sum().backward()
            found.append([round(x.grad.item(), 4)])
        except Exception as error:
            found.append(type(error).__name__)
    return found


@differs(
    "forward without setup_context is called as it is",
    pytorch="RuntimeError: In order to use an autograd.Function",
    rushlight="[0.84",
)
def functionalize_of_a_function_without_setup_context(torch):
    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sin()

    return torch.func.functionalize(lambda x: Sine.apply(x))(torch.ones(1)).tolist()


@differs("the last dimension of an example is none", pytorch="RuntimeError: Dimension is out of range", rushlight="(2,)")
def squeeze_of_numbers_under_vmap(torch):
    return tuple(torch.vmap(lambda x: x.squeeze(-1))(torch.ones(2)).shape)


@differs("a leaf stays itself, unless somebody has asked for its edge before", pytorch="RuntimeError: ", rushlight="[1.0, 1.0]")
def a_leaf_that_takes_other_memory(torch):
    x = torch.zeros(2, requires_grad=True)
    y = x * 1
    with torch.no_grad():
        x.set_(torch.ones(2))
    return torch.autograd.grad(y.sum(), x)[0].tolist()


@differs("a gradient has the shape of its tensor", pytorch="(2,)", rushlight="RuntimeError: ")
def data_of_another_shape_before_backward(torch):
    x = torch.zeros(2, requires_grad=True)
    y = (x * 1).sum()
    x.data = torch.zeros(3)
    y.backward()
    return tuple(x.grad.shape)


@differs("versions belong to memory, not to what views once shared", pytorch="(1, 1)", rushlight="(1, 0)")
def versions_after_data_was_replaced(torch):
    x = torch.ones(2)
    view = x[:]
    x.data = torch.zeros(3)
    x.add_(1)
    return x._version, view._version


@differs(
    "a view of an inference tensor is one too, but PyTorch makes it a constant",
    pytorch="(False, True)",
    rushlight="(True, False)",
)
def a_view_of_an_inference_tensor_outside(torch):
    with torch.inference_mode():
        x = torch.ones(2, 2, requires_grad=True)
    view = x.view(-1)
    return view.requires_grad, view.is_leaf


@differs(
    "every number of dimensions that a result may have, a tensor may",
    pytorch="RuntimeError: only tensors with up to 64 dims",
    rushlight="RuntimeError: a tensor",
)
def dimensions_beyond_64(torch):
    return torch.ones([1] * 65).sum(0)


@differs("writes to expanded memory are refused everywhere", pytorch="(6, 6)", rushlight="RuntimeError: unsupported operation")
def threshold_of_an_expanded_tensor(torch):
    return tuple(torch.nn.functional.threshold_(torch.ones(1, 6).expand(6, 6), 0.5, 0.5).shape)


@differs(
    "a Jacobian of no elements, where PyTorch has nothing to stack",
    pytorch="RuntimeError: stack expects a non-empty",
    rushlight="(0, 2)",
)
def jacobian_of_no_outputs(torch):
    return tuple(torch.autograd.functional.jacobian(lambda x: x[:0], torch.ones(2)).shape)


@differs("a tangent is converted to its value's dtype where it enters", pytorch="float64", rushlight="float32")
def a_tangent_of_another_dtype(torch):
    tangent = torch.func.jvp(lambda x: x * 2, (torch.ones(2),), (torch.ones(2, dtype=torch.float64),))[1]
    return str(tangent.dtype).split(".")[1]


@differs("an example has no memory of its own to exchange", pytorch="(2, 2)", rushlight="RuntimeError: set_ is not supported")
def set_under_vmap(torch):
    return tuple(torch.vmap(lambda x: x.set_(torch.zeros(2)))(torch.ones(2, 2)).shape)


@differs("functions that compute jacobians may be transformed", pytorch="RuntimeError: ", rushlight="[-1.14")
def gradient_of_a_vectorized_jacobian(torch):
    def outer(x):
        options = {"strategy": "forward-mode", "vectorize": True}
        return torch.autograd.functional.jacobian(lambda y: (y * x).sin(), x, **options).sum()

    return torch.func.grad(outer)(torch.ones(2)).tolist()


@differs(
    "what no rule needs is not kept, so backward may run again",
    pytorch="RuntimeError: Trying to backward",
    rushlight="[2.0, 2.0]",
)
def second_backward_where_nothing_was_kept(torch):
    x, one = torch.zeros(2, requires_grad=True), torch.ones(2)
    out = torch.addcdiv(x, one, one).sum()
    out.backward()
    out.backward()
    return x.grad.tolist()


@differs(
    "how the error of a random function under vmap is put",
    pytorch="RuntimeError: vmap: We do not yet",
    rushlight="RuntimeError: vmap: called random",
)
def random_numbers_in_the_older_vmap(torch):
    vmap = import_module(f"{torch.__name__}._vmap_internals")._vmap
    return vmap(torch.randn_like)(torch.ones(2))


@differs("a tangent of an element beside infinity is its own", pytorch="[0.0, 0.0, nan]", rushlight="[0.0, 1.0, nan]")
def running_logsumexp_up_to_infinity(torch):
    x = torch.tensor([-float("inf"), 1.0, float("inf")])
    return torch.func.jvp(lambda x: torch.logcumsumexp(x, 0), (x,), (torch.ones(3),))[1].tolist()


@differs("rounding", pytorch="-474.3416748046875", rushlight="-474.34161376953125")
def layer_norm_of_a_constant(torch):
    x = torch.full((1, 4), 3.0, requires_grad=True)
    torch.nn.functional.layer_norm(x, (4,)).backward(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    return x.grad[0, 0].item()


@differs("rounding", pytorch="-0.5157294715892564", rushlight="-0.5157294715892563")
def lowest_eigenvalue(torch):
    a = torch.tensor([[1.0, 2.0, 3.0], [9.0, 4.0, 5.0], [9.0, 9.0, 6.0]], dtype=torch.float64)
    return torch.linalg.eigh(a, UPLO="U")[0][0].item()


@differs(
    "zeros like any others, where PyTorch gives a ZeroTensor without memory", pytorch="RuntimeError: ", rushlight="[0.0, 0.0]"
)
def derivative_of_a_sign_as_a_list(torch):
    x = torch.ones(2, requires_grad=True)
    return torch.autograd.grad(x.sgn().sum(), x, create_graph=True)[0].tolist()


@differs(
    "the derivative, where PyTorch writes over what its backward needs",
    pytorch="RuntimeError: one of the variables",
    rushlight="(2, 2)",
)
def derivative_of_a_condition_number(torch):
    a = torch.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    torch.linalg.cond(a, 1).backward()
    return tuple(a.grad.shape)


@differs("counted over all elements, as forward does, where PyTorch counts one", pytorch="[-inf", rushlight="[-1.33")
def variance_over_no_dimensions(torch):
    x = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    torch.var(x, dim=[]).backward()
    return x.grad.tolist()


@differs("a gradient has memory of its own", pytorch="True", rushlight="False")
def gradients_that_are_parts_of_one_memory(torch):
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    torch.cat([a, b]).backward(torch.ones(4))
    return a.grad.untyped_storage().data_ptr() == b.grad.untyped_storage().data_ptr()


@differs(
    "the tangent of a view is a view of its base's tangent, where PyTorch gives both the same",
    pytorch="(False, True)",
    rushlight="(True, False)",
)
def tangents_of_a_view_of_everything(torch):
    base = torch.zeros(2, 2)
    view = base.view_as(base)

    def tangents(t):
        with forward_ad(torch).dual_level():
            view.copy_(forward_ad(torch).make_dual(torch.zeros(2, 2), t))
            return forward_ad(torch).unpack_dual(view)[1], forward_ad(torch).unpack_dual(view._base)[1]

    of_view, of_base = import_module(f"{torch.__name__}._vmap_internals")._vmap(tangents, 0, 0)(torch.zeros(2, 2, 2))
    return of_view._is_view(), of_view is of_base


# ------------------------------------------------------------------------------------------------------------- forward values
@differs(
    "computed, where PyTorch asks its own product for a view that cannot be",
    pytorch="RuntimeError: view size",
    rushlight="(6, 6)",
)
def kron_of_a_transposed_matrix(torch):
    a = torch.arange(6.0).view(2, 3)
    return tuple(torch.kron(a.t(), a).shape)


@differs("the mean that `mean` gives, where PyTorch's running mean turns into NaN", pytorch="nan", rushlight="inf")
def mean_of_infinities_beside_the_variance(torch):
    return torch.var_mean(torch.tensor([1.0, float("inf"), 2.0]))[1].item()


@differs("NaN come last in the order, where PyTorch's sort cannot compare them", pytorch="nan", rushlight="0.0")
def mode_of_values_with_nan(torch):
    return torch.mode(torch.tensor([float("nan"), 0.0, 1.0]))[0].item()


# ------------------------------------------------------------------------------------------------------------- layouts and graphs
@differs(
    "a module within itself is looked into a thousand deep", pytorch="maximum recursion depth exceeded while", rushlight="maximum"
)
def tied_parameters_of_a_module_within_itself(torch):
    module = torch.nn.Linear(1, 1)
    module.me = module
    try:
        torch.func.functional_call(module, {"weight": torch.ones(1, 1)}, (torch.ones(1, 1),))
    except RecursionError as error:
        return error
    return "no error"
