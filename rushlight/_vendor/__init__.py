"""Packages that PyTorch carries with it."""
