"""Sparse tensors agree with the dense ones that they stand for, in values and derivatives; what they do not know they refuse."""

import copy
import io
import pickle
import re

import pytest

import rushlight as torch

INDICES, VALUES = [[1, 0, 1, 0], [2, 0, 2, 1]], [1.0, 2.0, 3.0, 0.0]


def made(requires_grad=False, layout=torch.sparse_coo):
    values = torch.tensor(VALUES, dtype=torch.float64, requires_grad=requires_grad)
    x = torch.sparse_coo_tensor(INDICES, values, (2, 3))
    return (x if layout is torch.sparse_coo else x.to_sparse(layout=layout)), values


DENSE = torch.arange(6.0, dtype=torch.float64).reshape(2, 3)

CALLS = {
    "mm": lambda x: torch.sparse.mm(x, DENSE.t()),
    "mv": lambda x: x @ DENSE[0],
    "from the right": lambda x: DENSE.t() @ x,
    "of both": lambda x: x @ x.t(),
    "addmm": lambda x: torch.sparse.addmm(torch.ones(2, 2, dtype=torch.float64), x, DENSE.t(), alpha=2),
    "linear": lambda x: torch.nn.functional.linear(DENSE, x),
    "add": lambda x: x + x,
    "subtract": lambda x: x - 2 * x,
    "to dense": lambda x: DENSE + x,
    "numbers": lambda x: -x * 3 / 2,
    "times dense": lambda x: x * DENSE,
    "times sparse": lambda x: x * x,
    "functions": lambda x: x.sin().square(),
    "sum": lambda x: torch.sparse.sum(x),
    "sum of rows": lambda x: x.sum(1),
    "transposed": lambda x: x.t().transpose(0, 1).permute(1, 0),
    "selected": lambda x: x[1],
    "joined": lambda x: torch.cat([x, x], 1),
    "stacked": lambda x: torch.stack([x, x], 1),
    "index_select": lambda x: x.index_select(0, torch.tensor([1])),
}


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr, torch.sparse_csc], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_as_the_dense_tensor(name, layout):
    x, values = made(True, layout)
    call = CALLS[name]
    found = call(x)
    found = found.to_dense()
    whole = torch.zeros(2, 3, dtype=torch.float64).index_put(tuple(torch.tensor(INDICES)), values, accumulate=True)
    dense = torch.sparse.mm(whole, DENSE.t()) if name == "mm" else None
    if name == "sum":
        dense = whole.sum()
    elif name == "addmm":
        dense = torch.addmm(torch.ones(2, 2, dtype=torch.float64), whole, DENSE.t(), alpha=2)
    elif dense is None:
        dense = call(whole)
    assert torch.equal(found, dense)
    (expected,) = torch.autograd.grad(dense.square().sum(), values)
    (gradient,) = torch.autograd.grad(found.square().sum(), values)
    assert torch.allclose(gradient, expected)


def test_softmax_of_entries():
    x, _ = made()
    dense = x.to_dense().masked_fill(torch.tensor([[False, False, True], [True, True, False]]), -torch.inf)
    assert torch.allclose(torch.sparse.softmax(x, 1).to_dense(), dense.softmax(1))


def test_parts():
    x, _ = made()
    assert (x.is_sparse, x.layout, x._nnz(), x.sparse_dim(), x.dense_dim(), x.is_coalesced()) == (
        True,
        torch.sparse_coo,
        4,
        2,
        0,
        False,
    )
    with pytest.raises(RuntimeError, match=r"Cannot get indices on an uncoalesced tensor, please call .coalesce\(\) first"):
        x.indices()
    assert x.coalesce().indices().tolist() == [[0, 0, 1], [0, 1, 2]] and x.coalesce().values().tolist() == [2, 0, 4]
    rows = x.to_sparse_csr()
    assert rows.crow_indices().tolist() == [0, 2, 3] and rows.col_indices().tolist() == [0, 1, 2]
    assert torch.equal(torch.sparse_csr_tensor([0, 2, 3], [0, 1, 2], rows.values(), (2, 3)).to_dense(), x.to_dense())
    with pytest.raises(RuntimeError, match="crow_indices expected sparse row compressed tensor layout but got Sparse"):
        x.crow_indices()
    with pytest.raises(RuntimeError, match="indices expected sparse coordinate tensor layout but got Strided"):
        torch.ones(2).indices()
    hybrid = DENSE.to_sparse(1)
    assert hybrid.sparse_dim() == 1 and torch.equal(hybrid.to_dense(), DENSE)


def test_what_is_not_known_is_refused():
    x, _ = made()
    for call in (lambda: x.exp(), lambda: torch.max(x), lambda: x == x, lambda: x[0, :2]):
        with pytest.raises(NotImplementedError, match="sparse tensors are"):
            call()
    with pytest.raises(RuntimeError, match=r"add\(sparse, dense\) is not supported. Use add\(dense, sparse\) instead."):
        x + DENSE
    for call in (
        lambda: torch.sparse_coo_tensor([[5]], [1.0], (2,)).to_dense(),
        lambda: torch.sparse_coo_tensor([[-1]], [1.0], (2,)).coalesce(),
    ):
        with pytest.raises(RuntimeError, match="out of range"):
            call()
    with torch.sparse.check_sparse_tensor_invariants():
        for indices, text in (([[5]], "for dim 0, size is 2 but found index 5"), ([[-1]], "found negative index -1 for dim 0")):
            with pytest.raises(RuntimeError, match=text):
                torch.sparse_coo_tensor(indices, [1.0], (2,))
        with pytest.raises(RuntimeError, match="cannot set is_coalesced to true"):
            torch.sparse_coo_tensor([[0, 0], [1, 1]], [1.0, 1.0], (2, 2), is_coalesced=True)


@pytest.mark.parametrize(
    ("offsets", "others", "text"),
    [
        ([1, 1, 1], [0], "`crow_indices[..., 0] == 0` is not satisfied."),
        ([0, 1, 2], [0], "`crow_indices[..., -1] == nnz` is not satisfied."),
        ([0, 2, 1], [0], "`0 <= crow_indices[..., 1:] - crow_indices[..., :-1] <= ncols` is not satisfied."),
        ([0, 1, 1], [2], "`0 <= col_indices < ncols` is not satisfied."),
        ([0, 2, 2], [1, 0], "are sorted and distinct along the last dimension values` is not satisfied."),
        ([0, 1], [0], "crow_indices.shape[-1] must be equal to the number of rows + 1 (=3), but got 2"),
    ],
)
def test_invariants_of_compressed_matrices(offsets, others, text):
    with pytest.raises(RuntimeError, match=re.escape(text)):
        torch.sparse_csr_tensor(offsets, others, torch.ones(len(others)), (2, 2), check_invariants=True)

    assert torch.sparse_csr_tensor([0, 2, 3], [0, 1, 0], torch.ones(3), (2, 2), check_invariants=True)._nnz() == 3


def test_leaves_copies_and_files():
    x = torch.sparse_coo_tensor(INDICES, VALUES, (2, 3), requires_grad=True)
    torch.sparse.mm(x, torch.ones(3, 1)).sum().backward()
    assert x.is_leaf and torch.equal(x.grad.to_dense(), torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0]]))
    file = io.BytesIO()
    torch.save(x.detach(), file)
    file.seek(0)
    for again in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), torch.load(file)):
        assert torch.equal(again.detach().to_dense(), x.detach().to_dense())
    assert repr(torch.eye(2).to_sparse().double()) == (
        "tensor(indices=tensor([[0, 1],\n                       [0, 1]]),\n       values=tensor([1., 1.]),\n"
        "       size=(2, 2), nnz=2, dtype=torch.float64, layout=torch.sparse_coo)"
    )


def looked_up(sparse):
    torch.manual_seed(0)
    table = torch.nn.Embedding(6, 2, padding_idx=0, sparse=sparse)
    return table, torch.tensor([[1, 2, 0], [2, 5, 1]])


def test_gradients_of_tables_are_sparse():
    (table, index), (dense, _) = looked_up(True), looked_up(False)
    for module in (table, dense):
        (module(index).square().sum() + module(index[0]).sum()).backward()
        module(index[1]).sum().backward()
    assert table.weight.grad.is_sparse and torch.allclose(table.weight.grad.to_dense(), dense.weight.grad)
    for optimizer in (torch.optim.SGD([table.weight], lr=0.5), torch.optim.SGD([dense.weight], lr=0.5)):
        optimizer.step()
    assert torch.allclose(table.weight, dense.weight)
    optimizer.zero_grad(set_to_none=False)
    (gradient,) = torch.autograd.grad(table(index).sum(), table.weight)
    assert gradient.is_sparse and gradient.coalesce().indices().tolist() == [[1, 2, 5]]


def test_sparse_adam_moves_the_rows_that_were_looked_up():
    table, index = looked_up(True)
    before = table.weight.detach().clone()
    optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        table(index).square().sum().backward()
        optimizer.step()
    moved = (table.weight - before).detach()
    assert moved.any(1).tolist() == [False, True, True, False, False, True]
    assert torch.allclose(moved[1], torch.tensor([0.2995, -0.2961]), atol=1e-4)
    assert optimizer.state_dict()["state"][0]["step"] == 3
    dense = torch.ones(2, requires_grad=True)
    dense.sum().backward()
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients, please consider Adam instead"):
        torch.optim.SparseAdam([dense]).step()


def test_a_table_is_converted_with_its_sparse_gradient():
    table = torch.nn.Embedding.from_pretrained(torch.ones(5, 2), freeze=False, sparse=True)
    table(torch.tensor([1, 3, 1])).sum().backward()
    table.double()
    grad = table.weight.grad
    assert (
        grad.is_sparse and grad.dtype is table.weight.dtype is torch.float64 and grad.to_dense()[:, 0].tolist() == [0, 2, 0, 1, 0]
    )
    grad.data = torch.eye(3).to_sparse()
    assert grad.shape == (3, 3) and grad.dtype is torch.float32 and grad.to_dense().equal(torch.eye(3))
    with pytest.raises(RuntimeError, match="have incompatible tensor type"):
        grad.data = torch.zeros(3, 3)


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr, torch.sparse_csc])
def test_the_gradient_by_a_sparse_weight(layout):
    dense = torch.tensor([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]], requires_grad=True)
    weight, x = torch.nn.Parameter(dense.detach().to_sparse(layout=layout)), torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    g = torch.tensor([1.0, 10.0])
    found = torch.autograd.grad(torch.nn.functional.linear(x, weight), (weight, x), g)
    expected = torch.autograd.grad(torch.nn.functional.linear(x, dense), (dense, x), g)
    assert found[0].layout is layout and found[0].to_dense().equal(expected[0] * (dense != 0)) and found[1].equal(expected[1])
    assert torch.autograd.grad(weight.to_dense().sum(), weight)[0].to_dense().equal((dense != 0).float())


def test_matrices_turn_in_place():
    x = torch.tensor([[0, 1.0, 2], [3, 0, 0]]).to_sparse()
    wanted = x.to_dense().t()
    assert x.t_() is x and x.shape == (3, 2) and not x.is_coalesced() and x.to_dense().equal(wanted)
    assert x.transpose_(0, 1).to_dense().equal(wanted.t()) and x.swapaxes_(-1, 0).shape == (3, 2)
    blocks = torch.arange(12.0).reshape(2, 2, 3)
    assert blocks.to_sparse(2).transpose_(0, 1).to_dense().equal(blocks.transpose(0, 1))
    with pytest.raises(RuntimeError, match="in-place transposition is not supported for SparseCsr layout"):
        torch.eye(2).to_sparse_csr().t_()
    with pytest.raises(RuntimeError, match=r"t_\(\) expects a tensor with <= 2 sparse and 0 dense dimensions"):
        blocks.to_sparse(2).t_()


def test_products_by_rows():
    x = torch.sparse_coo_tensor([[1, 1, 3, 0, 3], [0, 0, 1, 1, 0]], [1.0, 2, 3, 4, 5], (4, 3))
    d = torch.arange(6.0).reshape(3, 2)
    made = torch.hspmm(x, d)
    assert made.sparse_dim() == 1 and made._indices().tolist() == [[0, 1, 3]] and made.to_dense().equal(x.to_dense() @ d)
    assert (
        not made.is_coalesced()
        and torch.hsmm(x, d).to_dense().equal(made.to_dense())
        and torch.dsmm(x, d).equal(x.to_dense() @ d)
    )
    out = x.clone()
    assert torch.hspmm(x, d, out=out) is out and out.shape == (4, 2) and out.to_dense().equal(made.to_dense())
    for wrong, text in (
        (d[:2], "Expected dim 0 size 3, got 2"),
        (d[0], "matrices expected, got 1D"),
        (d.double(), "expected scalar type Float"),
    ):
        with pytest.raises(RuntimeError, match=text):
            torch.hspmm(x, wrong)


def test_a_sparse_gradient_grows_in_place():
    table, index = looked_up(True)
    table(index).sum().backward()
    gradient = table.weight.grad
    assert gradient._values().is_contiguous()
    with torch.no_grad():
        gradient.zero_()
    table(index).sum().backward()
    assert table.weight.grad is gradient and gradient.to_dense().sum() == 10  # five places, two columns
    row = index[0].clone()
    table.weight.grad = None
    table(row).sum().backward()
    row[0] = 5  # (an index of the program's own, which the gradient has no part in)
    assert table.weight.grad._indices().tolist() == [[1, 2]]
    table.weight.grad = dense = torch.ones(6, 2)
    table(index).sum().backward()
    assert table.weight.grad is dense and dense[2].tolist() == [3, 3]
    dense.sub_(torch.sparse_coo_tensor([[2]], [[3.0, 3.0]], (6, 2)))
    assert dense[2].tolist() == [0, 0]


def test_less_than_two_entries_are_in_order():
    for count, expected in ((0, True), (1, True), (2, False)):
        made = torch.sparse_coo_tensor(torch.zeros(1, count, dtype=torch.int64), torch.ones(count), (4,))
        assert made.is_coalesced() is expected
    assert not torch.sparse_coo_tensor([[0]], [1.0], (4,), is_coalesced=False).is_coalesced()
    table = torch.nn.Embedding(4, 0, sparse=True)
    table(torch.tensor([1, 2])).sum().backward()
    assert table.weight.grad._nnz() == 0 and table.weight.grad.is_coalesced()


def test_sums_in_place_keep_their_dtype():
    x = torch.sparse_coo_tensor([[0]], [1.0], (4,))
    x.add_(torch.sparse_coo_tensor([[1]], [2.0], (4,), dtype=torch.float64))
    assert x.dtype is torch.float32 and x.to_dense().tolist() == [1, 2, 0, 0]


def test_a_product_is_added_to_a_sparse_tensor():
    x = torch.sparse_coo_tensor([[0, 0, 1], [0, 0, 1]], [1.0, 2.0, 3.0], (3, 2))
    a = torch.tensor([[1.0, 0, 2], [0, 0, 0], [0, 3, 0]]).to_sparse()
    b = torch.tensor([[0.0, 1], [2, 0], [0, 0]])
    made = torch.sspaddmm(x, a, b, beta=2, alpha=-1)
    assert made._indices().tolist() == [[0, 0, 1, 0, 0, 2, 2], [0, 0, 1, 0, 1, 0, 1]] and not made.is_coalesced()
    assert made._values().tolist() == [2, 4, 6, 0, -1, -6, 0]
    assert torch.smm(a, b)._values().tolist() == [0, 1, 6, 0] and torch.saddmm(x, a, b)._nnz() == 7
    with pytest.raises(RuntimeError, match="_internal_get_SparseTensorImpl: not a sparse tensor"):
        torch.sspaddmm(x, a, b, out=torch.ones(3, 2))
    with pytest.raises(RuntimeError, match="can only be called on sparse tensors"):
        torch.sspaddmm(b, a, b)


def test_old_constructor():
    x = torch.eye(3).to_sparse()
    assert x.new().shape == (0,) and x.new().resize_as_(x).shape == (3, 3)
    assert x.double().new(2, 3).dtype is torch.float64 and x.new(x.size())._nnz() == 0
    assert x.new(x._indices(), 2 * x._values(), x.size()).to_dense().equal(2 * torch.eye(3))
    with pytest.raises(TypeError, match="only accepts sizes"):
        x.new([2, 3])


@pytest.mark.parametrize("names", [("int64", "uint8"), ("uint8", "int8"), ("float16", "float32"), ("float64", "int16")])
def test_sums_of_two_dtypes(names):
    left, right = (torch.tensor([[0, 3], [20, 1]]).to(getattr(torch, name)) for name in names)
    for function in (torch.add, torch.sub):
        for alpha in (1, 3):
            made = function(left.to_sparse(), right.to_sparse(), alpha=alpha).to_dense()
            wanted = function(left, right, alpha=alpha)
            assert made.dtype is wanted.dtype and torch.equal(made, wanted)


def test_what_no_division_and_difference_take():
    x = torch.eye(2)
    with pytest.raises(RuntimeError, match="Sparse division requires a scalar"):
        x.div_(x.to_sparse())
    for left, right in ((x, x.bool().to_sparse()), (x.bool(), x.to_sparse()), (x.to_sparse(), x.bool().to_sparse())):
        with pytest.raises(RuntimeError, match="Subtraction, the `-` operator, with a bool tensor is not supported"):
            left - right
    with pytest.raises(RuntimeError, match="memory format option is only supported by strided tensors"):
        torch.empty_like(x.to_sparse(), memory_format=torch.preserve_format)
    with pytest.raises(TypeError, match="can't convert SparseCsr layout tensor to numpy"):
        x.to_sparse_csr().__array__()


def test_gradients_with_places_of_their_own():
    x = torch.eye(2).to_sparse().requires_grad_()
    x.grad = torch.ones(2, 2).to_sparse()
    (3 * x.to_dense()).sum().backward()
    assert torch.equal(copy.deepcopy([x, x])[1].grad.to_dense(), torch.tensor([[4.0, 1.0], [1.0, 4.0]]))
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(x * 2)
    with pytest.raises(RuntimeError, match="data of a different type"):
        x.grad = torch.ones(2, 2)


def test_no_dimensions():
    one, none = torch.tensor(3.0).to_sparse(), torch.tensor(0.0).to_sparse()
    assert (one._nnz(), none._nnz(), none.values().shape) == (1, 0, (0,))
    assert torch.tensor(2.0).sparse_mask(one).values().tolist() == [2] and torch.tensor(2.0).sparse_mask(none)._nnz() == 0
    assert (one + one).to_dense().item() == 6 and (one + none).to_dense().item() == 3 and none.to_dense().item() == 0


def test_a_sum_of_halves_in_one_place_can_be_too_large():
    """A scaler looks at what stands in each place, not at its parts."""
    param = torch.nn.Parameter(torch.zeros(2, dtype=torch.float16))
    param.grad = torch.sparse_coo_tensor([[0, 0]], torch.tensor([64000.0, 64000.0]), (2,), dtype=torch.float16)
    scaler, optimizer = torch.amp.GradScaler("cpu"), torch.optim.SGD([param], 1.0)
    found = scaler._unscale_grads_(optimizer, torch.tensor(0.25), torch.zeros(()), True)
    assert [each.item() for each in found.values()] == [1]


@pytest.mark.parametrize("short", [False, True])
def test_indices_between_layouts(short):
    rows, columns = torch.tensor([0, 0, 2, 3]), torch.tensor([1, 2, 0, 3])
    begins = torch._convert_indices_from_coo_to_csr(rows, 5, out_int32=short)
    assert begins.tolist() == [0, 2, 2, 3, 4, 4] and begins.dtype == (torch.int32 if short else torch.int64)
    back = torch._convert_indices_from_csr_to_coo(begins, columns, out_int32=short)
    assert back.tolist() == [rows.tolist(), columns.tolist()] and back.dtype == begins.dtype
    turned = torch._convert_indices_from_csr_to_coo(begins, columns, out_int32=short, transpose=True)
    assert turned.tolist() == [columns.tolist(), rows.tolist()]
    with pytest.raises(NotImplementedError, match="\"convert_indices_from_coo_to_csr_cpu\" not implemented for 'Float'"):
        torch._convert_indices_from_coo_to_csr(rows.float(), 5)


def test_coalesced_is_what_it_is_said_to_be():
    x = torch.sparse_coo_tensor([[1, 0]], [1.0, 2.0], (3,))
    assert not x.is_coalesced() and x._coalesced_(True) is x and x.is_coalesced()
    assert not x._coalesced_(False).is_coalesced()
