"""ONNX, which Rushlight does not write: it has no graphs of programs."""

from rushlight._absent import answering as _answering
from rushlight._late import late as _late

__all__ = ["OperatorExportTypes", "TensorProtoDataType", "TrainingMode", "export", "is_in_onnx_export", "register_custom_op_symbolic",
           "unregister_custom_op_symbolic"]  # fmt: skip

_NO_GRAPHS = RuntimeError(
    "torch.onnx.export: Rushlight has no graphs of programs to write; export from PyTorch, with the same state_dict"
)
producer_name = "pytorch"
producer_version = "2.13.0"

globals().update(
    _answering(
        __name__,
        {
            "export(model, args=(), f=None, **kwargs)": _NO_GRAPHS,
            "is_in_onnx_export()": False,
            "register_custom_op_symbolic(symbolic_name, symbolic_fn, opset_version)": None,
            "unregister_custom_op_symbolic(symbolic_name, opset_version)": None,
        },
    )
)


class OnnxExporterError(RuntimeError):
    """An error of what writes ONNX.

    >>> import rushlight as torch
    >>> issubclass(torch.onnx.OnnxExporterError, RuntimeError)
    True
    """


class TrainingMode:
    """Whether what is written is for training."""

    EVAL, PRESERVE, TRAINING = 0, 1, 2


class OperatorExportTypes:
    """Which ops are written how."""

    ONNX, ONNX_ATEN, ONNX_ATEN_FALLBACK, ONNX_FALLTHROUGH = 0, 1, 2, 3


class TensorProtoDataType:
    """Numbers of dtypes in files."""

    (
        UNDEFINED,
        FLOAT,
        UINT8,
        INT8,
        UINT16,
        INT16,
        INT32,
        INT64,
        STRING,
        BOOL,
        FLOAT16,
        DOUBLE,
        UINT32,
        UINT64,
        COMPLEX64,
        COMPLEX128,
        BFLOAT16,
    ) = range(17)


class ONNXProgram:
    """A program as ONNX has it: there is none.

    >>> import rushlight as torch
    >>> torch.onnx.ONNXProgram(None, None)
    Traceback (most recent call last):
        ...
    RuntimeError: torch.onnx.export: Rushlight has no graphs of programs to write; export from PyTorch, with the same state_dict
    """

    def __init__(self, *args, **kwargs):
        raise RuntimeError(*_NO_GRAPHS.args)


__getattr__ = _late(__name__, {name: f"{__name__}.{name}" for name in ("operators", "symbolic_helper", "symbolic_opset11")})
