"""Special functions under the names of `torch.special`."""

from rushlight import ops as _ops
from rushlight._late import late as _late
from rushlight.ops._declare import namespaces as _namespaces
from rushlight.ops._parsers import add_parsers as _add_parsers
from rushlight.ops._signatures import FUNCTIONS as _FUNCTIONS

_torch, _names = _namespaces["torch"], globals()
_names.update(_namespaces.get("special", {}))
_OTHERS = {
    "digamma": "digamma",
    "erf": "erf",
    "erfc": "erfc",
    "erfinv": "erfinv",
    "exp2": "exp2",
    "expit": "sigmoid",
    "expm1": "expm1",
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "gammaln": "lgamma",
    "i0": "i0",
    "log1p": "log1p",
    "log_softmax": "log_softmax",
    "logit": "logit",
    "logsumexp": "logsumexp",
    "multigammaln": "mvlgamma",
    "polygamma": "polygamma",
    "psi": "digamma",
    "sinc": "sinc",
    "softmax": "softmax",
    "xlogy": "xlogy",
}
"""Functions of torch by their names here."""

_FUNCTIONS |= {
    "special_log_softmax": "Tensor input, int dim, *, dtype? dtype=None",
    "special_softmax": "Tensor input, int dim, dtype? dtype=None",
}
for _public, _name in _OTHERS.items():
    _names[_public] = _torch[_name]
    _FUNCTIONS.setdefault(f"special_{_public}", _FUNCTIONS[_name])
_add_parsers(_names, "special_")
__getattr__ = _late(__name__, {}, namespace="special")


def __dir__():
    _ops.declare_all()
    return sorted({*globals(), *_namespaces["special"]})
