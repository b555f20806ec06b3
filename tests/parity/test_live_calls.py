"""Single calls whose results (values, dtypes, strides, warnings) or exceptions are PyTorch's."""

import re
import warnings

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

import rushlight  # noqa: E402

CALLS = """
torch.nextafter(torch.tensor([1, 0, -1, 65504, inf, nan]).half(), torch.tensor([2, 1, 3, inf, 0, 1]).half())
torch.nextafter(torch.tensor([1, 0, -1, 65504, inf, nan]).bfloat16(), torch.tensor([0, -1, -3, -inf, 0, 1]).bfloat16())
torch.unique(torch.tensor([[1, 2], [1, 2], [0, 5]], dtype=torch.uint16), dim=0)
torch.unique(torch.tensor([[1, 2], [1, 2], [0, 5]]).to(torch.uint64), dim=1, return_inverse=True)
torch.unique(torch.tensor([[-1, 2], [1, 2], [0, 5]]).to(torch.uint64), dim=0, return_counts=True)
torch.narrow_copy(x, 2, 0, 1)
torch.narrow_copy(x, -3, 0, 1)
torch.narrow_copy(x, 0, 0, -1)
torch.empty_permuted((2, 3), (0, 3))
torch._chunk_cat([x, x[0]], -1, 3)
torch.gradient(x, spacing=[torch.ones(3), torch.ones(4, device="meta")], dim=(0, 1))
torch.signal.windows.blackman(-1)
torch.signal.windows.blackman(3, dtype=torch.int64)
torch.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 2), dilation=-1)
torch.ones(9, 5, 2, dtype=torch.bool).as_strided((9, 5, 2), (0, 1, 7)).__rand__(torch.ones(9, 5, 2, dtype=torch.bool))
torch.isinf(torch.ones(2, 0, 3, dtype=torch.complex64).permute(2, 0, 1))
torch.isinf(torch.ones(2, 4, 3, dtype=torch.complex64).permute(2, 0, 1))
torch.linalg.ldl_factor_ex(torch.eye(3).requires_grad_()).LD.grad_fn
torch.linalg.ldl_solve(torch.eye(3).requires_grad_(), torch.tensor([1, 2, 3], dtype=torch.int32), x.T[:3]).grad_fn
torch.linalg.ldl_solve(torch.eye(3), torch.tensor([1, 2, 3], dtype=torch.int32), x[0]).grad_fn
torch.lu(torch.eye(3), get_infos=True)
x.sparse_mask(torch.eye(3, 4).to_sparse_csr()).values()
x.sum((0, 0))
x[0, 0].sum((0, 0))
x[0, 0].amax((0, -1))
x[0, 0].all((0, 0))
x[0, 0].var((0, 0), correction=0)
x[0, 0].squeeze((0, 0))
torch.asarray(x.long().numpy(), requires_grad=True)
torch.asarray(x, device="meta", copy=False)
torch.meshgrid(x[0], x[0].long(), indexing="ij")
torch.hash_tensor(x[0, 0], 0)
torch.hash_tensor(x, None)
torch.hash_tensor(x, dim=None, keepdim=True)
torch.hash_tensor(torch.ones(0, 2), 0)
torch.hash_tensor(torch.ones(2, 0), 1)
torch.masked.median(x[0], None)
torch.masked.softmax(x[0], [])
x.to_sparse().is_conj()
x.masked_scatter((x > 1).byte(), x)
x.new_tensor(x)
torch.searchsorted(x, 1.0)
torch.searchsorted(x[0, 0], x[0, 0])
torch.searchsorted(x[0, 0], x[0])
torch.searchsorted(x[0], x[0, 0])
(torch.Tensor.split.__name__, torch.Tensor.unflatten.__name__, torch.Tensor.storage.__name__)
""".strip().split("\n")


def told(made):
    """All that a program sees of a result."""
    if isinstance(made, tuple):
        return type(made).__name__, [told(part) for part in made]
    if hasattr(made, "tolist"):
        return str(made.dtype), tuple(made.shape), made.stride(), str(made.tolist())
    return re.sub("0x[0-9a-f]+", "", str(made))


def outcome(library, call):
    names = {"torch": library, "x": library.arange(12.0).reshape(3, 4), "inf": float("inf"), "nan": float("nan")}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            made = told(eval(call, names))
        except Exception as error:
            made = type(error).__name__, str(error)
    once = ("torch.lu is deprecated", "Sparse CSR tensor support")
    said = [str(warning.message).partition(" (Triggered")[0] for warning in caught]
    return made, [text for text in said if not text.startswith(once)]


ONCE = """
torch.cross(x[:, :3], x[:, :3])
torch.chain_matmul(x, x.T)
torch.where((x > 1).byte(), x, 0)
torch.stft(x[0], 4)
torch.istft(x * 1j, 4)
""".strip().split("\n")


@pytest.mark.parametrize("call", ONCE)
def test_warnings_that_come_once(call):
    for library in rushlight, torch:
        library.set_warn_always(True)
    try:
        test_call(call)
    finally:
        for library in rushlight, torch:
            library.set_warn_always(False)


@pytest.mark.parametrize("call", CALLS)
def test_call(call):
    assert outcome(rushlight, call) == outcome(torch, call)
