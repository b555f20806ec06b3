"""Where Rushlight knowingly differs from PyTorch on PyTorch's own samples, and why."""

from .semantic_differences import SEMANTIC_DIFFERENCES  # noqa: F401  (the programs)

UNFILLED = {"empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"}
"""Results whose elements mean nothing."""

KNOWN_DIFFERENCES = {
    ("nn.functional.linear_cross_entropy.chunked_none", "light"): "PyTorch rounds bfloat16 after each chunk",
    ("ormqr", "main"): "a derivative that is zero whatever comes depends on nothing",
    # These samples are views whose storage is longer than what they show; only the shown elements are converted.
    ("as_strided.partial_views", "main"): "the sample's storage is not converted",
    ("as_strided.partial_views", "light"): "the sample's storage is not converted",
    ("as_strided.partial_views", "variants"): "the sample's storage is not converted",
    # The sample holds a function of PyTorch's own, which cannot take other tensors.
    ("nn.functional.triplet_margin_with_distance_loss", "main"): "the sample calls PyTorch",
    ("nn.functional.triplet_margin_with_distance_loss", "light"): "the sample calls PyTorch",
    # PyTorch's own Bessel functions are off by up to 1e-6 beyond |x| = 5; these agree with the C library and SciPy to the last bits.
    **{
        (f"special.bessel_{name}", check): "PyTorch's values are inexact beyond 5"
        for name in ("j0", "j1", "y0", "y1")
        for check in ("main", "variants")
    },
    # PyTorch writes numbers into out= that it has not computed; and it gives the window no gradient.
    ("fft.ihfftn", "variants"): "PyTorch's out= is not the result",
    ("istft", "main"): "the window has a derivative here",
    # So is its Airy function, by as much, where those agree with mpmath.
    **{("special.airy_ai", check): "PyTorch's values are inexact" for check in ("main", "variants")},
    # In float32, of inputs up to 1e4, PyTorch's gradient is off by 2e-3; this one by 4e-7.
    ("logcumsumexp", "main"): "PyTorch's gradient of float32 is inexact",
    # PyTorch gives the input a gradient in the very window that was overwritten, and none elsewhere.
    ("as_strided_scatter", "main"): "PyTorch's gradient of the input is wrong",
    # Singular vectors and eigenvectors are unique up to a sign or phase, and the LAPACKs choose differently.
    ("linalg.svd", "main"): "signs of singular vectors",
    ("svd", "main"): "signs of singular vectors",
    **{(name, check): "signs of singular vectors" for name in ("svd_lowrank", "pca_lowrank") for check in ("main", "light")},
    **{(f"linalg.{name}", check): "signs of eigenvectors" for name in ("eig", "eigh") for check in ("main", "light", "variants")},
    ("nn.functional.conv_transpose3d", "light"): "PyTorch adds up the taps of a transposed convolution in float16",
    ("nn.functional.adaptive_avg_pool3d", "light"): "PyTorch rounds the sum of halves after each addition",
    **{
        (name, "light"): "PyTorch computes places in halves"
        for name in ("grid_sampler_2d", "grid_sampler_3d", "nn.functional.grid_sample")
    },
    ("nn.functional.interpolate.area", "light"): "PyTorch rounds the sum of halves after each addition",
    ("matrix_exp", "light"): "PyTorch's values of float16 are NaN",
    (
        "nn.functional.scaled_dot_product_attention",
        "light",
    ): "PyTorch rounds the weights of halves before their product with the values",
}
"""(op, check) -> reason; the checks are "main" (values and derivatives), "light" (other dtypes) and "variants" (method, in-place, out=)."""

GAPS = {
    ("nn.functional.instance_norm", "light"): "bfloat16 is rounded between steps",
}
"""What is still wrong, in the same form. A test of these has to fail: who mends one takes it off this list."""

SOMETIMES = {"nn.functional.max_unpool2d"}
"""Of these the samples are random, and differ or not."""

FORWARD_DIFFERENCES = {
    "nn.functional.max_unpool2d": "where an index occurs twice, another of both wins",
    "as_strided.partial_views": "the sample's storage is not converted",
    "linalg.svd": "signs of singular vectors",
    "svd": "signs of singular vectors",
    "svd_lowrank": "signs of singular vectors",
    "pca_lowrank": "signs of singular vectors",
    "linalg.eig": "phases of eigenvectors",
    "linalg.eigh": "phases of eigenvectors",
    "cholesky_inverse": "PyTorch's tangent is not the derivative",
    "triangular_solve": "PyTorch's tangent is not the derivative",
    "logcumsumexp": "PyTorch overflows where the numbers are large and complex",
    "nn.functional.triplet_margin_with_distance_loss": "the sample calls PyTorch",
}
"""The tangents of ops that differ in forward mode (test_forward_op_db)."""

GRAPH_DIFFERENCES = {
    # PyTorch's rule gives back a view of what it computed: of the memory that a window shows, of a row, of a selected slice.
    **{name: {"gradient base", "gradient is_view"} for name in ("as_strided", "as_strided_copy", "as_strided_scatter", "trace")},
    # Here it is a view: the sum over broadcast dimensions, the row that an example without dimensions is, the part of an empty tensor.
    **{
        name: {"gradient base", "gradient is_view"}
        for name in ("cat", "copysign", "index_reduce.amax", "index_reduce.amin", "index_reduce.mean", "nextafter")
    },
    "index_reduce.prod": {"gradient base", "gradient is_view", "gradient name"},
    # The gradient is the same number by another formula, whose last step is another: a choice by `where` for a fill by mask, factors in
    # another order, a sign earlier or later, a division for a product.
    **{
        name: {"gradient name"}
        for name in (
            "angle",
            "cumprod",
            "linalg.inv",
            "linalg.inv_ex",
            "linalg.matrix_power",
            "linalg.svd",
            "quantile",
            "sgn",
            "svd",
        )
    },
    "linalg.solve_triangular": {"gradient name", "gradient stride"},
    "logcumsumexp": {"gradient base", "gradient is_view", "gradient name"},
    # It is a sum of two slices' gradients, which PyTorch gives the shape of the input once more.
    **{name: {"gradient base", "gradient is_view", "gradient name"} for name in ("cumulative_trapezoid", "trapezoid", "trapz")},
    # The inputs are broadcast before the op, so that the sum over the dimension that was added stands behind its gradient.
    "cdist": {"gradient name"},
    # An op of its own in PyTorch, here `linalg.solve_triangular`, whose gradient is made of itself.
    "triangular_solve": {"gradient name"},
    # The gradient is one op with several results in PyTorch, of which each is asked for by its place; here each is computed alone.
    **{
        name: {"gradient output_nr"}
        for name in (
            "native_batch_norm",
            "native_layer_norm",
            "nn.functional.batch_norm",
            "nn.functional.layer_norm",
            "nn.functional.prelu",
        )
    },
    # Factors are multiplied in another order, or two products are one where PyTorch has a product and a sum.
    **{name: {"function names", "method names"} for name in ("corrcoef", "cov", "inner", "logdet")},
    "linalg.multi_dot": {"function names"},
    "nn.functional.bilinear": {"function names", "gradient base", "gradient is_view", "gradient name"},
    "tensordot": {"function names", "gradient stride"},
    # A bound that is None has an edge to nowhere in PyTorch, and none here.
    "clamp": {"function names", "in place names", "method names"},
    # The input is expanded to the mask's shape by an op of its own, which PyTorch's graph leaves out.
    "masked_fill": {"function names", "method names"},
    "masked_scatter": {"function names", "gradient base", "gradient is_view", "method names"},
    # The op takes a dtype to compute in; in PyTorch a conversion stands before it.
    **{name: {"function names", "method names"} for name in ("log_softmax.with_dtype", "softmax.with_dtype")},
    "nn.functional.softmin.with_dtype": {"function names"},
    # A reshape that copies nothing is a view here, and in PyTorch's compositions an alias, or unsafe.
    "kron": {"function names", "method names"},
    # Frames are windows of the op `unfold`, in PyTorch of `as_strided`; they are cut by another view when they are put together again.
    "stft": {"function names", "gradient base", "gradient is_view", "method names"},
    "istft": {"function names", "gradient name", "gradient none", "gradient stride", "method names"},
    # It is one op; in PyTorch parts are written into a new tensor, one after the other.
    "nn.functional.pad.circular": {"function name"},
    # The factor P has no gradient, so L and U are the first results that the graph counts in PyTorch.
    "linalg.lu": {"function output_nr"},
    # Results of transforms, products and factorizations are row-major here; in PyTorch they lie as the library wrote them.
    **{
        f"fft.{name}": {"gradient stride"}
        for name in ("fft", "hfft", "hfft2", "hfftn", "ifft", "ihfft", "irfft", "irfft2", "irfftn", "rfft")
    },
    **{name: {"gradient stride"} for name in ("linalg.pinv", "linalg.pinv.hermitian", "pinverse")},
    "einsum": {"function stride"},
    # A block's gradient is a window of the whole, which PyTorch brings to the shape of a block of fewer dimensions by a sum.
    "block_diag": {"gradient offset", "gradient stride"},
    # The gradient is one op with three results in PyTorch, of which each is asked for by its place; here each is computed alone.
    "_native_batch_norm_legit": {"gradient output_nr"},
    **{name: {"gradient base", "gradient is_view", "gradient output_nr"} for name in ("grid_sampler_2d", "grid_sampler_3d")},
    "nn.functional.grid_sample": {"gradient base", "gradient is_view", "gradient output_nr"},
    "nn.functional.ctc_loss": {"gradient name"},
    "nn.functional.embedding_bag": {"gradient name"},
    # One op with a gradient of its own in PyTorch's kernel, composed of products and softmax where its second derivative is asked for here.
    "nn.functional.scaled_dot_product_attention": {
        *("gradient base", "gradient is_view", "gradient name", "gradient output_nr", "gradient stride"),
    },
    # The gradient is the same number by another formula, whose last step is another; LAPACK's results lie column by column in PyTorch.
    "linalg.householder_product": {"gradient name", "gradient none"},
    **{name: {"gradient name", "gradient stride"} for name in ("linalg.lstsq", "linalg.lstsq.grad_oriented")},
    "ormqr": {
        *("gradient base", "gradient is_leaf", "gradient is_view", "gradient name", "gradient none", "gradient requires_grad"),
        "gradient stride",
    },
    # The gradient lies as its kernel writes it, channels last or not; PyTorch's is contiguous.
    **{f"nn.functional.interpolate.{name}": {"gradient stride"} for name in ("nearest", "nearest-exact")},
    # A window over no elements begins where the memory does.
    "nn.functional.unfold": {"gradient offset"},
    # A reshape that copies nothing is a view here, and a view that is not tracked in PyTorch's products.
    "svd_lowrank": {"function names"},
    # Sparse tensors are composed of dense ones here, so that their node is of what they were made by.
    "to_sparse": {"function error", "function name", "method error", "method name"},
}
"""Where the graph that an op leaves differs from PyTorch's (test_graphs): op -> {"form fact", …}. The list may only shrink."""
