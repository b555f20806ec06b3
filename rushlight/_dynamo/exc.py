"""Errors of the compiler that programs catch; there is none that could raise them."""

from rushlight._compile import InvalidBackend

__all__ = [
    "BackendCompilerFailed",
    "InvalidBackend",
    "RecompileError",
    "TorchDynamoException",
    "TorchRuntimeError",
    "Unsupported",
    "UserError",
]


class TorchDynamoException(RuntimeError):
    """Base of the compiler's errors."""


class Unsupported(TorchDynamoException):
    """A part of a program that is not compiled."""


class TorchRuntimeError(TorchDynamoException):
    """An error of an op while a program is read."""


class BackendCompilerFailed(TorchDynamoException):
    """An error of a compiler."""


class RecompileError(TorchDynamoException):
    """A function would be compiled again where that is forbidden."""


class UserError(Unsupported):
    """A program that cannot be compiled by its own fault."""
