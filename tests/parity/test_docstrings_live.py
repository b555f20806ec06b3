"""The examples of docstrings print in PyTorch what they print here."""

import doctest
import re
import warnings

import pytest

from ..test_docstrings import CLASSES, methods, public

torch = pytest.importorskip("torch")

HELD = (
    "rushlight.nn", "rushlight.nn.attention", "rushlight.nn.functional", "rushlight.nn.init", "rushlight.nn.parameter", "rushlight.nn.utils",
    "rushlight.nn.utils.parametrizations", "rushlight.nn.utils.parametrize", "rushlight.nn.utils.prune", "rushlight.nn.utils.rnn",
    "rushlight.nn.utils.stateless", "rushlight.optim", "rushlight.optim.lr_scheduler", "rushlight.optim.swa_utils", "rushlight.utils.data",
    "rushlight.utils.data.distributed", "rushlight.distributions", "rushlight.distributions.constraints", "rushlight.distributions.kl",
    "rushlight.autograd", "rushlight.autograd.forward_ad", "rushlight.autograd.functional", "rushlight.autograd.grad_mode",
    "rushlight.autograd.graph", "rushlight.autograd.profiler", "rushlight.func", "rushlight.random", "rushlight.serialization",
    "rushlight.utils.checkpoint", "rushlight.masked", "rushlight.amp", "rushlight.amp.autocast_mode", "rushlight.amp.grad_scaler", "rushlight.autograd.function",
    "rushlight.distributions.utils", "rushlight.futures", "rushlight.hub", "rushlight.multiprocessing", "rushlight.nn.attention.bias",
    "rushlight.nn.attention.flex_attention", "rushlight.nn.grad", "rushlight.nn.modules.lazy", "rushlight.nn.modules.module",
    "rushlight.nn.modules.utils", "rushlight.optim.optimizer", "rushlight.overrides", "rushlight.profiler", "rushlight.signal.windows",
    "rushlight.sparse", "rushlight.testing", "rushlight.utils.benchmark", "rushlight.utils.hooks",
)  # fmt: skip
"""The modules whose examples PyTorch prints too. (Not those of devices and compilers, whose examples show what is not there, and some of
which end the process in PyTorch.)"""

OTHERWISE = {  # what PyTorch has elsewhere, or says in other words
    "rushlight.autograd.profiler": {"load_nvprof"},
    "rushlight.hub": {"help", "list", "load"},
    "rushlight.serialization": {"StorageType", "storage_to_tensor_type"},
}

PARSER = doctest.DocTestParser()


def printed_otherwise(named):
    """What of the examples of (name, docstring) pairs PyTorch prints otherwise, as doctest reports it."""
    failed = []
    for name, text in named:
        test = PARSER.get_doctest(re.sub(r"\brushlight\b", "torch", text), {"torch": torch}, name, None, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=failed.append)
    return "".join(failed)


@pytest.mark.parametrize("namespace", HELD)
def test_pytorch_prints_the_same(namespace):
    otherwise = OTHERWISE.get(namespace, ())
    assert not printed_otherwise((name, value.__doc__ or "") for name, value in public(namespace) if name not in otherwise)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_pytorch_prints_the_same_of_methods(cls):
    assert not printed_otherwise(methods(cls))
