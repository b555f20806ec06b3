"""PyTorch's logs of its compiler: there is none, so that nothing is logged."""
