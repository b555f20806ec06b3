"""Names of the compiler's core that programs use."""

from rushlight._compile import OptimizedModule
from rushlight._dynamo import disable, is_dynamo_supported, optimize, optimize_assert, run, set_stance

__all__ = ["OptimizedModule", "disable", "is_dynamo_supported", "optimize", "optimize_assert", "run", "set_stance"]
