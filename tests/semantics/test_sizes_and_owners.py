"""Sizes beyond what int64 or any memory holds, sequences that change while they are read, and who keeps which memory."""

import gc
import warnings

import pytest

pytestmark = pytest.mark.core
np = pytest.importorskip("numpy")

STORAGE = "Storage size calculation overflowed with sizes="
NUMEL = "numel: integer multiplication overflow"
STRIDE = "Stride calculation overflowed"
UNPACK = "Overflow when unpacking long long"
BOUNDS = "are out of bounds for storage of size 16"
HUGE = 2**62
SHARED = "some elements of the input tensor and the written-to tensor refer to a single memory location"
EXPANDED = "more than one element of the written-to tensor refers to a single memory location"

TOO_LARGE = [
    ("empty({})", "torch.empty(HUGE)", RuntimeError, STORAGE + f"[{HUGE}]"),
    ("two dims", "torch.empty(2**31, 2**31)", RuntimeError, STORAGE + "[2147483648, 2147483648]"),
    ("complex", "torch.zeros(2**60, dtype=torch.complex128)", RuntimeError, STORAGE),
    ("bytes", "torch.zeros(2**50, dtype=torch.int8)", RuntimeError, "DefaultCPUAllocator: can't allocate memory"),
    ("ones", "torch.ones(HUGE)", RuntimeError, STORAGE),
    ("full", "torch.full((2**31, 2**31), 1)", RuntimeError, STORAGE),
    ("rand", "torch.rand(HUGE)", RuntimeError, STORAGE),
    ("randint", "torch.randint(3, (HUGE,))", RuntimeError, STORAGE),
    ("zero last", "torch.zeros(HUGE, 4, 0)", RuntimeError, STORAGE),
    ("strides", "torch.empty(0, HUGE, HUGE)", RuntimeError, STRIDE),
    ("not int64", "torch.empty(2**63)", TypeError, UNPACK),
    ("eye", "torch.eye(2**31, 2**31)", RuntimeError, STORAGE),
    ("eye numel", "torch.eye(HUGE)", RuntimeError, NUMEL),
    ("arange", "torch.arange(0, HUGE)", RuntimeError, STORAGE),
    ("arange int64", "torch.arange(0, 2**63)", RuntimeError, "value cannot be converted to type int64_t without overflow"),
    ("arange step", "torch.arange(0, 10, 1e-300)", RuntimeError, "invalid size, possible overflow"),
    ("linspace", "torch.linspace(0, 1, HUGE)", RuntimeError, STORAGE),
    ("logspace", "torch.logspace(0, 1, HUGE)", RuntimeError, STORAGE),
    ("randperm", "torch.randperm(HUGE)", RuntimeError, STORAGE),
    ("window", "torch.bartlett_window(HUGE)", RuntimeError, STORAGE),
    ("triangle", "torch.tril_indices(HUGE, HUGE)", RuntimeError, STORAGE),
    ("histc", "torch.histc(x, HUGE)", RuntimeError, STORAGE),
    ("multinomial", "torch.multinomial(x, HUGE, True)", RuntimeError, STORAGE),
    ("bincount", "torch.bincount(torch.tensor([2**63 - 1]))", RuntimeError, "maximum value of input overflowed"),
    ("bincount length", "torch.bincount(torch.tensor([1]), minlength=HUGE)", RuntimeError, STORAGE),
    ("one_hot", "torch.nn.functional.one_hot(torch.tensor([1, 2]), 2**60)", RuntimeError, STORAGE),
    ("vander", "torch.vander(x, HUGE)", RuntimeError, STORAGE),
    ("tensor_split", "x.tensor_split(HUGE)", RuntimeError, "cannot create std::vector larger than max_size"),
    *[
        (part, f"torch.zeros(2**40, 0).{part}", RuntimeError, "std::bad_alloc")
        for part in ("unbind()", "split(1)", "chunk(2**40)", "tensor_split(2**40)", "vsplit(2**40)", "__iter__()")
    ],
    ("chunks of nothing", "torch.zeros(0).chunk(2**40)", RuntimeError, "std::bad_alloc"),
    ("more unbound", "torch.zeros(HUGE, 0).unbind()", RuntimeError, "cannot create std::vector larger than max_size"),
    ("tolist", "torch.zeros(2**40, 0).tolist()", MemoryError, ""),
    ("combinations", "torch.combinations(x, 64)", RuntimeError, NUMEL),
    ("many combinations", "torch.combinations(x, 2**40)", RuntimeError, "std::bad_alloc"),
    ("like", "torch.zeros_like(big)", RuntimeError, STORAGE + f"[{HUGE}] and strides=[1]"),
    ("new", "x.new_zeros(2**31, 2**31)", RuntimeError, STORAGE),
    ("clone", "big.clone()", RuntimeError, STORAGE + f"[{HUGE}] and strides=[1]"),
    ("contiguous", "big.contiguous()", RuntimeError, STORAGE),
    ("to", "big.to(torch.float64)", RuntimeError, STORAGE),
    ("strided", "torch.empty_strided((2,), (HUGE,))", RuntimeError, STORAGE + f"[2] and strides=[{HUGE}]"),
    ("strided numel", "torch.empty_strided((HUGE, HUGE), (0, 0))", RuntimeError, NUMEL),
    ("strided below", "torch.empty_strided((2,), (-1,))", RuntimeError, STORAGE),
    ("resize", "torch.zeros(4).resize_(HUGE)", RuntimeError, STORAGE),
    ("resize numel", "torch.zeros(4).resize_(2**40, 2**40)", RuntimeError, NUMEL),
    ("resize behind an offset", "torch.zeros(4)[2:].resize_(2**61 - 1)", RuntimeError, STORAGE),
    ("resize to less than nothing", "torch.zeros(4).resize_(-1)", RuntimeError, NUMEL),
    ("resize strides", "torch.zeros(4).resize_(0, HUGE, HUGE)", RuntimeError, STRIDE),
    ("as_strided", "x.as_strided((2,), (HUGE,))", RuntimeError, STORAGE),
    ("as_strided offset", "x.as_strided((1,), (1,), HUGE)", RuntimeError, STORAGE),
    ("as_strided bounds", "x.as_strided((5,), (1,))", RuntimeError, BOUNDS),
    ("as_strided of a view", "x[2:].as_strided((3,), (1,))", RuntimeError, BOUNDS),
    ("as_strided wide", "x.as_strided((2**32, 2**32), (1, 1))", RuntimeError, BOUNDS),
    ("as_strided numel", "x.as_strided((2**32, 2**31), (0, 0))", RuntimeError, NUMEL),
    ("as_strided below", "x.as_strided((2,), (-1,))", RuntimeError, "Negative strides are not supported"),
    ("as_strided negative", "x.as_strided((-2,), (1,))", RuntimeError, STORAGE),
    ("expand", "x[:1, None].expand(2**40, 2**40)", RuntimeError, NUMEL),
    ("expand negative", "x[:1].expand(-2)", RuntimeError, NUMEL),
    ("broadcast", "x[:1, None].expand(2**40, 1) + x[None, :1].expand(1, 2**40)", RuntimeError, STORAGE),
    ("broadcast_to", "torch.broadcast_to(x[:1], (2**40, 2**40))", RuntimeError, NUMEL),
    ("outer", "torch.outer(x[:1].expand(2**40), x[:1].expand(2**40))", RuntimeError, STORAGE),
    ("product", "x[:1, None].expand(2**31, 1) @ x[None, :1].expand(1, 2**31)", RuntimeError, STORAGE),
    ("cat", "torch.cat([x[:1].expand(2**60)] * 2)", RuntimeError, STORAGE),
    ("repeats", "torch.repeat_interleave(x, torch.tensor([2**61, 0, 0, 0]))", RuntimeError, STORAGE),
    ("view", "x.view(2**32, 2**32)", RuntimeError, "is invalid for input of size 4"),
    ("view numel", "x[:0].view(HUGE, HUGE, 0)", RuntimeError, NUMEL),
    ("unfold", "x[:1].expand(2**40).unfold(0, 2**39, 1)", RuntimeError, NUMEL),
    ("unfold step", "torch.ones(4, 4).unfold(0, 2, 2**63 - 1)", RuntimeError, "Negative strides are not supported"),
    ("slice step", "torch.ones(4, 4)[:: 2**63 - 1]", RuntimeError, "Negative strides are not supported"),
    ("index", "x[2**63]", ValueError, UNPACK),
    ("view_as_real", "torch.view_as_real(x[:1].to(torch.complex64).expand(HUGE))", RuntimeError, NUMEL),
    ("reduction", "torch.zeros(HUGE, 0).sum(1)", RuntimeError, STORAGE),
    ("pad", "torch.nn.functional.pad(x, (2**61, 0))", RuntimeError, STORAGE),
    ("set_ strides", "x[:0].detach().set_(s, 0, (2,), (HUGE,))", RuntimeError, STORAGE),
    ("set_ offset", "x[:0].detach().set_(s, HUGE, (1,), (1,))", RuntimeError, STORAGE),
    ("set_ below", "x[:0].detach().set_(s, 0, (3,), (-1,))", RuntimeError, STORAGE),
    ("set_ negative", "x[:0].detach().set_(s, 0, (-3, -2), (1, 1))", RuntimeError, NUMEL),
    ("set_ lengths", "x[:0].detach().set_(s, 0, (2, 2), (1,))", RuntimeError, "unequal size length"),
    ("set_ start", "x[:0].detach().set_(s, -1, (1,), (1,))", RuntimeError, "invalid storage offset -1"),
    ("split", "x.split([4, HUGE, -HUGE])", RuntimeError, "non-negative entries"),
    (
        "frombuffer",
        "torch.frombuffer(bytearray(8), dtype=torch.int16, count=HUGE)",
        ValueError,
        "must not be greater than actual buffer",
    ),
    (
        "frombuffer offset",
        "torch.frombuffer(bytearray(8), dtype=torch.int32, offset=HUGE)",
        ValueError,
        "no greater than buffer length",
    ),
    ("Tensor", "torch.Tensor(2**31, 2**31)", RuntimeError, STORAGE),
]


@pytest.mark.parametrize(("call", "error", "text"), [case[1:] for case in TOO_LARGE], ids=[case[0] for case in TOO_LARGE])
def test_sizes_that_overflow(torch, call, error, text):
    x = torch.ones(4)
    names = {"torch": torch, "np": np, "x": x, "big": x[:1].expand(HUGE), "s": x.untyped_storage(), "HUGE": HUGE}
    with pytest.raises(error) as raised:
        eval(call, names)
    assert text in str(raised.value)
    assert x.tolist() == [1.0] * 4


def test_sizes_that_nothing_fills(torch):
    assert torch.empty(0, HUGE).shape == (0, HUGE)
    assert torch.ones(1).expand(HUGE).shape == (HUGE,)
    assert torch.zeros(1, 1).expand(2**31, 2**31).stride() == (0, 0)
    assert torch.ones(4).as_strided((0,), (1,), 400).shape == (0,)
    assert torch.ones(4, 4).unfold(0, 2, HUGE).stride() == (0, 1, 4)
    assert torch.triu_indices(2**40, 1).tolist() == [[0], [0]]
    assert torch.tril_indices(3, 3, -HUGE).shape == (2, 0)
    assert torch.ones(2, 2).tril(2**63 - 1).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_sizes_without_elements(torch):
    """Where another dimension is empty, a large one costs no time and no memory."""
    x, y = torch.zeros(2**40, 0), torch.zeros(0, 2**40)
    assert x.repeat(2, 0).shape == x.tile(2, 1).shape == torch.cat([x, x]).shape == (2**41, 0)
    assert torch.stack([y, y], -1).shape == (0, 2**40, 2)
    assert (x + 1).shape == x.cumsum(1).shape == x.flip(0).shape == x.roll(3, 0).shape == x.softmax(1).shape == x.shape
    assert [part.shape for part in x.split(2**39)] == [(2**39, 0)] * 2
    assert x.topk(1, 0).values.shape == (1, 0)
    assert y.matmul(x).shape == (0, 0)
    assert y.diff().shape == (0, 2**40 - 1)
    assert x.unfold(0, 1, 1).shape == (2**40, 0, 1)
    assert torch.vander(torch.zeros(0), 2**40).shape == (0, 2**40)
    assert torch.combinations(torch.zeros(1), 100).shape == (0, 100)
    assert torch.linalg.matrix_power(torch.eye(2), HUGE).equal(torch.eye(2))
    assert str(x) == "tensor([], size=(1099511627776, 0))"
    # Places in what has no elements, beyond int64 in bytes.
    wide = torch.zeros(2, 0, HUGE)
    assert wide.tolist() == [[], []]
    assert wide[1].shape == wide.unbind()[1].shape == wide[1:][0].shape == (0, HUGE)
    assert wide.split(1)[1].shape == wide.narrow(0, 1, 1).shape == (1, 0, HUGE)
    assert torch.zeros(0, 2, 2**61).diagonal(1).shape == (2**61, 0)


def test_large_counts_of_digits(torch):
    x = torch.tensor([1.25, -3e30, 0.0])
    for decimals in (2**63 - 1, -(2**63), 2**31, 40, -40):
        assert x.round(decimals=decimals).isnan().all()
    assert x.double().round(decimals=23).equal(x.double())


@pytest.mark.parametrize("offset", range(-4, 5))
def test_indices_of_triangles(torch, offset):
    for name in ("tril", "triu"):
        for rows, columns in ((3, 4), (4, 2), (0, 3), (3, 0), (1, 1)):
            mask = getattr(torch.ones(rows, columns), name)(offset)
            assert torch.equal(getattr(torch, name + "_indices")(rows, columns, offset), mask.nonzero().t())


# ---- sequences -----------------------------------------------------------------------------------------------------------
class Longer(list):
    def __len__(self):
        return 3

    def __iter__(self):
        return iter([1.0] * 1000)

    def __getitem__(self, place):
        return 1.0


class Claims(list):
    def __len__(self):
        return 300


class Clears(int):
    def __index__(self):
        self.holder.clear()
        return 2


class ClearsFloat:
    def __float__(self):
        self.holder.clear()
        return 2.0


def holding(item, *others):
    item.holder = [item, *others]
    return item.holder


def test_sequences_that_lie(torch):
    for make in (torch.tensor, torch.as_tensor, torch.Tensor):
        with pytest.raises(ValueError, match=r"expected sequence of length 3 at dim 0 \(got 1000\)"):
            make(Longer([1.0, 2.0, 3.0]))
    with pytest.raises(IndexError, match="list index out of range"):
        torch.tensor([Claims([1.0, 2.0])])
    # Sizes are what a list holds.
    assert torch.empty(Claims([1, 2])).shape == torch.ones(2).view(Claims([1, 2])).shape == (1, 2)


def test_sequences_that_change(torch):
    assert torch.empty(holding(Clears(2), 3, 3)).shape == (2, 3, 3)
    assert torch.ones(12).view(holding(Clears(2), 3, 2)).shape == (2, 3, 2)
    assert torch.ones(2, 1).expand(holding(Clears(2), 3)).shape == (2, 3)
    assert torch.tensor(holding(Clears(2), 3, 3)).tolist() == [2, 3, 3]
    assert torch.tensor(holding(ClearsFloat(), 1.0, 1.0), dtype=torch.float64).tolist() == [2.0, 1.0, 1.0]


def test_sequences_in_themselves(torch):
    inner, mixed = [], [1]
    inner.append(inner)
    mixed.append(mixed)
    for make in (torch.tensor, torch.as_tensor, torch.Tensor, torch.ones(2).new_tensor):
        with pytest.raises(ValueError, match="too many dimensions 'list'"):
            make(inner)
    with pytest.raises(TypeError, match=r"new\(\): self-referential lists are incompatible"):
        torch.tensor(mixed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TypeError, match=r"new\(\): self-referential lists are incompatible"):
            torch.ones(2)[inner]
    with pytest.raises(TypeError, match="expected Tensor as element 1 in argument 0, but got list"):
        torch.cat([torch.ones(2), inner])
    with pytest.raises(RecursionError):
        torch.func.vmap(lambda x: x)(inner)
    with pytest.raises(RecursionError):
        torch.func.vmap(lambda x: inner)(torch.ones(2))


def test_deep_sequences(torch):
    deep = 1.0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="too many dimensions 'list'"):
        torch.tensor(deep)
    with pytest.raises(TypeError, match="expected Tensor as element 0 in argument 0, but got list"):
        torch.cat(deep)
    with pytest.raises(RecursionError):
        torch.func.vmap(lambda x: x)(deep)


def test_modules_in_themselves(torch):
    module = torch.nn.Linear(2, 2)
    module.itself = module
    assert len(list(module.modules())) == 1 and len(list(module.parameters())) == 2
    for walk in (module.train, module.state_dict, module.double, lambda: repr(module)):
        with pytest.raises(RecursionError):
            walk()
    with pytest.raises(RecursionError):
        torch.func.functional_call(module, {"weight": torch.ones(2, 2)}, (torch.ones(1, 2),))


def test_objects_that_say_they_are_arrays(torch):
    class Pretends:
        __array_interface__ = np.ones(3).__array_interface__
        shape, ndim, dtype = (3,), 1, np.dtype("float64")

    for make in (torch.tensor, torch.as_tensor, torch.asarray):
        with pytest.raises(RuntimeError, match="Could not infer dtype of Pretends"):
            make(Pretends())
    with pytest.raises(TypeError, match=r"expected np.ndarray \(got Pretends\)"):
        torch.from_numpy(Pretends())


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        ([[1, 2], [3]], ValueError, r"expected sequence of length 2 at dim 1 \(got 1\)"),
        ([[1, 2], 3], TypeError, "not a sequence"),
        ([1, [2, 3]], TypeError, "'list' object cannot be interpreted as an integer"),
        ([1.0, [2.0]], TypeError, "must be real number, not list"),
        ([2**70], ValueError, "Overflow when unpacking long long"),
        (["a"], ValueError, "too many dimensions 'str'"),
        ("a", TypeError, r"new\(\): invalid data type 'str'"),
        ([1, b"a"], TypeError, r"new\(\): invalid data type 'bytes'"),
        ([None], RuntimeError, "Could not infer dtype of NoneType"),
        ({1: 2}, RuntimeError, "Could not infer dtype of dict"),
        ([np.ones(2), np.ones(3)], ValueError, r"expected sequence of length 2 at dim 1 \(got 3\)"),
        ([np.array(1.0)], TypeError, "len\\(\\) of unsized object"),
    ],
)
def test_data_that_is_none(torch, data, error, text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error, match=text):
            torch.tensor(data)


def test_numbers_beyond_their_dtype(torch):
    with pytest.raises(RuntimeError, match="value cannot be converted to type uint8 without overflow"):
        torch.tensor([300], dtype=torch.uint8)
    assert torch.tensor([-1], dtype=torch.uint8).tolist() == [255]
    assert torch.tensor([1e40, 1e5], dtype=torch.float16).tolist() == [float("inf")] * 2
    with pytest.raises(RuntimeError, match="value cannot be converted to type c10::Half without overflow"):
        torch.ones(2, dtype=torch.float16).fill_(1e5)
    assert torch.ones(1, dtype=torch.float16).fill_(1e5).tolist() == [float("inf")]
    x = torch.ones(2, 2, dtype=torch.bfloat16)
    x[0] = -1e39
    assert x.tolist() == [[float("-inf")] * 2, [1.0, 1.0]]
    with pytest.raises(RuntimeError, match="value cannot be converted to type uint8_t without overflow"):
        torch.ones(2, dtype=torch.uint8).fill_(300)


# ---- owners --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("replace", [lambda x, y: setattr(x, "data", y), lambda x, y: x.set_(y)], ids=["data", "set_"])
def test_arrays_keep_their_memory(torch, replace):
    x = torch.zeros(300_000)
    array = x.numpy()
    replace(x, torch.ones(3))
    torch.full((300_000,), 7.0)
    assert not array.any()
    del x
    gc.collect()
    torch.full((300_000,), 7.0)
    assert not array.any()


def test_exported_memory_does_not_move(torch):
    exported = torch.zeros(4)
    exported.numpy()
    fixed = [exported, torch.from_numpy(np.zeros(4)), torch.frombuffer(bytearray(16), dtype=torch.float32)]
    fixed += [torch.from_dlpack(torch.zeros(4)), exported.view(2, 2), exported.data]
    for x in fixed:
        assert x.resize_(2).shape == (2,)
        with pytest.raises(RuntimeError, match="Trying to resize storage that is not resizable"):
            x.resize_(5)


def test_lent_memory_may_move(torch):
    x = torch.ones(4)
    lent = torch.from_dlpack(x)
    x.resize_(100_000).fill_(3)
    assert lent.shape == (4,)


@pytest.mark.parametrize(
    "view", [lambda x: x[1:3], lambda x: x.view(2, 2), lambda x: x.detach(), lambda x: x.data, lambda x: x.t()]
)
def test_views_follow_memory_that_grows(torch, view):
    for grow in (lambda t: t.resize_(100_000), lambda t: torch.add(torch.ones(100_000), 0, out=t)):
        for of_view in (False, True):
            x = torch.zeros(4)
            other = view(x)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                grow(other if of_view else x)
            assert x.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
            x[:4].fill_(7)
            assert other.reshape(-1)[0] == 7


def test_set_makes_room(torch):
    x = torch.arange(4.0)
    y = torch.empty(0).set_(x.untyped_storage(), 2, (5,))
    assert y.storage_offset() == 2 and x.untyped_storage().nbytes() == 28
    y.fill_(5)
    assert x.tolist() == [0.0, 1.0, 5.0, 5.0]
    assert torch.empty(0).set_(x.untyped_storage()).shape == (7,)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda t, b: t.cat([b[:2], b[2:]], out=b), SHARED),
        (lambda t, b: t.stack([b[:2], b[2:4]], out=b[:4].view(2, 2)), SHARED),
        (lambda t, b: t.gather(b, 0, t.tensor([1, 0]), out=b[:2]), SHARED),
        (lambda t, b: t.index_select(b, 0, t.tensor([1, 0]), out=b[:2]), SHARED),
        (lambda t, b: t.take(b, t.tensor([1, 0]), out=b[:2]), SHARED),
        (lambda t, b: t.masked_select(b, b > 3, out=b), SHARED),
        (lambda t, b: t.cumsum(b[:4], 0, out=b[2:6]), SHARED),
        (lambda t, b: t.sort(b[:4], out=(b[2:6], t.arange(4))), SHARED),
        (lambda t, b: t.exp(b[:4], out=b[2:6]), SHARED),
        (lambda t, b: t.exp(b[:3], out=b), SHARED),
        (lambda t, b: t.where(b[:4] > 3, b[:4], b[2:6], out=b[3:7]), SHARED),
        (lambda t, b: b[1:].copy_(b[:-1]), SHARED),
        (lambda t, b: t.exp(t.ones(3), out=b[:1].expand(3)), EXPANDED),
        (lambda t, b: t.arange(3, out=b[:1].expand(3)), EXPANDED),
        (lambda t, b: t.add(b, t.ones(100, 8), out=b), "doesn't match the broadcast shape"),
        (lambda t, b: t.ge(b[:1].long(), t.ones(3, 4000), out=b[:1].bool()), None),
    ],
)
def test_outputs_that_are_inputs(torch, call, text):
    b = torch.arange(8.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if text is None:
            call(torch, b)
        else:
            with pytest.raises(RuntimeError, match=text):
                call(torch, b)
    assert torch.equal(b, torch.arange(8.0))


@pytest.mark.parametrize("name", ["arange", "linspace", "logspace", "zeros", "ones", "full", "empty", "rand", "randn"])
def test_outputs_that_are_views(torch, name):
    arguments = {"linspace": (0, 1, 4), "logspace": (0, 1, 4), "full": ((4,), 3.0)}.get(name, (4,))
    memory = torch.full((9,), -5.0)
    getattr(torch, name)(*arguments, out=memory[:8:2])
    assert memory[1::2].tolist() == [-5.0] * 4 and memory[8] == -5
    if name in ("arange", "linspace", "logspace"):
        expected = getattr(torch, name)(*arguments).to(torch.float32)
        assert torch.equal(memory[:8:2], expected)
        square = torch.zeros(2, 2)
        assert getattr(torch, name)(*arguments, out=square) is square
        assert torch.equal(square, expected.view(2, 2))


def test_resize_in_a_format(torch):
    x = torch.zeros(2, 2).resize_(3, 3, 3, 3, memory_format=torch.channels_last)
    assert x.stride() == (27, 1, 9, 3)
    assert torch.zeros(2).resize_as_(x).stride() == (27, 9, 3, 1)
    assert torch.zeros(2).resize_as_(x, memory_format=torch.preserve_format).stride() == x.stride()
    with pytest.raises(RuntimeError, match="required rank 4 tensor to use channels_last format"):
        torch.zeros(2).resize_(3, memory_format=torch.channels_last)


# ---- NumPy and DLPack ----------------------------------------------------------------------------------------------------
def test_arrays_that_are_refused(torch):
    for make in (torch.from_numpy, torch.tensor, torch.as_tensor):
        with pytest.raises(ValueError, match="given numpy array has byte order different from the native byte order"):
            make(np.arange(3, dtype=">i4"))
        with pytest.raises(TypeError, match=r"can't convert np\.ndarray of type numpy\.object_"):
            make(np.array([1, "a"], dtype=object))
        with pytest.raises(ValueError, match=r"At least one stride in the given numpy array is negative"):
            make(np.zeros(3)[::-1])
        with pytest.raises(ValueError, match="strides not a multiple of the element byte size"):
            make(np.zeros(2, [("a", "f4"), ("b", "f8")])["b"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # (lists of arrays are slow, they say, once)
        assert torch.tensor([[1], np.ones(1, dtype=">i4")]).tolist() == [[1], [1]]


def test_subclasses_of_arrays(torch):
    assert torch.from_numpy(np.ma.array([1.0, 2.0], mask=[0, 1])).tolist() == [1.0, 2.0]


def test_arrays_come_from_tensors(torch):
    x = torch.ones(2)
    assert isinstance(x.numpy().base, torch.Tensor)
    assert torch.tensor(x.numpy()).tolist() == torch.from_numpy(x.numpy()).tolist() == [1.0, 1.0]


def test_capsules(torch):
    x = torch.zeros(2)
    array = np.from_dlpack(x)
    array[0] = 5
    assert x.tolist() == [5.0, 0.0]
    read_only = np.broadcast_to(np.ones(1), (3,))
    assert torch.from_dlpack(read_only).stride() == (0,)
    assert x.__dlpack_device__()[0].name == "kDLCPU"
    capsule = x.__dlpack__(max_version=(1, 0))
    assert "dltensor_versioned" in repr(capsule)
    assert torch.from_dlpack(capsule).data_ptr() == x.data_ptr()
    for spent in (capsule, 3, None):
        with pytest.raises(RuntimeError, match="from_dlpack received an invalid capsule"):
            torch.from_dlpack(spent)
    assert torch.from_dlpack(x, copy=True).data_ptr() != x.data_ptr()
    with pytest.raises(AssertionError, match="device and copy kwargs not supported"):
        torch.from_dlpack(x.__dlpack__(), copy=True)
    with pytest.raises(TypeError, match="stream must be"):
        x.__dlpack__(stream="a")
    for cut in (x[::2], x[:0], x.view(1, 2)):
        assert torch.from_dlpack(cut).stride() == cut.stride()


def test_objects_that_speak_dlpack(torch):
    class Old:
        def __dlpack__(self):
            return torch.ones(2).__dlpack__()

        def __dlpack_device__(self):
            return (1, 0)

    for make in (torch.from_dlpack, torch.as_tensor, torch.tensor, torch.asarray):
        assert make(Old()).tolist() == [1.0, 1.0]


def test_buffers_that_are_refused(torch):
    for arguments, text in [
        ((bytearray(8), {"count": 0}), r"both buffer length \(8\) and count \(0\) must not be 0"),
        ((bytearray(), {}), r"both buffer length \(0\) and count \(-1\) must not be 0"),
        ((bytearray(8), {"offset": -1}), r"offset \(-1 bytes\) must be non-negative"),
        ((bytearray(9), {}), "must be a multiple of element size"),
        ((3, {}), "object does not implement Python buffer protocol"),
        ((bytearray(8), {"count": 2**64}), UNPACK),
    ]:
        with pytest.raises(ValueError, match=text):
            torch.frombuffer(arguments[0], dtype=torch.int16, **arguments[1])
    assert torch.frombuffer(bytearray(b"\0\1\0\1\0"), dtype=torch.int16, offset=1).tolist() == [1, 1]


def test_results_that_are_inputs(torch):
    """Where the result is an input itself, `out=` may not share a part of its memory; rows of a wider matrix are copied as they lie."""
    x = torch.arange(12.0).reshape(3, 4)
    for call in (lambda: torch.diff(x[:2], 0, out=x[1:]), lambda: torch.chain_matmul(x[:2], out=x[1:])):
        with warnings.catch_warnings(), pytest.raises(RuntimeError, match=SHARED):
            warnings.simplefilter("ignore")
            call()
    assert torch.diff(x, 0, out=x).tolist() == torch.arange(12.0).reshape(3, 4).tolist()
    rows = torch.arange(12.0).reshape(3, 4)
    rows[:, 2:].copy_(rows[:, :2])
    assert rows[0].tolist() == [0, 1, 0, 1]
    rows[:, 1:].copy_(rows[:, :3])
    assert rows.shape == (3, 4)
