"""What PyTorch says of an `out=` of another dtype than the result: some ops convert, some refuse, each with words of its own."""

from rushlight import core

EXPECTED = "Expected out tensor to have dtype {c_result}, but got {c_out} instead"
FOUND = "Found dtype {out} but expected {result}"
SCALAR_TYPE = "expected scalar_type {result} but found {out}"
SAME_TYPE = "{op}(): self and result must have the same scalar type"
BOOLEAN = "{op} does not support non-boolean outputs."
ONLY_BOOL = "{op} only supports bool tensor for result, got: {out}"


class Castable(str):
    """The text of an op that converts where it can."""

    error = RuntimeError


class CastableType(Castable):
    """Raised as a TypeError."""

    error = TypeError


JOINED = CastableType("torch.cat(): input types can't be cast to the desired output type {out}")
EXTREME = Castable(
    "Expected canCast( typeMetaToScalarType(self.dtype()), typeMetaToScalarType(out.dtype())) to be true, but got false.  (Could this error "
    "message be improved?  If so, please report an enhancement request to PyTorch.)"
)
COMPLEX = "Expected object of scalar type {result} but got scalar type {out} for argument 'out'"
SEARCHED = (
    "torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on whether out_int32 flag is "
    "True, but we got output tensor's dtype {out} and out_int32 flag is {is_int}"
)
CONTRACTED = "tensordot: Expected the output tensor to have dtype {result}, but got an output tensor with dtype {out}"


def safely(name, what="result"):
    return Castable(f"{name}: Expected {what} to be safely castable from {{result}} dtype, but got {what} with dtype {{out}}")


CONVERTING = {
    "bernoulli_of", "bernoulli_like", "cumsum", "cumprod", "geqrf", "normal_around", "normal_spread", "normal_of", "dist", "addr", "var", "std",
    "logical_not",
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
    "coordinates": "nonzero: Expected out tensor to have scalar type Long but got scalar type{out}",
    "cat": JOINED,
    "stack": JOINED,
    "_max_all": EXTREME,
    "_min_all": EXTREME,
    "logsumexp": Castable("logsumexp(): Expected floating point type for result tensor, but got: {out}"),
    "mvlgamma": Castable("mvlgamma: result type {result} can't be cast to the desired output type {result}"),
    "ldexp": Castable("ldexp can't be cast to the desired output type {out}"),
    "complex": COMPLEX,
    "polar": COMPLEX,
    "cholesky": safely("cholesky"),
    "cholesky_inverse": safely("cholesky_inverse"),
    "cholesky_solve": safely("cholesky_solve"),
    "linalg_cond": safely("linalg.cond"),
    "linalg_pinv": safely("linalg.pinv"),
    "linalg_tensorinv": safely("tensorinv"),
    "linalg_tensorsolve": safely("tensorsolve"),
    "linalg_matrix_rank": safely("torch.linalg.matrix_rank"),
    "linalg_eigvals": safely("torch.linalg.eigvals", "eigenvalues"),
    "linalg_norm": "linalg.norm expected out tensor dtype {result} but got: {out}",
    "linalg_matrix_norm": "linalg.matrix_norm expected out tensor dtype {result} but got: {out}",
    "linalg_vecdot": "linalg.vecdot: Expected out of dtype{result} but found {out}",
    "dot": "result dtype {out} does not match input dtype {result}",
    "vdot": "result dtype {out} does not match input dtype {result}",
    "inner": CONTRACTED,
    "tensordot": CONTRACTED,
    "searchsorted": SEARCHED,
    "bucketize": SEARCHED,
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


def check_out(op, out, result):
    """Refuses an `out=` tensor that does not have the dtype `result`, in the words of the function `op`."""
    if isinstance(out, core.Tensor) and out.dtype is not result:
        refuse_out(op, TEXTS.get(op, EXPECTED), 0, out.dtype, result)


def refuse_out(op, text, place, out, result):
    """Raises for an `out=` of the dtype `out` where the result's is `result`."""
    if text is ONLY_BOOL and out.name == "uint8":
        return
    from rushlight.ops._rules import c_name

    text = text if isinstance(text, str) else text[place]
    converts = isinstance(text, Castable)
    if converts and core.can_cast(result, out):
        return
    is_int = result.name == "int32"
    names = dict(op=op, out=out.legacy_name, result=result.legacy_name, c_out=c_name(out), c_result=c_name(result), is_int=is_int)
    raise (text.error if converts else RuntimeError)(text.format(**names))


core.refuse_outputs_with(refuse_out, TEXTS)
