"""What every answer of `why` has to be, and ways to cut a graph."""

import rushlight as torch
from rushlight.explain import _source


def check(answer, cause, mark=None):
    """The cause is right, and the line is the one that ends with a comment `# mark`."""
    assert answer.cause == cause, str(answer)
    if mark is None:
        assert answer.line is None, str(answer)
    else:
        assert answer.line is not None, str(answer)
        assert _source.text_of(answer.line).endswith(f"# {mark}"), str(answer)
        assert _source.shown(answer.line) in str(answer)
    assert str(answer) == repr(answer)
    assert "<div" in answer._repr_html_()


def cut_off(tensor):
    return tensor.detach()  # in a helper


CUTS = {
    "no_grad": lambda x: under(torch.no_grad(), lambda: x * 2),  # no_grad
    "inference_mode": lambda x: under(torch.inference_mode(), lambda: x * 2),  # inference_mode
    "detached": lambda x: (x * 2).detach() + 1,  # detached
    "data": lambda x: x.data * 2,  # data
    "integer": lambda x: (x * 2).long().float(),  # integer
    "comparison": lambda x: (x > 0).float(),  # comparison
    "indices": lambda x: x.argmax().float(),  # indices
    "copied": lambda x: torch.tensor(x.sum().item()) * 2,  # copied
}


def under(mode, function):
    with mode:
        return function()
