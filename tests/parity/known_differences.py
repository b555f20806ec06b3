"""Where Rushlight knowingly differs from PyTorch on PyTorch's own samples, and why."""

UNFILLED = {"empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"}
"""Results whose elements mean nothing."""

KNOWN_DIFFERENCES = {
    # These samples are views whose storage is longer than what they show; only the shown elements are converted.
    ("as_strided.partial_views", "main"): "the sample's storage is not converted",
    ("as_strided.partial_views", "light"): "the sample's storage is not converted",
    ("as_strided.partial_views", "variants"): "the sample's storage is not converted",
    # The sample holds a function of PyTorch's own, which cannot take other tensors.
    ("nn.functional.triplet_margin_with_distance_loss", "main"): "the sample calls PyTorch",
    ("nn.functional.triplet_margin_with_distance_loss", "light"): "the sample calls PyTorch",
    # PyTorch gives nan for the second derivative of a norm at 0; here it is the subgradient 0's.
    ("linalg.norm.subgradients_at_zero", "main"): "a finite second derivative where PyTorch's is nan",
}
"""(op, check) -> reason; the checks are "main" (values and derivatives), "light" (other dtypes) and "variants" (method, in-place, out=)."""
