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


TEXTS = {
    "quantile": "quantile() out tensor must be same dtype as the input tensor",
    "nanquantile": "quantile() out tensor must be same dtype as the input tensor",
    "multinomial": "multinomial expects Long tensor out, got: {out}",
    "nonzero": "nonzero: Expected out tensor to have scalar type Long but got scalar type{out}",
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
    "inner": CONTRACTED,
    "tensordot": CONTRACTED,
    "bucketize": SEARCHED,
    "isin": EXPECTED,
    "diag": EXPECTED,
    "msort": EXPECTED,
    "linalg_svdvals": EXPECTED,
    "svd": EXPECTED,
    "avg_pool2d": EXPECTED,
    "avg_pool3d": EXPECTED,
}
"""The words of functions that have their own, by name; ops say theirs in their declarations (`out_text=`)."""


def check_out(op, out, result):
    """Refuses an `out=` tensor that does not have the dtype `result`, in the words of the function `op`."""
    if isinstance(out, core.Tensor) and out.dtype is not result:
        refuse_out(op, TEXTS.get(op, EXPECTED), 0, out.dtype, result)


def refuse_out(op, text, place, out, result):
    """Raises for an `out=` of the dtype `out` where the result's is `result`."""
    if text is ONLY_BOOL and out.name in ("uint8", "bool"):
        return
    from rushlight.ops._rules import c_name

    text = text if isinstance(text, str) else text[place]
    converts = isinstance(text, Castable)
    if converts and core.can_cast(result, out):
        return
    is_int = result.name == "int32"
    names = dict(op=op, out=out.legacy_name, result=result.legacy_name, c_out=c_name(out), c_result=c_name(result), is_int=is_int)
    raise (text.error if converts else RuntimeError)(text.format(**names))


core.asked.refuse_output, core.asked.output_texts = refuse_out, TEXTS
