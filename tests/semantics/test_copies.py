"""Copies of tensors: their versions, the memory that they share, and what a tensor's attributes accept."""

import copy
import pickle

import pytest


@pytest.fixture
def counted(torch):
    made = torch.arange(6.0).view(2, 3).clone()
    made.add_(1)
    made.add_(1)
    return made


def test_copies_count_writes_for_themselves(torch, counted):
    x = counted
    for made in (copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))):
        assert made._version == 1 and x._version == 2
        made.mul_(1)
        assert made._version == 2 and x._version == 2
    assert x.clone()._version == 0 and x.data._version == 0 and x.detach()._version == 2


def test_a_shallow_copy_shares_memory(torch, counted):
    x = counted
    made = copy.copy(x)
    assert made is not x and made.data_ptr() == x.data_ptr() and made.grad is None
    y = torch.ones(2, requires_grad=True)
    z = y * y
    copy.copy(y).detach().add_(1)
    # Its writes are not seen by backward.
    z.sum().backward()
    assert y.grad.tolist() == [4.0, 4.0]


def test_deep_copies_share_memory_among_themselves(torch, counted):
    x = counted
    for pair in ((x[0], x[1:]), (x, x.data), (x.data, x.detach()), (copy.copy(x), x)):
        first, second = copy.deepcopy(pair)
        assert first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr() != x.untyped_storage().data_ptr()
    once = copy.deepcopy((x[0], x))
    again = copy.deepcopy(once)
    again[0].fill_(7)
    assert again[1][0].tolist() == [7.0] * 3


def test_copies_can_grow(torch, counted):
    x = counted
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        made.resize_(100)
        assert made.shape == (100,) and made[:6].tolist() == x.reshape(-1).tolist()


def test_deep_copies_of_leaves_and_results(torch):
    leaf = torch.ones(2, requires_grad=True)
    leaf.note = [1]
    (leaf * 3).sum().backward()
    made = copy.deepcopy(leaf)
    assert made.requires_grad and made.grad.tolist() == [3.0, 3.0] and made.grad is not leaf.grad
    assert made.note == [1] and made.note is not leaf.note and copy.copy(leaf).note is leaf.note
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(leaf * 2)
    assert pickle.loads(pickle.dumps(leaf * 2)).is_leaf and copy.copy(leaf * 2).is_leaf
    first, second = copy.deepcopy([leaf, leaf])
    assert first is second
    for node in ((leaf * 2).grad_fn, (leaf * 2).grad_fn.next_functions[0][0]):
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(node)


def test_what_cannot_be_deleted(torch):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"Deleting tensor data is not allowed. Delete tensor instead!"):
        del x.data
    x.grad = torch.ones(2)
    del x.grad
    assert x.grad is None


def test_requires_grad_of_results(torch):
    y = torch.ones(2, requires_grad=True) * 2
    assert y.requires_grad_() is y
    for value, text in ((True, "leaf variables.$"), (False, "use var_no_grad = var.detach")):
        with pytest.raises(RuntimeError, match=f"you can only change requires_grad flags of {text}" if value else text):
            y.requires_grad = value
    for value in (1, None, "s"):
        with pytest.raises(RuntimeError, match="requires_grad must be a bool"):
            torch.ones(2).requires_grad = value
        with pytest.raises(TypeError, match=r"requires_grad_\(\): argument 'requires_grad' \(position 1\) must be bool, not "):
            torch.ones(2).requires_grad_(value)


def test_grad_dtype_of_leaves_only(torch):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"grad_dtype can only be accessed on leaf tensors."):
        (x * 2).grad_dtype  # noqa: B018
    with pytest.raises(RuntimeError, match=r"grad_dtype can only be set on leaf tensors."):
        (x * 2).grad_dtype = torch.float64
    with pytest.raises(RuntimeError, match=r"grad_dtype must be a torch.dtype or None, but got int"):
        x.grad_dtype = 3
    x.grad = torch.ones(2)
    with pytest.raises(
        RuntimeError, match="Cannot set grad_dtype to 'Double' because there is already a gradient with dtype 'float'"
    ):
        x.grad_dtype = torch.float64
    assert x.grad_dtype is torch.float32


def test_memory_of_a_leaf_cannot_be_exchanged(torch):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"a leaf Variable that requires grad is being used in an in-place operation."):
        x.set_(torch.zeros(3))
    with torch.no_grad():
        assert x.set_(torch.zeros(3)).shape == (3,)


def test_tensors_are_hashed_by_identity(torch):
    x = torch.ones(2)
    assert hash(x) == id(x)


def test_arrays_are_no_numbers(torch):
    numpy = pytest.importorskip("numpy")
    product = torch.ones(2) * numpy.full(2, 3.0)
    assert product.dtype is torch.float64 and product.tolist() == [3.0, 3.0]


def test_wrappers_without_memory_are_copied_by_their_clone(torch):
    class Wrapper(torch.Tensor):
        __slots__ = ("inner",)

        @staticmethod
        def __new__(cls, inner):
            made = torch.Tensor._make_subclass(cls, inner.to("meta"), inner.requires_grad)
            made.inner = inner
            return made

        def clone(self):
            return Wrapper(self.inner.clone())

    class Plain(torch.Tensor):
        pass

    wrapper = Wrapper(torch.ones(2))
    wrapper.note = ["kept"]
    copied = copy.deepcopy(wrapper)
    assert type(copied) is Wrapper and copied.inner.tolist() == [1, 1] and copied.inner is not wrapper.inner
    assert copied.note == ["kept"] and copied.note is not wrapper.note
    rebuild, arguments = wrapper.__reduce_ex__(2)
    again = rebuild(*arguments)
    assert type(again) is Wrapper and again.is_meta and again.inner is wrapper.inner and again.note == ["kept"]
    with pytest.raises(RuntimeError, match="for wrapper subclasses only works for subclass types that implement clone"):
        copy.deepcopy(torch.ones(2, device="meta").as_subclass(Plain))


def test_slots_are_copied_too(torch):
    class Marked(torch.Tensor):
        __slots__ = ("mark",)

        def new_empty(self, *sizes, **options):
            return super().new_empty(*sizes, **options).as_subclass(Marked)

    marked = torch.ones(2).as_subclass(Marked)
    marked.mark = [1]
    assert copy.deepcopy(marked).mark == [1] and copy.deepcopy(marked).mark is not marked.mark


def test_subclasses_say_their_state(torch):
    class Stateful(torch.Tensor):
        def __getstate__(self):
            return "state", self.__dict__

        def __setstate__(self, state):
            name, self.__dict__ = state
            self.loaded = name

    x = torch.ones(2).as_subclass(Stateful)
    x.note = 1
    rebuild, arguments = x.__reduce_ex__(2)
    made = rebuild(*arguments)
    assert (made.note, made.loaded) == (1, "state") and copy.deepcopy(torch.nn.Parameter(torch.ones(1))).item() == 1


def test_a_gradient_is_copied_once(torch):
    x = torch.zeros(3)
    x.grad = torch.ones(3)
    made = copy.deepcopy([x, x.grad, x])
    assert made[0].grad is made[1] and made[0] is made[2]
