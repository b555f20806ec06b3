"""Libraries that PyTorch computes with, as programs ask for them. Settings of those that are not there are only remembered."""

from rushlight.backends import cuda, cudnn, mkl, mkldnn, mps, openmp, opt_einsum

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"]
