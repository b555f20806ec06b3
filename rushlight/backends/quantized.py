"""Quantized arithmetic, which Rushlight does not have."""

engine = "none"
supported_engines = ["none"]
