"""The ops of ONNX 11: none, since nothing is written."""
