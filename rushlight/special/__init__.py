"""Special functions under the names of `torch.special`."""

from rushlight.ops._declare import namespaces as _namespaces
from rushlight.ops._parsers import add_parsers as _add_parsers

_torch, _names = _namespaces["torch"], globals()
_names.update(_namespaces.get("special", {}))
_names.update(
    {
        public: _torch[name]
        for public, name in {
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
        }.items()
        if name in _torch
    }
)
_add_parsers(_names, "special_")
