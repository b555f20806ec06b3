"""The same bits for one thread and for several: of every op and of its derivative, on inputs so large that the work is split."""

import importlib.util
import sys
import warnings
from pathlib import Path

import pytest

import rushlight as torch
from rushlight import core
from rushlight.ops import table

from .laws.calls import is_differentiable, record, tensors_in

pytest.importorskip("numpy")
SAMPLES, _ = record()
ENOUGH = 70_000  # elements: more than any kernel leaves to one thread
DIGITS = Path(__file__).parents[1] / "examples" / "digits.py"


VIEWS = {f"{name}_backward": name for name, op in table.items() if type(op) is core.ViewOp and op.gradient is not None}
"""The views whose cotangents are ops, by the names of those."""


def repeated(tensor, dims, factor):
    """The tensor over and over along some of its dimensions."""
    dims = [d % tensor.ndim for d in dims if -tensor.ndim <= d < tensor.ndim]
    return tensor.repeat([factor if d in dims else 1 for d in range(tensor.ndim)]) if dims else tensor


def enlarged(arguments, dims, factor):
    """The arguments with all tensors repeated along the same dimensions."""
    return [
        repeated(value, dims, factor)
        if isinstance(value, torch.Tensor) and value.ndim
        else [repeated(item, dims, factor) if isinstance(item, torch.Tensor) and item.ndim else item for item in value]
        if isinstance(value, (list, tuple)) and tensors_in(value)
        else value
        for value in arguments
    ]


def run(op, arguments):
    """The bits of the results, and of the gradients where there are any."""
    torch.manual_seed(0)
    writes = type(op) is core.WritingOp
    tracked = [
        value.clone().requires_grad_(not writes) if isinstance(value, torch.Tensor) and is_differentiable(value) else value
        for value in arguments
    ]
    leaves = [value for value in tracked if isinstance(value, torch.Tensor) and value.requires_grad]
    try:
        return bits_of(tensors_in(op.apply(*tracked)), leaves)
    except RuntimeError as error:
        if "does not support automatic differentiation for outputs with complex dtype" not in str(error):
            raise
    return bits_of(tensors_in(op.apply(*arguments)), [])


def bits_of(results, leaves):
    outputs = [out for out in results if out.requires_grad]
    found = []
    if outputs and leaves:
        try:
            seeds = [torch.ones_like(out) * 0.7 for out in outputs]
            found = torch.autograd.grad(outputs, leaves, seeds, allow_unused=True)
        except (RuntimeError, NotImplementedError) as error:
            if "not implemented" not in str(error) and "not differentiable" not in str(error):
                raise
    return [bits(tensor) for tensor in [*results, *found] if tensor is not None]


def bits(tensor):
    tensor = tensor.detach().resolve_conj().resolve_neg().contiguous()
    return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy().tobytes()


def size_of(arguments):
    return max((tensor.numel() for tensor in tensors_in(arguments)), default=0)


def large_call(name):
    """A call of an op with large inputs or results: of the ways to enlarge its samples, the first that it accepts."""
    op = table[name]
    if name in VIEWS:
        # The cotangent of a view is as large as what a large call of the view shows.
        view, (x, *others) = large_call(VIEWS[name])
        return op, [view.apply(x, *others).detach().clone(), x.shape, *others]
    for sample in SAMPLES[name]:
        for dims in ((0,), (-1,), (-2,), (1,), (-1, -2), (0, -1), (0, 1, 2, 3)):
            # In steps, as results may grow faster than inputs.
            size, factor = size_of(list(sample)), 1
            while size < ENOUGH:
                factor *= 4
                arguments = enlarged(list(sample), dims, factor)
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        grown = size_of([arguments, op.apply(*arguments)])
                except (RuntimeError, IndexError, ValueError):
                    break
                if grown <= size:
                    break
                size = grown
            if size >= ENOUGH:
                return op, arguments
    raise AssertionError(f"no way to enlarge the samples of {name} makes a large call: give it one in SIZED")


F = torch.nn.functional


def regular(x):
    """A matrix far from singular."""
    return x + 600 * torch.eye(300, dtype=x.dtype)


def recurrent(x):
    """A layer of an LSTM of 16 units over 300 steps of a batch of 10."""
    state = x[None, :10, :16], x[None, :10, 16:32]
    weights = [x[:64, :30], x[:64, 30:46], x[0, :64], x[1, :64]]
    return torch.lstm(x.reshape(300, 10, 30), state, weights, True, 1, 0.0, False, False, False)[0]


def definite(x):
    return regular(x) @ regular(x).mT


SIZED = {
    "_cholesky": lambda x: torch.cholesky(definite(x)),
    "_linalg_cholesky_ex": lambda x: torch.linalg.cholesky(definite(x)),
    "_cholesky_solve": lambda x: torch.cholesky_solve(x, regular(x).tril()),
    "_cholesky_inverse": lambda x: torch.cholesky_inverse(regular(x).tril()),
    "_linalg_det": lambda x: torch.linalg.det(regular(x)),
    "_linalg_slogdet": lambda x: torch.linalg.slogdet(regular(x)),
    "_linalg_inv_ex": lambda x: torch.linalg.inv(regular(x)),
    "_linalg_solve_ex": lambda x: torch.linalg.solve(regular(x), x),
    "_linalg_lu_solve _linalg_lu_factor_ex": lambda x: torch.linalg.lu_solve(*torch.linalg.lu_factor(regular(x)), x),
    "_linalg_lu": lambda x: torch.linalg.lu(regular(x)),
    "_linalg_qr": lambda x: torch.linalg.qr(regular(x)),
    "_linalg_eigh": lambda x: torch.linalg.eigvalsh(definite(x)),
    "_linalg_eig": lambda x: torch.linalg.eigvals(regular(x)),
    "_linalg_matrix_exp": lambda x: torch.linalg.matrix_exp(x / 300),
    "_linalg_pinv": lambda x: torch.linalg.pinv(regular(x)),
    "_linalg_solve_triangular": lambda x: torch.linalg.solve_triangular(regular(x), x, upper=True),
    "_triangular_solve": lambda x: torch.triangular_solve(x, regular(x)),
    "_recurrent_layer": recurrent,
    "_nll_loss": lambda x: F.nll_loss(x.log_softmax(1), torch.arange(300), torch.linspace(1, 2, 300, dtype=x.dtype)),
    "_prelu_kernel": lambda x: F.prelu(x, x[0]),
    "_window_gradient as_strided": lambda x: (x * 1).as_strided((299, 299), (300, 1), 301),
    "as_strided_scatter": lambda x: torch.as_strided_scatter(x, x[1:, 1:], (299, 299), (300, 1), 301),
    "cdist_backward": lambda x: torch.cdist(x[:, :4], x.flip(0)[:, :4], 1.5),
    "expand_copy": lambda x: torch.expand_copy(x[:1], (300, 300)),
    "split_copy": lambda x: torch.split_copy(x, 100, 1),
    "split_with_sizes_copy": lambda x: torch.split_with_sizes_copy(x, [100, 200], 1),
    "view_copy": lambda x: torch.view_copy(x, (-1,)),
    "_reshape_alias _reshape_alias_copy": lambda x: x[:, :150].reshape(300, 15, 10).clone(),
    "expand": lambda x: x[:1].expand(300, 300).clone(),
    "fill": lambda x: torch.fill(x, x.sum()),
    "native_group_norm": lambda x: F.group_norm(x.reshape(10, 30, 300), 6),
    "split_with_sizes": lambda x: x.split([100, 200], 1),
    "unsafe_split": lambda x: x.unsafe_split(100, 1),
    "unsafe_split_with_sizes": lambda x: x.unsafe_split_with_sizes([100, 200], 1),
    "_pack_padded_sequence": lambda x: (
        torch.nn.utils.rnn.pack_padded_sequence(x.reshape(100, 30, 30), torch.arange(100, 70, -1)).data
    ),
    "_upsample_gradient": lambda x: F.interpolate(x.reshape(1, 2, 150, 300), size=(200, 250), mode="bicubic"),
    "unfold_backward": lambda x: x.unfold(1, 4, 2),
    "view": lambda x: x.view(-1) * 2,
}
"""Ops among whose arguments are sizes, by calls of their own."""


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {ops for names in SIZED for ops in names.split()}))
def test_an_op_has_the_same_bits(name, threads):
    threads(1)
    op, arguments = large_call(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = run(op, arguments)
        for count in (2, 3):
            threads(count)
            assert run(op, arguments) == expected


@pytest.mark.parametrize("names", SIZED)
def test_an_op_that_is_told_sizes_has_the_same_bits(names, threads):
    results = []
    for count in (1, 2, 3):
        threads(count)
        torch.manual_seed(0)
        x = torch.randn(300, 300, dtype=torch.float64).requires_grad_()
        results.append(bits_of(tensors_in(SIZED[names](x)), [x]))
    assert results[0] == results[1] == results[2]


def test_training_has_the_same_bits(threads):
    pytest.importorskip("tqdm")
    with torch.as_torch():
        spec = importlib.util.spec_from_file_location("digits", DIGITS)
        digits = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(digits)
    images, labels = digits.load()

    def trained(count, batch_size):
        threads(count)
        torch.manual_seed(0)
        nn = torch.nn
        model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10))
        for _ in digits.train(model, images, labels, images[:300], labels[:300], epochs=2, batch_size=batch_size):
            pass
        return [bits(parameter) for parameter in model.parameters()]

    for batch_size in (32, len(images)):
        assert trained(1, batch_size) == trained(2, batch_size) == trained(3, batch_size)
    sys.modules.pop("digits", None)
