"""What PyTorch's code generator knows of devices."""

GPU_TYPES = ["cuda", "mps", "xpu", "mtia"]
