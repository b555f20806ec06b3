"""What PyTorch says of an `out=` of another dtype than the result: some ops convert, some refuse, each with words of its own."""

from rushlight import core

EXPECTED = "Expected out tensor to have dtype {c_result}, but got {c_out} instead"
FOUND = "Found dtype {out} but expected {result}"
SCALAR_TYPE = "expected scalar_type {result} but found {out}"
SAME_TYPE = "{op}(): self and result must have the same scalar type"
BOOLEAN = "{op} does not support non-boolean outputs."
ONLY_BOOL = "{op} only supports bool tensor for result, got: {out}"

CONVERTING = {
    "bernoulli_of", "bernoulli_like", "cat", "stack", "cumsum", "cumprod", "cholesky", "cholesky_inverse", "cholesky_solve", "geqrf",
    "normal_around", "normal_spread", "normal_of", "logsumexp", "dist", "mvlgamma", "addr", "_max_all", "_min_all", "var", "std", "logical_not",
}  # fmt: skip
"""Ops that convert, beside sums, moments and element-wise ops of several inputs or of floats alone."""

TEXTS = {
    "_nan_to_num": "nan_to_num: dtype of out: {out} should be same as input: {result}",
    "signbit": BOOLEAN,
    "isposinf": BOOLEAN,
    "isneginf": BOOLEAN,
    "heaviside": "heaviside is not yet implemented for tensors with different dtypes.",
    "log_sigmoid": "expected scalar type {result} but found {out}",
    "all": ONLY_BOOL,
    "any": ONLY_BOOL,
    "amax": "Expected the dtype for input and out to match, but got {result} for input's dtype and {out} for out's dtype.",
    "amin": "Expected the dtype for input and out to match, but got {result} for input's dtype and {out} for out's dtype.",
    "index_select": SAME_TYPE,
    "masked_select": SAME_TYPE,
    "kthvalue": ("output values must be of same type as input", "output indices must be of scalar type Long"),
    "mode": (
        "expected scalar type '{result}' but got '{out}' for values output",
        "expected scalar type '{result}' but got '{out}' for indices output",
    ),
    "take": "take(): self and out expected to have the same dtype, but got self.dtype = {result} and out.dtype = {out}",
    "quantile": "quantile() out tensor must be same dtype as the input tensor",
    "nanquantile": "quantile() out tensor must be same dtype as the input tensor",
    "histc": "torch.histogram: input tensor and hist tensor should have the same dtype, but got input {c_result} and hist {c_out}",
    "multinomial": "multinomial expects Long tensor out, got: {out}",
    "nonzero": "nonzero: Expected out tensor to have scalar type Long but got scalar type{out}",
    "cummax": SCALAR_TYPE,
    "cummin": SCALAR_TYPE,
    "logcumsumexp": SCALAR_TYPE,
    "frexp": (
        "torch.frexp() expects mantissa to have dtype {c_result} but got {c_out}",
        "torch.frexp() expects exponent to have int dtype but got {c_out}",
    ),
    "isin": EXPECTED,
    "diag": EXPECTED,
    "msort": EXPECTED,
    "linalg_svdvals": EXPECTED,
}
"""The words of ops that have their own."""


def text_of(name, usual):
    """What an op refuses with (a text, or one for each output); None where it converts."""
    return None if name in CONVERTING else TEXTS.get(name, usual)


def refuse_out(op, text, place, out, result):
    """Raises for an `out=` of the dtype `out` where the result's is `result`."""
    if text is ONLY_BOOL and out.name == "uint8":
        return
    from rushlight.ops._rules import c_name

    text = text if isinstance(text, str) else text[place]
    raise RuntimeError(
        text.format(op=op, out=out.legacy_name, result=result.legacy_name, c_out=c_name(out), c_result=c_name(result))
    )


core.refuse_outputs_with(refuse_out, TEXTS)
