"""Rushlight beside PyTorch: `python -m benchmarks --torch-python PYTHON` tells how many times faster it is."""
