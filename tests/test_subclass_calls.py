"""Calls through __torch_function__: what the handler is given is what the caller wrote."""

import pytest

import rushlight as torch


class Watching(torch.Tensor):
    calls = []  # noqa: RUF012  (shared on purpose)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append((func.__name__, len(args), dict(kwargs or {})))
        return super().__torch_function__(func, types, args, kwargs)


@pytest.mark.parametrize(
    ("call", "name", "keywords", "expected"),
    [
        (lambda x: x.add_(torch.ones(2), alpha=2), "add_", {"alpha": 2}, [3.0, 3.0]),
        (lambda x: torch.add(x, 1, alpha=3), "add", {"alpha": 3}, [4.0, 4.0]),
        (lambda x: torch.addr(x.expand(2, 2), x, x, beta=2, alpha=3)[0], "addr", {"beta": 2, "alpha": 3}, [5.0, 5.0]),
        (lambda x: x.sum(0, dtype=torch.float64), "sum", {"dtype": torch.float64}, 2.0),
    ],
)
def test_keywords_keep_their_names(call, name, keywords, expected):
    Watching.calls.clear()
    assert call(torch.ones(2).as_subclass(Watching)).tolist() == expected
    assert [given for called, _, given in Watching.calls if called == name] == [keywords]


def test_tensors_of_transforms_are_no_subclasses_to_ask():
    """Watching exists here, so calls look for handlers; what transforms wrap has none."""
    x = torch.ones(2)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, x) * 2
        assert dual.tolist() == [2.0, 2.0]
        assert torch.autograd.forward_ad.unpack_dual(dual.add_(x, alpha=2)).tangent.tolist() == [2.0, 2.0]
    assert torch.func.vmap(lambda row: row.sum(0, dtype=torch.float64))(torch.ones(3, 2)).tolist() == [2.0] * 3


def test_questions_about_an_object_are_no_calls_to_take_over():
    """`is_tensor` of what only stands for a tensor says no, whatever subclasses there are."""

    class Stand:
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            raise NotImplementedError(function)

    class Own(torch.Tensor):
        pass

    assert torch.is_tensor(torch.ones(1).as_subclass(Own))
    assert not torch.is_tensor(Stand()) and not torch.is_storage(Stand())
    with pytest.raises(NotImplementedError):
        torch.nn.functional.softmax(Stand(), 0)


class Own(torch.Tensor):
    pass


def test_as_subclass_is_a_view_of_the_whole():
    leaf = torch.ones(2, requires_grad=True)
    x = leaf * 1
    own = x.as_subclass(Own)
    assert type(own) is Own and own._is_view() and own._base is x and type(own.grad_fn).__name__ == "AliasBackward0"
    own.mul_(3)
    assert type(x.grad_fn).__name__ == "CopySlices"
    x.sum().backward()
    assert leaf.grad.tolist() == [3, 3]
    assert type(own.as_subclass(torch.Tensor)) is torch.Tensor
    assert type((own * 2).grad_fn).__name__ == "AliasBackward0"


def test_as_subclass_is_never_taken_over():
    Watching.calls.clear()
    x = torch.ones(2).as_subclass(Watching)
    assert type(x.as_subclass(torch.Tensor)) is torch.Tensor and type(torch.Tensor.as_subclass(x, Own)) is Own
    assert Watching.calls == []


def test_as_subclass_of_what_is_no_tensor():
    with pytest.raises(
        TypeError, match="Creating a Tensor subclass from a class that does not inherit from Tensor is not possible"
    ):
        torch.ones(2).as_subclass(int)
