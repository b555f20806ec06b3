"""The signatures of the public functions and methods: names, kinds, order and defaults of their parameters.

This is what the parser (core/calls/arguments.pxi) checks calls against, and what errors speak of. Signatures of one function stand in the order in
which they are tried, separated by `|`; a deprecated one is accepted, with a warning. A parameter is its kind, a `?` where None is taken too,
its name, and its default; `ints[1]` takes a single int as well. The kinds:

    Tensor           Tensor/Number: a plain number too          Number           int, float, bool, complex
    int              an integer                                 index            an integer, or what has __index__
    ints, sizes      a list or tuple of them                    tensors, numbers a list or tuple
    float, bool, str, dtype, layout, device, memory_format, generator, storage   as they are called
    object           anything
"""

FUNCTIONS = {
    "abs": "Tensor input, *, Tensor out=None",
    "abs_": "Tensor input",
    "absolute": "Tensor input, *, Tensor out=None",
    "acos": "Tensor input, *, Tensor out=None",
    "acos_": "Tensor input",
    "acosh": "Tensor input, *, Tensor out=None",
    "acosh_": "Tensor input",
    "add": (
        "deprecated Tensor/Number input, Number alpha, Tensor/Number other, *, Tensor out=None | "
        "Tensor/Number input, Tensor/Number other, *, Number alpha=1, Tensor out=None"
    ),
    "addbmm": (
        "deprecated Number beta, Tensor input, Number alpha, Tensor batch1, Tensor batch2, *, Tensor out=None | "
        "deprecated Number beta, Tensor input, Tensor batch1, Tensor batch2, *, Tensor out=None | "
        "Tensor input, Tensor batch1, Tensor batch2, *, Number beta=1, Number alpha=1, Tensor out=None"
    ),
    "addcdiv": (
        "deprecated Tensor input, Number value, Tensor tensor1, Tensor tensor2, *, Tensor out=None | "
        "Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1, Tensor out=None"
    ),
    "addcmul": (
        "deprecated Tensor input, Number value, Tensor tensor1, Tensor tensor2, *, Tensor out=None | "
        "Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1, Tensor out=None"
    ),
    "addmm": (
        "deprecated Number beta, Tensor input, Number alpha, Tensor mat1, Tensor mat2, *, Tensor out=None | "
        "deprecated Number beta, Tensor input, Tensor mat1, Tensor mat2, *, Tensor out=None | "
        "Tensor input, Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1, Tensor out=None | "
        "Tensor input, Tensor mat1, Tensor mat2, dtype out_dtype, *, Number beta=1, Number alpha=1, Tensor out=None"
    ),
    "addmv": (
        "deprecated Number beta, Tensor input, Number alpha, Tensor mat, Tensor vec, *, Tensor out=None | "
        "deprecated Number beta, Tensor input, Tensor mat, Tensor vec, *, Tensor out=None | "
        "Tensor input, Tensor mat, Tensor vec, *, Number beta=1, Number alpha=1, Tensor out=None"
    ),
    "addmv_": (
        "deprecated Number beta, Tensor input, Number alpha, Tensor mat, Tensor vec | "
        "deprecated Number beta, Tensor input, Tensor mat, Tensor vec | "
        "Tensor input, Tensor mat, Tensor vec, *, Number beta=1, Number alpha=1"
    ),
    "addr": (
        "deprecated Number beta, Tensor input, Number alpha, Tensor vec1, Tensor vec2, *, Tensor out=None | "
        "deprecated Number beta, Tensor input, Tensor vec1, Tensor vec2, *, Tensor out=None | "
        "Tensor input, Tensor vec1, Tensor vec2, *, Number beta=1, Number alpha=1, Tensor out=None"
    ),
    "adjoint": "Tensor input",
    "alias_copy": "Tensor input, *, Tensor out=None",
    "all": (
        "Tensor input, *, Tensor out=None | "
        "Tensor input, ints? dim=None, bool keepdim=False, *, Tensor out=None | "
        "Tensor input, int dim, bool keepdim=False, *, Tensor out=None"
    ),
    "allclose": "Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False",
    "alpha_dropout": "Tensor input, float p, bool train",
    "alpha_dropout_": "Tensor input, float p, bool train",
    "amax": "Tensor input, ints[1] dim=None, bool keepdim=False, *, Tensor out=None",
    "amin": "Tensor input, ints[1] dim=None, bool keepdim=False, *, Tensor out=None",
    "aminmax": "Tensor input, *, int? dim=None, bool keepdim=False, tensors[2] out=None",
    "angle": "Tensor input, *, Tensor out=None",
    "any": (
        "Tensor input, *, Tensor out=None | "
        "Tensor input, ints? dim=None, bool keepdim=False, *, Tensor out=None | "
        "Tensor input, int dim, bool keepdim=False, *, Tensor out=None"
    ),
    "arange": (
        "Number end, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False | "
        "Number start, Number end, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False | "
        "Number start, Number end, Number step=1, *, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "arccos": "Tensor input, *, Tensor out=None",
    "arccos_": "Tensor input",
    "arccosh": "Tensor input, *, Tensor out=None",
    "arccosh_": "Tensor input",
    "arcsin": "Tensor input, *, Tensor out=None",
    "arcsin_": "Tensor input",
    "arcsinh": "Tensor input, *, Tensor out=None",
    "arcsinh_": "Tensor input",
    "arctan": "Tensor input, *, Tensor out=None",
    "arctan2": "Tensor input, Tensor other, *, Tensor out=None",
    "arctan_": "Tensor input",
    "arctanh": "Tensor input, *, Tensor out=None",
    "arctanh_": "Tensor input",
    "argmax": "Tensor input, int? dim=None, bool keepdim=False, *, Tensor out=None",
    "argmin": "Tensor input, int? dim=None, bool keepdim=False, *, Tensor out=None",
    "argsort": (
        "Tensor input, *, bool stable, int dim=-1, bool descending=False, Tensor out=None | "
        "Tensor input, int dim=-1, bool descending=False"
    ),
    "argwhere": "Tensor input",
    "as_strided": "Tensor input, sizes size, sizes stride, index? storage_offset=None",
    "as_strided_": "Tensor input, sizes size, sizes stride, index? storage_offset=None",
    "as_strided_copy": "Tensor input, sizes size, sizes stride, index? storage_offset=None, *, Tensor out=None",
    "as_strided_scatter": "Tensor input, Tensor src, sizes size, sizes stride, index? storage_offset=None",
    "as_tensor": "object data, *, dtype dtype=None, device? device=None",
    "asarray": "object obj, *, dtype? dtype=None, device? device=None, bool? copy=None, bool? requires_grad=None",
    "asin": "Tensor input, *, Tensor out=None",
    "asin_": "Tensor input",
    "asinh": "Tensor input, *, Tensor out=None",
    "asinh_": "Tensor input",
    "atan": "Tensor input, *, Tensor out=None",
    "atan2": "Tensor input, Tensor other, *, Tensor out=None",
    "atan_": "Tensor input",
    "atanh": "Tensor input, *, Tensor out=None",
    "atanh_": "Tensor input",
    "baddbmm": (
        "deprecated Number beta, Tensor input, Number alpha, Tensor batch1, Tensor batch2, *, Tensor out=None | "
        "deprecated Number beta, Tensor input, Tensor batch1, Tensor batch2, *, Tensor out=None | "
        "Tensor input, Tensor batch1, Tensor batch2, *, Number beta=1, Number alpha=1, Tensor out=None | "
        "Tensor input, Tensor batch1, Tensor batch2, dtype out_dtype, *, Number beta=1, Number alpha=1, Tensor out=None"
    ),
    "bartlett_window": (
        "int window_length, *, dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False | "
        "int window_length, bool periodic, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "batch_norm": (
        "Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, "
        "float momentum, float eps, bool cudnn_enabled"
    ),
    "bernoulli": (
        "Tensor input, *, generator? generator=None, Tensor out=None | Tensor input, float p, *, generator? generator=None"
    ),
    "bilinear": "Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None",
    "binary_cross_entropy_with_logits": (
        "Tensor input, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=at::Reduction::Mean"
    ),
    "bincount": "Tensor input, Tensor? weights=None, index minlength=0",
    "binomial": "Tensor count, Tensor prob, generator? generator=None",
    "bitwise_and": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "bitwise_left_shift": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "bitwise_not": "Tensor input, *, Tensor out=None",
    "bitwise_or": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "bitwise_right_shift": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "bitwise_xor": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "blackman_window": (
        "int window_length, *, dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False | "
        "int window_length, bool periodic, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "bmm": ("Tensor input, Tensor mat2, *, Tensor out=None | Tensor input, Tensor mat2, dtype out_dtype, *, Tensor out=None"),
    "broadcast_to": "Tensor input, sizes size",
    "bucketize": (
        "Tensor input, Tensor boundaries, *, bool out_int32=False, bool right=False, Tensor out=None | "
        "Number self, Tensor boundaries, *, bool out_int32=False, bool right=False"
    ),
    "can_cast": "dtype from_, dtype to",
    "cat": "tensors tensors, int dim=0, *, Tensor out=None",
    "ceil": "Tensor input, *, Tensor out=None",
    "ceil_": "Tensor input",
    "celu": "Tensor input, Number alpha=1.0",
    "celu_": "Tensor input, Number alpha=1.0",
    "cholesky": "Tensor input, bool upper=False, *, Tensor out=None",
    "cholesky_inverse": "Tensor input, bool upper=False, *, Tensor out=None",
    "cholesky_solve": "Tensor input, Tensor input2, bool upper=False, *, Tensor out=None",
    "chunk": "Tensor input, int chunks, int dim=0",
    "clamp": (
        "Tensor input, Tensor? min=None, Tensor? max=None, *, Tensor out=None | "
        "Tensor input, Number? min=None, Number? max=None, *, Tensor out=None"
    ),
    "clamp_": ("Tensor input, Tensor? min=None, Tensor? max=None | Tensor input, Number? min=None, Number? max=None"),
    "clamp_max": ("Tensor input, Tensor max, *, Tensor out=None | Tensor input, Number max, *, Tensor out=None"),
    "clamp_max_": ("Tensor input, Tensor max | Tensor input, Number max"),
    "clamp_min": ("Tensor input, Tensor min, *, Tensor out=None | Tensor input, Number min, *, Tensor out=None"),
    "clamp_min_": ("Tensor input, Tensor min | Tensor input, Number min"),
    "clip": (
        "Tensor input, Tensor? min=None, Tensor? max=None, *, Tensor out=None | "
        "Tensor input, Number? min=None, Number? max=None, *, Tensor out=None"
    ),
    "clip_": ("Tensor input, Tensor? min=None, Tensor? max=None | Tensor input, Number? min=None, Number? max=None"),
    "clone": "Tensor input, *, memory_format? memory_format=None",
    "column_stack": "tensors tensors, *, Tensor out=None",
    "combinations": "Tensor input, int r=2, bool with_replacement=False",
    "complex": "Tensor real, Tensor imag, *, Tensor out=None",
    "concat": "tensors tensors, int dim=0, *, Tensor out=None",
    "concatenate": "tensors tensors, int dim=0, *, Tensor out=None",
    "conj": "Tensor input",
    "conj_physical": "Tensor input, *, Tensor out=None",
    "conj_physical_": "Tensor input",
    "constant_pad_nd": "Tensor input, sizes pad, Number value=0",
    "copysign": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "corrcoef": "Tensor input",
    "cos": "Tensor input, *, Tensor out=None",
    "cos_": "Tensor input",
    "cosh": "Tensor input, *, Tensor out=None",
    "cosh_": "Tensor input",
    "cosine_similarity": "Tensor x1, Tensor x2, int dim=1, float eps=1e-08",
    "count_nonzero": ("Tensor input, int? dim=None | Tensor input, ints dim"),
    "cov": "Tensor input, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None",
    "cross": "Tensor input, Tensor other, int? dim=None, *, Tensor out=None",
    "cummax": "Tensor input, int dim, *, tensors[2] out=None",
    "cummin": "Tensor input, int dim, *, tensors[2] out=None",
    "cumprod": "Tensor input, int dim, *, dtype? dtype=None, Tensor out=None",
    "cumsum": "Tensor input, int dim, *, dtype? dtype=None, Tensor out=None",
    "cumulative_trapezoid": ("Tensor y, Tensor x, *, int dim=-1 | Tensor y, *, Number dx=1, int dim=-1"),
    "deg2rad": "Tensor input, *, Tensor out=None",
    "deg2rad_": "Tensor input",
    "det": "Tensor input",
    "detach": "Tensor input",
    "detach_copy": "Tensor input, *, Tensor out=None",
    "diag": "Tensor input, int diagonal=0, *, Tensor out=None",
    "diag_embed": "Tensor input, int offset=0, int dim1=-2, int dim2=-1",
    "diagflat": "Tensor input, int offset=0",
    "diagonal": "Tensor input, int offset=0, int dim1=0, int dim2=1",
    "diagonal_copy": "Tensor input, int offset=0, int dim1=0, int dim2=1, *, Tensor out=None",
    "diagonal_scatter": "Tensor input, Tensor src, int offset=0, int dim1=0, int dim2=1",
    "diff": "Tensor input, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None, *, Tensor out=None",
    "digamma": "Tensor input, *, Tensor out=None",
    "dist": "Tensor input, Tensor other, Number p=2",
    "div": (
        "Tensor/Number input, Tensor/Number other, *, Tensor out=None | "
        "Tensor/Number input, Tensor/Number other, *, str? rounding_mode, Tensor out=None | "
        "Tensor/Number input, Number other, *, str? rounding_mode"
    ),
    "divide": (
        "Tensor/Number input, Tensor/Number other, *, Tensor out=None | "
        "Tensor/Number input, Tensor/Number other, *, str? rounding_mode, Tensor out=None | "
        "Tensor/Number input, Number other | "
        "Tensor/Number input, Number other, *, str? rounding_mode"
    ),
    "dot": "Tensor input, Tensor tensor, *, Tensor out=None",
    "dropout": "Tensor input, float p, bool train",
    "dropout_": "Tensor input, float p, bool train",
    "dsplit": ("Tensor input, int sections | Tensor input, ints indices"),
    "dstack": "tensors tensors, *, Tensor out=None",
    "elu_": "Tensor input, Number alpha=1, Number scale=1, Number input_scale=1",
    "embedding": "Tensor weight, Tensor indices, index padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False",
    "embedding_renorm_": "Tensor input, Tensor indices, float max_norm, float norm_type",
    "empty": (
        "sizes size, *, memory_format? memory_format=None, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "empty_like": (
        "Tensor input, *, memory_format? memory_format=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "empty_permuted": (
        "sizes size, ints physical_layout, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "empty_strided": (
        "sizes size, sizes stride, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "eq": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "equal": "Tensor input, Tensor other",
    "erf": "Tensor input, *, Tensor out=None",
    "erf_": "Tensor input",
    "erfc": "Tensor input, *, Tensor out=None",
    "erfc_": "Tensor input",
    "erfinv": "Tensor input, *, Tensor out=None",
    "exp": "Tensor input, *, Tensor out=None",
    "exp2": "Tensor input, *, Tensor out=None",
    "exp2_": "Tensor input",
    "exp_": "Tensor input",
    "expand_copy": "Tensor input, sizes size, *, bool implicit=False, Tensor out=None",
    "expm1": "Tensor input, *, Tensor out=None",
    "expm1_": "Tensor input",
    "eye": (
        "index n, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False | "
        "index n, index m, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "feature_alpha_dropout": "Tensor input, float p, bool train",
    "feature_alpha_dropout_": "Tensor input, float p, bool train",
    "feature_dropout": "Tensor input, float p, bool train",
    "feature_dropout_": "Tensor input, float p, bool train",
    "fill": ("Tensor input, Tensor value | Tensor input, Number value"),
    "fill_": ("Tensor input, Tensor value | Tensor input, Number value"),
    "fix": "Tensor input, *, Tensor out=None",
    "fix_": "Tensor input",
    "flatten": "Tensor input, int start_dim=0, int end_dim=-1",
    "flip": "Tensor input, ints dims",
    "fliplr": "Tensor input",
    "flipud": "Tensor input",
    "float_power": (
        "Tensor input, Tensor exponent, *, Tensor out=None | "
        "Number self, Tensor exponent, *, Tensor out=None | "
        "Tensor input, Number exponent, *, Tensor out=None"
    ),
    "floor": "Tensor input, *, Tensor out=None",
    "floor_": "Tensor input",
    "floor_divide": ("Tensor/Number input, Tensor/Number other, *, Tensor out=None | Tensor/Number input, Number other"),
    "fmax": "Tensor input, Tensor other, *, Tensor out=None",
    "fmin": "Tensor input, Tensor other, *, Tensor out=None",
    "fmod": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "frac": "Tensor input, *, Tensor out=None",
    "frac_": "Tensor input",
    "frexp": "Tensor input, *, tensors[2] out=None",
    "frombuffer": "object buffer, *, dtype dtype, int count=-1, int offset=0, bool requires_grad=False",
    "full": (
        "sizes size, Number fill_value, *, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "full_like": (
        "Tensor input, Number fill_value, *, memory_format? memory_format=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "gather": "Tensor input, int dim, Tensor index, *, bool sparse_grad=False, Tensor out=None",
    "gcd": "Tensor input, Tensor other, *, Tensor out=None",
    "gcd_": "Tensor input, Tensor other",
    "ge": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "gelu": 'Tensor input, *, str approximate="none", Tensor out=None',
    "geqrf": "Tensor input, *, tensors[2] out=None",
    "ger": "Tensor input, Tensor vec2, *, Tensor out=None",
    "gradient": (
        "Tensor input, *, ints dim, int edge_order=1 | "
        "Tensor input, *, Number spacing, ints dim, int edge_order=1 | "
        "Tensor input, *, Number? spacing=None, int? dim=None, int edge_order=1 | "
        "Tensor input, *, numbers spacing, int? dim=None, int edge_order=1 | "
        "Tensor input, *, numbers spacing, ints dim, int edge_order=1 | "
        "Tensor input, *, tensors spacing, int? dim=None, int edge_order=1 | "
        "Tensor input, *, tensors spacing, ints dim, int edge_order=1"
    ),
    "greater": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "greater_equal": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "group_norm": (
        "Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True"
    ),
    "gt": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "kaiser_window": (
        "int window_length, *, dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False | "
        "int window_length, bool periodic, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False | "
        "int window_length, bool periodic, float beta, *, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "hamming_window": (
        "int window_length, *, dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False | "
        "int window_length, bool periodic, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False | "
        "int window_length, bool periodic, float alpha, *, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "int window_length, bool periodic, float alpha, float beta, *, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "hann_window": (
        "int window_length, *, dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False | "
        "int window_length, bool periodic, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "hardshrink": "Tensor input, Number lambd=0.5, *, Tensor out=None",
    "hardtanh_": "Tensor input, Number min_val=-1, Number max_val=1",
    "heaviside": "Tensor input, Tensor values, *, Tensor out=None",
    "histc": "Tensor input, int bins=100, Number min=0, Number max=0, *, Tensor out=None",
    "hsplit": ("Tensor input, int sections | Tensor input, ints indices"),
    "hstack": "tensors tensors, *, Tensor out=None",
    "hypot": "Tensor input, Tensor other, *, Tensor out=None",
    "i0": "Tensor input, *, Tensor out=None",
    "i0_": "Tensor input",
    "igamma": "Tensor input, Tensor other, *, Tensor out=None",
    "igammac": "Tensor input, Tensor other, *, Tensor out=None",
    "imag": "Tensor input",
    "index_add": "Tensor input, int dim, Tensor index, Tensor source, *, Number alpha=1, Tensor out=None",
    "index_copy": "Tensor input, int dim, Tensor index, Tensor source, *, Tensor out=None",
    "index_fill": ("Tensor input, int dim, Tensor index, Tensor value | Tensor input, int dim, Tensor index, Number value"),
    "index_put": "Tensor input, tensors indices, Tensor values, bool accumulate=False",
    "index_put_": "Tensor input, tensors indices, Tensor values, bool accumulate=False",
    "index_reduce": "Tensor input, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True, Tensor out=None",
    "index_select": "Tensor input, int dim, Tensor index, *, Tensor out=None",
    "inner": "Tensor input, Tensor other, *, Tensor out=None",
    "inverse": "Tensor input, *, Tensor out=None",
    "is_complex": "Tensor input",
    "is_conj": "Tensor input",
    "is_floating_point": "Tensor input",
    "is_inference": "Tensor input",
    "is_neg": "Tensor input",
    "is_nonzero": "Tensor input",
    "is_same_size": "Tensor input, Tensor other",
    "is_signed": "Tensor input",
    "isclose": "Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False",
    "isfinite": "Tensor input",
    "isin": (
        "Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False, Tensor out=None | "
        "Number element, Tensor test_elements, *, bool assume_unique=False, bool invert=False, Tensor out=None | "
        "Tensor elements, Number test_element, *, bool assume_unique=False, bool invert=False, Tensor out=None"
    ),
    "isinf": "Tensor input",
    "isnan": "Tensor input",
    "isneginf": "Tensor input, *, Tensor out=None",
    "isposinf": "Tensor input, *, Tensor out=None",
    "isreal": "Tensor input",
    "kron": "Tensor input, Tensor other, *, Tensor out=None",
    "kthvalue": "Tensor input, index k, int dim=-1, bool keepdim=False, *, tensors[2] out=None",
    "layer_norm": (
        "Tensor input, sizes normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True"
    ),
    "lcm": "Tensor input, Tensor other, *, Tensor out=None",
    "lcm_": "Tensor input, Tensor other",
    "ldexp": "Tensor input, Tensor other, *, Tensor out=None",
    "ldexp_": "Tensor input, Tensor other",
    "le": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "leaky_relu_": "Tensor input, Number negative_slope=0.01",
    "lerp": (
        "Tensor input, Tensor end, Tensor weight, *, Tensor out=None | "
        "Tensor input, Tensor end, Number weight, *, Tensor out=None"
    ),
    "less": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "less_equal": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "lgamma": "Tensor input, *, Tensor out=None",
    "linalg_cholesky": "Tensor input, *, bool upper=False, Tensor out=None",
    "linalg_cholesky_ex": "Tensor input, *, bool upper=False, bool check_errors=False, tensors[2] out=None",
    "linalg_cond": ("Tensor input, Number? p=None, *, Tensor out=None | Tensor input, str p, *, Tensor out=None"),
    "linalg_cross": "Tensor input, Tensor other, *, int dim=-1, Tensor out=None",
    "linalg_det": "Tensor A, *, Tensor out=None",
    "linalg_diagonal": "Tensor A, *, int offset=0, int dim1=-2, int dim2=-1",
    "linalg_eig": "Tensor input, *, tensors[2] out=None",
    "linalg_eigh": 'Tensor input, str UPLO="L", *, tensors[2] out=None',
    "linalg_eigvals": "Tensor input, *, Tensor out=None",
    "linalg_eigvalsh": 'Tensor input, str UPLO="L", *, Tensor out=None',
    "linalg_inv": "Tensor A, *, Tensor out=None",
    "linalg_inv_ex": "Tensor A, *, bool check_errors=False, tensors[2] out=None",
    "linalg_lu": "Tensor A, *, bool pivot=True, tensors[3] out=None",
    "linalg_lu_factor": "Tensor A, *, bool pivot=True, tensors[2] out=None",
    "linalg_lu_factor_ex": "Tensor A, *, bool pivot=True, bool check_errors=False, tensors[3] out=None",
    "linalg_lu_solve": "Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False, Tensor out=None",
    "linalg_matmul": "Tensor input, Tensor other, *, Tensor out=None",
    "linalg_matrix_exp": "Tensor input",
    "linalg_matrix_norm": (
        "Tensor input, Number ord, ints dim={-2,-1}, bool keepdim=False, *, dtype? dtype=None, Tensor out=None | "
        'Tensor input, str ord="fro", ints dim={-2,-1}, bool keepdim=False, *, dtype? dtype=None, Tensor out=None'
    ),
    "linalg_matrix_power": "Tensor input, int n, *, Tensor out=None",
    "linalg_matrix_rank": (
        "Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False, Tensor out=None | "
        "Tensor input, *, float? atol=None, float? rtol=None, bool hermitian=False, Tensor out=None | "
        "Tensor input, Tensor tol, bool hermitian=False, *, Tensor out=None | "
        "Tensor input, float tol, bool hermitian=False, *, Tensor out=None"
    ),
    "linalg_multi_dot": "tensors tensors, *, Tensor out=None",
    "linalg_norm": (
        "Tensor input, Number? ord=None, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor out=None | "
        "Tensor input, str ord, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor out=None"
    ),
    "linalg_pinv": (
        "Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False, Tensor out=None | "
        "Tensor input, *, float? atol=None, float? rtol=None, bool hermitian=False, Tensor out=None | "
        "Tensor input, Tensor rcond, bool hermitian=False, *, Tensor out=None | "
        "Tensor input, float rcond, bool hermitian=False, *, Tensor out=None"
    ),
    "linalg_qr": 'Tensor A, str mode="reduced", *, tensors[2] out=None',
    "linalg_slogdet": "Tensor A, *, tensors[2] out=None",
    "linalg_solve": "Tensor A, Tensor B, *, bool left=True, Tensor out=None",
    "linalg_solve_ex": "Tensor A, Tensor B, *, bool left=True, bool check_errors=False, tensors[2] out=None",
    "linalg_solve_triangular": "Tensor input, Tensor B, *, bool upper, bool left=True, bool unitriangular=False, Tensor out=None",
    "linalg_svd": "Tensor A, bool full_matrices=True, *, str? driver=None, tensors[3] out=None",
    "linalg_svdvals": "Tensor A, *, str? driver=None, Tensor out=None",
    "linalg_tensorinv": "Tensor input, int ind=2, *, Tensor out=None",
    "linalg_tensorsolve": "Tensor input, Tensor other, ints? dims=None, *, Tensor out=None",
    "linalg_vander": "Tensor x, *, index? N=None",
    "linalg_vecdot": "Tensor x, Tensor y, *, int dim=-1, Tensor out=None",
    "linalg_vector_norm": (
        "Tensor input, Number ord=2, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor out=None"
    ),
    "linear": "Tensor input, Tensor weight, Tensor? bias=None, *, Tensor out=None",
    "linspace": (
        "Tensor start, Tensor end, int steps, *, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Number start, Tensor end, int steps, *, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Tensor start, Number end, int steps, *, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Number start, Number end, int steps, *, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "log": "Tensor input, *, Tensor out=None",
    "log10": "Tensor input, *, Tensor out=None",
    "log10_": "Tensor input",
    "log1p": "Tensor input, *, Tensor out=None",
    "log1p_": "Tensor input",
    "log2": "Tensor input, *, Tensor out=None",
    "log2_": "Tensor input",
    "log_": "Tensor input",
    "log_sigmoid": "Tensor input, *, Tensor out=None",
    "log_softmax": "Tensor input, int dim, dtype? dtype=None, *, Tensor out=None",
    "logaddexp": "Tensor input, Tensor other, *, Tensor out=None",
    "logaddexp2": "Tensor input, Tensor other, *, Tensor out=None",
    "logcumsumexp": "Tensor input, int dim, *, Tensor out=None",
    "logdet": "Tensor input",
    "logical_and": "Tensor input, Tensor other, *, Tensor out=None",
    "logical_not": "Tensor input, *, Tensor out=None",
    "logical_or": "Tensor input, Tensor other, *, Tensor out=None",
    "logical_xor": "Tensor input, Tensor other, *, Tensor out=None",
    "logit": "Tensor input, float? eps=None, *, Tensor out=None",
    "logit_": "Tensor input, float? eps=None",
    "logspace": (
        "Tensor start, Tensor end, int steps, float base=10.0, *, Tensor out=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Number start, Tensor end, int steps, float base=10.0, *, Tensor out=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Tensor start, Number end, int steps, float base=10.0, *, Tensor out=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Number start, Number end, int steps, float base=10.0, *, Tensor out=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "logsumexp": "Tensor input, ints[1] dim, bool keepdim=False, *, Tensor out=None",
    "lt": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "lu_solve": "Tensor input, Tensor LU_data, Tensor LU_pivots, *, Tensor out=None",
    "lu_unpack": "Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True, *, tensors[3] out=None",
    "masked_fill": ("Tensor input, Tensor mask, Tensor value | Tensor input, Tensor mask, Number value"),
    "masked_scatter": "Tensor input, Tensor mask, Tensor source",
    "masked_select": "Tensor input, Tensor mask, *, Tensor out=None",
    "matmul": "Tensor input, Tensor other, *, Tensor out=None",
    "matrix_exp": "Tensor input",
    "matrix_power": "Tensor input, int n, *, Tensor out=None",
    "max": (
        "Tensor input, *, Tensor out=None | "
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Tensor input, int dim, bool keepdim=False, *, tensors[2] out=None"
    ),
    "maximum": "Tensor input, Tensor other, *, Tensor out=None",
    "mean": (
        "Tensor input, *, dtype? dtype=None, Tensor out=None | "
        "Tensor input, ints[1]? dim, bool keepdim=False, *, dtype? dtype=None, Tensor out=None"
    ),
    "median": ("Tensor input | Tensor input, int dim, bool keepdim=False, *, tensors[2] out=None"),
    "min": (
        "Tensor input, *, Tensor out=None | "
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Tensor input, int dim, bool keepdim=False, *, tensors[2] out=None"
    ),
    "minimum": "Tensor input, Tensor other, *, Tensor out=None",
    "mm": ("Tensor input, Tensor mat2, *, Tensor out=None | Tensor input, Tensor mat2, dtype out_dtype, *, Tensor out=None"),
    "mode": "Tensor input, int dim=-1, bool keepdim=False, *, tensors[2] out=None",
    "moveaxis": ("Tensor input, int source, int destination | Tensor input, ints source, ints destination"),
    "movedim": ("Tensor input, int source, int destination | Tensor input, ints source, ints destination"),
    "msort": "Tensor input, *, Tensor out=None",
    "mul": "Tensor/Number input, Tensor/Number other, *, Tensor out=None",
    "multinomial": "Tensor input, index num_samples, bool replacement=False, *, generator? generator=None, Tensor out=None",
    "multiply": ("Tensor/Number input, Tensor/Number other, *, Tensor out=None | Tensor/Number input, Number other"),
    "mv": "Tensor input, Tensor vec, *, Tensor out=None",
    "mvlgamma": "Tensor input, int p, *, Tensor out=None",
    "nan_to_num": "Tensor input, float? nan=None, float? posinf=None, float? neginf=None, *, Tensor out=None",
    "nan_to_num_": "Tensor input, float? nan=None, float? posinf=None, float? neginf=None",
    "nanmean": "Tensor input, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor out=None",
    "nanmedian": ("Tensor input | Tensor input, int dim, bool keepdim=False, *, tensors[2] out=None"),
    "nanquantile": (
        'Tensor input, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear", Tensor out=None | '
        'Tensor input, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear", Tensor out=None'
    ),
    "nansum": "Tensor input, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor out=None",
    "narrow": ("Tensor input, int dim, Tensor start, index length | Tensor input, int dim, index start, index length"),
    "narrow_copy": "Tensor input, int dim, index start, index length, *, Tensor out=None",
    "native_batch_norm": (
        "Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, "
        "float momentum, float eps, *, tensors[3] out=None"
    ),
    "native_group_norm": "Tensor input, Tensor? weight, Tensor? bias, index N, index C, index HxW, int group, float eps",
    "native_layer_norm": "Tensor input, sizes normalized_shape, Tensor? weight, Tensor? bias, float eps",
    "ne": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "neg": "Tensor input, *, Tensor out=None",
    "neg_": "Tensor input",
    "negative": "Tensor input, *, Tensor out=None",
    "negative_": "Tensor input",
    "nextafter": "Tensor input, Tensor other, *, Tensor out=None",
    "nonzero": "Tensor input, *, bool as_tuple=False, Tensor out=None",
    "normal": (
        "Tensor mean, Tensor std, *, generator? generator=None, Tensor out=None | "
        "Tensor mean, float std=1, *, generator? generator=None, Tensor out=None | "
        "float mean, Tensor std, *, generator? generator=None, Tensor out=None | "
        "float mean, float std, sizes size, *, generator? generator=None, Tensor out=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "not_equal": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "numel": "Tensor input",
    "one_hot": "Tensor input, int num_classes=-1",
    "ones": (
        "sizes size, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "ones_like": (
        "Tensor input, *, memory_format? memory_format=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "outer": "Tensor input, Tensor vec2, *, Tensor out=None",
    "pairwise_distance": "Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False",
    "pdist": "Tensor input, float p=2",
    "permute": "Tensor input, ints dims",
    "permute_copy": "Tensor input, ints dims, *, Tensor out=None",
    "pinverse": "Tensor input, float rcond=1e-15",
    "pixel_shuffle": "Tensor input, int upscale_factor",
    "pixel_unshuffle": "Tensor input, int downscale_factor",
    "poisson": "Tensor input, generator? generator=None",
    "polar": "Tensor abs, Tensor angle, *, Tensor out=None",
    "polygamma": "int n, Tensor input, *, Tensor out=None",
    "positive": "Tensor input",
    "pow": (
        "Tensor input, Tensor exponent, *, Tensor out=None | "
        "Number self, Tensor exponent, *, Tensor out=None | "
        "Tensor input, Number exponent, *, Tensor out=None"
    ),
    "prelu": "Tensor input, Tensor weight",
    "prod": (
        "Tensor input, *, dtype? dtype=None | Tensor input, int dim, bool keepdim=False, *, dtype? dtype=None, Tensor out=None"
    ),
    "promote_types": "dtype type1, dtype type2",
    "put": "Tensor input, Tensor index, Tensor source, bool accumulate=False",
    "qr": "Tensor input, bool some=True, *, tensors[2] out=None",
    "quantile": (
        'Tensor input, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear", Tensor out=None | '
        'Tensor input, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear", Tensor out=None'
    ),
    "rad2deg": "Tensor input, *, Tensor out=None",
    "rad2deg_": "Tensor input",
    "rand": (
        "sizes size, *, generator? generator, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "sizes size, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "rand_like": (
        "Tensor input, *, generator? generator, memory_format? memory_format=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Tensor input, *, memory_format? memory_format=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "randint": (
        "index high, sizes size, *, generator? generator, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "index high, sizes size, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False | "
        "index low, index high, sizes size, *, generator? generator, Tensor out=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "index low, index high, sizes size, *, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "randint_like": (
        "Tensor input, index low, index high, *, generator? generator, memory_format? memory_format=None, "
        "dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False | "
        "Tensor input, index low, index high, *, memory_format? memory_format=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Tensor input, Tensor high, *, generator? generator, memory_format? memory_format=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Tensor input, Tensor high, *, memory_format? memory_format=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Tensor input, index high, *, generator? generator, memory_format? memory_format=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Tensor input, index high, *, memory_format? memory_format=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "randn": (
        "sizes size, *, generator? generator, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "sizes size, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "randn_like": (
        "Tensor input, *, generator? generator, memory_format? memory_format=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "Tensor input, *, memory_format? memory_format=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "randperm": (
        "index n, *, generator? generator, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False | "
        "index n, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "range": (
        "Number start, Number end, Number step=1, *, Tensor out=None, dtype dtype=None, layout layout=torch.strided, "
        "device device=None, bool requires_grad=False"
    ),
    "ravel": "Tensor input",
    "real": "Tensor input",
    "reciprocal": "Tensor input, *, Tensor out=None",
    "reciprocal_": "Tensor input",
    "relu": "Tensor input",
    "relu_": "Tensor input",
    "remainder": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "renorm": "Tensor input, Number p, int dim, Number maxnorm, *, Tensor out=None",
    "repeat_interleave": (
        "Tensor input, Tensor repeats, int? dim=None, *, index? output_size=None | "
        "Tensor repeats, *, index? output_size=None | "
        "Tensor input, index repeats, int? dim=None, *, index? output_size=None"
    ),
    "reshape": "Tensor input, sizes shape",
    "resize_as_": "Tensor input, Tensor the_template, *, memory_format? memory_format=None",
    "resolve_conj": "Tensor input",
    "resolve_neg": "Tensor input",
    "result_type": (
        "Tensor tensor, Tensor other | "
        "Number scalar, Tensor tensor | "
        "Tensor tensor, Number other | "
        "Number scalar1, Number scalar2"
    ),
    "rms_norm": "Tensor input, sizes normalized_shape, Tensor? weight=None, float? eps=None",
    "roll": "Tensor input, sizes[1] shifts, ints[1] dims=None",
    "rot90": "Tensor input, int k=1, ints dims={0,1}",
    "round": ("Tensor input, *, Tensor out=None | Tensor input, *, int decimals, Tensor out=None"),
    "round_": ("Tensor input | Tensor input, *, int decimals"),
    "row_stack": "tensors tensors, *, Tensor out=None",
    "rrelu": "Tensor input, Number lower=0.125, Number upper=0.3333333333333333, bool training=False, generator? generator=None",
    "rrelu_": "Tensor input, Number lower=0.125, Number upper=0.3333333333333333, bool training=False, generator? generator=None",
    "rsqrt": "Tensor input, *, Tensor out=None",
    "rsqrt_": "Tensor input",
    "rsub": ("Tensor input, Tensor other, *, Number alpha=1 | Tensor input, Number other, Number alpha=1"),
    "scalar_tensor": (
        "Number s, *, dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False"
    ),
    "scatter": (
        "Tensor input, int dim, Tensor index, Tensor src, *, Tensor out=None | "
        "Tensor input, int dim, Tensor index, Tensor src, *, str reduce, Tensor out=None | "
        "Tensor input, int dim, Tensor index, Number value, *, Tensor out=None | "
        "Tensor input, int dim, Tensor index, Number value, *, str reduce, Tensor out=None"
    ),
    "scatter_add": "Tensor input, int dim, Tensor index, Tensor src, *, Tensor out=None",
    "scatter_reduce": "Tensor input, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True, Tensor out=None",
    "searchsorted": (
        "Tensor sorted_sequence, Tensor input, *, bool out_int32=False, bool right=False, str? side=None, "
        "Tensor? sorter=None, Tensor out=None | "
        "Tensor sorted_sequence, Number self, *, bool out_int32=False, bool right=False, str? side=None, "
        "Tensor? sorter=None, Tensor out=None"
    ),
    "select": "Tensor input, int dim, index index",
    "select_copy": "Tensor input, int dim, index index, *, Tensor out=None",
    "select_scatter": "Tensor input, Tensor src, int dim, index index",
    "selu": "Tensor input",
    "selu_": "Tensor input",
    "sgn": "Tensor input, *, Tensor out=None",
    "sigmoid": "Tensor input, *, Tensor out=None",
    "sigmoid_": "Tensor input",
    "sign": "Tensor input, *, Tensor out=None",
    "signbit": "Tensor input, *, Tensor out=None",
    "sin": "Tensor input, *, Tensor out=None",
    "sin_": "Tensor input",
    "sinc": "Tensor input, *, Tensor out=None",
    "sinc_": "Tensor input",
    "sinh": "Tensor input, *, Tensor out=None",
    "sinh_": "Tensor input",
    "slice_copy": "Tensor input, int dim=0, index? start=None, index? end=None, index step=1, *, Tensor out=None",
    "slice_scatter": "Tensor input, Tensor src, int dim=0, index? start=None, index? end=None, index step=1, *, Tensor out=None",
    "slogdet": "Tensor input, *, tensors[2] out=None",
    "softmax": "Tensor input, int dim, dtype? dtype=None, *, Tensor out=None",
    "softplus": "Tensor input, Number beta=1, Number threshold=20, *, Tensor out=None",
    "softshrink": "Tensor input, Number lambd=0.5, *, Tensor out=None",
    "sort": (
        "Tensor input, *, bool? stable, int dim=-1, bool descending=False, tensors[2] out=None | "
        "Tensor input, int dim=-1, bool descending=False, *, tensors[2] out=None"
    ),
    "special_bessel_j0": "Tensor input, *, Tensor out=None",
    "special_bessel_j1": "Tensor input, *, Tensor out=None",
    "special_bessel_y0": "Tensor input, *, Tensor out=None",
    "special_bessel_y1": "Tensor input, *, Tensor out=None",
    "special_digamma": "Tensor input, *, Tensor out=None",
    "special_entr": "Tensor input, *, Tensor out=None",
    "special_erf": "Tensor input, *, Tensor out=None",
    "special_erfc": "Tensor input, *, Tensor out=None",
    "special_erfcx": "Tensor input, *, Tensor out=None",
    "special_erfinv": "Tensor input, *, Tensor out=None",
    "special_exp2": "Tensor input, *, Tensor out=None",
    "special_expit": "Tensor input, *, Tensor out=None",
    "special_expm1": "Tensor input, *, Tensor out=None",
    "special_gammainc": "Tensor input, Tensor other, *, Tensor out=None",
    "special_gammaincc": "Tensor input, Tensor other, *, Tensor out=None",
    "special_gammaln": "Tensor input, *, Tensor out=None",
    "special_i0": "Tensor input, *, Tensor out=None",
    "special_i0e": "Tensor input, *, Tensor out=None",
    "special_i1": "Tensor input, *, Tensor out=None",
    "special_i1e": "Tensor input, *, Tensor out=None",
    "special_log1p": "Tensor input, *, Tensor out=None",
    "special_log_ndtr": "Tensor input, *, Tensor out=None",
    "special_log_softmax": "Tensor input, int dim, *, dtype? dtype=None",
    "special_logit": "Tensor input, float? eps=None, *, Tensor out=None",
    "special_logsumexp": "Tensor input, ints[1] dim, bool keepdim=False, *, Tensor out=None",
    "special_modified_bessel_i0": "Tensor input, *, Tensor out=None",
    "special_modified_bessel_i1": "Tensor input, *, Tensor out=None",
    "special_multigammaln": "Tensor input, int p, *, Tensor out=None",
    "special_ndtr": "Tensor input, *, Tensor out=None",
    "special_ndtri": "Tensor input, *, Tensor out=None",
    "special_polygamma": "int n, Tensor input, *, Tensor out=None",
    "special_psi": "Tensor input, *, Tensor out=None",
    "special_round": "Tensor input, *, int decimals=0, Tensor out=None",
    "special_sinc": "Tensor input, *, Tensor out=None",
    "special_softmax": "Tensor input, int dim, dtype? dtype=None",
    "special_spherical_bessel_j0": "Tensor x, *, Tensor out=None",
    "special_xlog1py": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other, *, Tensor out=None | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "special_xlogy": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other, *, Tensor out=None | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "special_zeta": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other, *, Tensor out=None | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "split_copy": "Tensor input, int split_size, int dim=0, *, tensors? out=None",
    "split_with_sizes": "Tensor input, sizes split_sizes, int dim=0",
    "split_with_sizes_copy": "Tensor input, sizes split_sizes, int dim=0, *, tensors? out=None",
    "sqrt": "Tensor input, *, Tensor out=None",
    "sqrt_": "Tensor input",
    "square": "Tensor input, *, Tensor out=None",
    "square_": "Tensor input",
    "squeeze": ("Tensor input | Tensor input, int dim | Tensor input, ints dim"),
    "squeeze_copy": (
        "Tensor input, *, Tensor out=None | "
        "Tensor input, int dim, *, Tensor out=None | "
        "Tensor input, ints dim, *, Tensor out=None"
    ),
    "stack": "tensors tensors, int dim=0, *, Tensor out=None",
    "std": (
        "Tensor input, ints[1]? dim, bool unbiased=True, bool keepdim=False, *, Tensor out=None | "
        "Tensor input, ints[1]? dim=None, *, Number? correction=None, bool keepdim=False, Tensor out=None | "
        "Tensor input, bool unbiased=True"
    ),
    "std_mean": (
        "Tensor input, ints[1]? dim, bool unbiased=True, bool keepdim=False | "
        "Tensor input, ints[1]? dim=None, *, Number? correction=None, bool keepdim=False | "
        "Tensor input, bool unbiased=True"
    ),
    "sub": (
        "deprecated Tensor/Number input, Number alpha, Tensor/Number other, *, Tensor out=None | "
        "Tensor/Number input, Tensor/Number other, *, Number alpha=1, Tensor out=None"
    ),
    "subtract": (
        "Tensor/Number input, Tensor/Number other, *, Number alpha=1, Tensor out=None | "
        "Tensor/Number input, Number other, Number alpha=1"
    ),
    "sum": (
        "Tensor input, *, dtype? dtype=None | "
        "Tensor input, ints[1]? dim, bool keepdim=False, *, dtype? dtype=None, Tensor out=None"
    ),
    "svd": "Tensor input, bool some=True, bool compute_uv=True, *, tensors[3] out=None",
    "swapaxes": "Tensor input, int axis0, int axis1",
    "swapdims": "Tensor input, int dim0, int dim1",
    "t": "Tensor input",
    "t_copy": "Tensor input, *, Tensor out=None",
    "take": "Tensor input, Tensor index, *, Tensor out=None",
    "take_along_dim": "Tensor input, Tensor indices, int? dim=None, *, Tensor out=None",
    "tan": "Tensor input, *, Tensor out=None",
    "tan_": "Tensor input",
    "tanh": "Tensor input, *, Tensor out=None",
    "tanh_": "Tensor input",
    "tensor": "object data, *, dtype dtype=None, device? device=None, bool pin_memory=False, bool requires_grad=False",
    "tensor_split": (
        "Tensor input, sizes indices, int dim=0 | "
        "Tensor input, Tensor tensor_indices_or_sections, int dim=0 | "
        "Tensor input, index sections, int dim=0"
    ),
    "threshold": "Tensor input, Number threshold, Number value, *, Tensor out=None",
    "threshold_": "Tensor input, Number threshold, Number value",
    "tile": "Tensor input, sizes dims",
    "topk": "Tensor input, index k, int dim=-1, bool largest=True, bool sorted=True, *, tensors[2] out=None",
    "trace": "Tensor input",
    "transpose": "Tensor input, int dim0, int dim1",
    "transpose_copy": "Tensor input, int dim0, int dim1, *, Tensor out=None",
    "trapezoid": ("Tensor y, Tensor x, *, int dim=-1 | Tensor y, *, Number dx=1, int dim=-1"),
    "trapz": ("Tensor y, *, float dx=1, int dim=-1 | Tensor y, Tensor x, *, int dim=-1"),
    "triangular_solve": (
        "Tensor input, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False, *, tensors[2] out=None"
    ),
    "tril": "Tensor input, index diagonal=0, *, Tensor out=None",
    "tril_indices": (
        "int row, int col, int offset=0, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "triu": "Tensor input, index diagonal=0, *, Tensor out=None",
    "triu_indices": (
        "int row, int col, int offset=0, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "true_divide": ("Tensor/Number input, Tensor/Number other, *, Tensor out=None | Tensor/Number input, Number other"),
    "trunc": "Tensor input, *, Tensor out=None",
    "trunc_": "Tensor input",
    "unbind": "Tensor input, int dim=0",
    "unbind_copy": "Tensor input, int dim=0, *, tensors out=None",
    "unflatten": "Tensor input, int dim, sizes sizes",
    "unfold_copy": "Tensor input, int dimension, int size, int step, *, Tensor out=None",
    "unsafe_chunk": "Tensor input, int chunks, int dim=0",
    "unsafe_split": "Tensor input, index split_size, int dim=0",
    "unsafe_split_with_sizes": "Tensor input, sizes split_sizes, int dim=0",
    "unsqueeze": "Tensor input, int dim",
    "unsqueeze_copy": "Tensor input, int dim, *, Tensor out=None",
    "vander": "Tensor x, int? N=None, bool increasing=False",
    "var": (
        "Tensor input, ints[1]? dim, bool unbiased=True, bool keepdim=False, *, Tensor out=None | "
        "Tensor input, ints[1]? dim=None, *, Number? correction=None, bool keepdim=False, Tensor out=None | "
        "Tensor input, bool unbiased=True"
    ),
    "var_mean": (
        "Tensor input, ints[1]? dim, bool unbiased=True, bool keepdim=False | "
        "Tensor input, ints[1]? dim=None, *, Number? correction=None, bool keepdim=False | "
        "Tensor input, bool unbiased=True"
    ),
    "vdot": "Tensor input, Tensor other, *, Tensor out=None",
    "view_as_complex": "Tensor input",
    "view_as_complex_copy": "Tensor input, *, Tensor out=None",
    "view_as_real": "Tensor input",
    "view_as_real_copy": "Tensor input, *, Tensor out=None",
    "view_copy": ("Tensor input, dtype dtype, *, Tensor out=None | Tensor input, sizes size, *, Tensor out=None"),
    "vsplit": ("Tensor input, int sections | Tensor input, ints indices"),
    "vstack": "tensors tensors, *, Tensor out=None",
    "where": (
        "Tensor condition | "
        "Tensor condition, Tensor input, Tensor other, *, Tensor out=None | "
        "Tensor condition, Number self, Tensor other | "
        "Tensor condition, Tensor input, Number other | "
        "Tensor condition, Number self, Number other"
    ),
    "xlogy": (
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Number self, Tensor other, *, Tensor out=None | "
        "Tensor input, Number other, *, Tensor out=None"
    ),
    "xlogy_": ("Tensor input, Tensor other | Tensor input, Number other"),
    "zero_": "Tensor input",
    "zeros": (
        "sizes size, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "zeros_like": (
        "Tensor input, *, memory_format? memory_format=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
}
"""Signatures by the name that errors speak of: those of torch.linalg begin with `linalg_`, those of torch.special with `special_`."""

INNER = {
    "atleast_1d": "Tensor input | tensors tensors",
    "atleast_2d": "Tensor input | tensors tensors",
    "atleast_3d": "Tensor input | tensors tensors",
    "block_diag": "tensors tensors",
    "broadcast_tensors": "tensors tensors",
    "cartesian_prod": "tensors tensors",
    "cdist": "Tensor x1, Tensor x2, float p=2.0, object compute_mode=None",
    "chain_matmul": "tensors matrices, *, Tensor out=None",
    "einsum": "str equation, tensors operands",
    "meshgrid": "tensors tensors, *, str? indexing=None",
    "_lu_with_info": "Tensor input, bool pivot=True, bool check_errors=True",
    "_unique2": "Tensor input, bool sorted=True, bool return_inverse=False, bool return_counts=False",
    "binary_cross_entropy": "Tensor input, Tensor target, Tensor? weight=None, str reduction=mean",
    "cosine_embedding_loss": "Tensor input1, Tensor input2, Tensor target, float margin=0.0",
    "cross_entropy_loss": "Tensor input, Tensor target, Tensor? weight=None, int reduction=1, index ignore_index=-100, float label_smoothing=0.0",
    "elu": "Tensor input, Number alpha=1, Number scale=1, Number input_scale=1, *, Tensor out=None",
    "glu": "Tensor input, int dim=-1, *, Tensor out=None",
    "hardsigmoid": "Tensor input, *, Tensor out=None",
    "hardsigmoid_": "Tensor input",
    "hardswish": "Tensor input, *, Tensor out=None",
    "hardswish_": "Tensor input",
    "hardtanh": "Tensor input, Number min_val=-1, Number max_val=1, *, Tensor out=None",
    "hinge_embedding_loss": "Tensor input, Tensor target, float margin=1.0",
    "huber_loss": "Tensor input, Tensor target, str reduction=mean, float delta=1.0",
    "instance_norm": (
        "Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, "
        "float momentum, float eps"
    ),
    "kl_div": "Tensor input, Tensor target, int reduction=1, *, bool log_target=False",
    "l1_loss": "Tensor input, Tensor target",
    "leaky_relu": "Tensor input, Number negative_slope=0.01, *, Tensor out=None",
    "margin_ranking_loss": "Tensor input1, Tensor input2, Tensor target, float margin=0.0",
    "mish": "Tensor input, *, Tensor out=None",
    "mish_": "Tensor input",
    "mse_loss": "Tensor input, Tensor target, str reduction=mean",
    "multi_margin_loss": "Tensor input, Tensor target, Number p=1, Number margin=1, Tensor? weight=None, str reduction=mean",
    "multilabel_margin_loss": "Tensor input, Tensor target, str reduction=mean",
    "nll_loss_nd": "Tensor input, Tensor target, Tensor? weight=None, str reduction=mean, index ignore_index=-100",
    "pad": "Tensor input, sizes pad, str mode=constant, float? value=None",
    "poisson_nll_loss": "Tensor input, Tensor target, bool log_input, bool full, float eps",
    "relu6": "Tensor input",
    "relu6_": "Tensor input",
    "silu": "Tensor input, *, Tensor out=None",
    "silu_": "Tensor input",
    "smooth_l1_loss": "Tensor input, Tensor target, str reduction=mean, float beta=1.0",
    "soft_margin_loss": "Tensor input, Tensor target, str reduction=mean",
    "split": "Tensor input, index split_size, int dim=0 | Tensor input, sizes split_size, int dim=0",
    "triplet_margin_loss": (
        "Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, float eps=1e-06, bool swap=False"
    ),
    "unique_consecutive": "Tensor input, bool return_inverse=False, bool return_counts=False, int? dim=None",
    "unique_dim": "Tensor input, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False",
}
"""Those of functions that no program calls by that name: functions of Python, as PyTorch has them, check their arguments with these."""


METHODS = {
    "_to_dtype": "dtype dtype",
    "_is_view": "",
    "_make_subclass": (
        "object cls, Tensor data, bool require_grad=False, *, str? dispatch_sizes_strides_policy=None, "
        "bool dispatch_device=False, bool dispatch_layout=False, device? device_for_backend_keys=None"
    ),
    "addmm": (
        "deprecated Number beta, Number alpha, Tensor mat1, Tensor mat2 | "
        "deprecated Number beta, Tensor mat1, Tensor mat2 | "
        "Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1"
    ),
    "addmm_": (
        "deprecated Number beta, Number alpha, Tensor mat1, Tensor mat2 | "
        "deprecated Number beta, Tensor mat1, Tensor mat2 | "
        "Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1"
    ),
    "as_subclass": "object cls",
    "baddbmm": (
        "deprecated Number beta, Number alpha, Tensor batch1, Tensor batch2 | "
        "deprecated Number beta, Tensor batch1, Tensor batch2 | "
        "Tensor batch1, Tensor batch2, *, Number beta=1, Number alpha=1"
    ),
    "baddbmm_": (
        "deprecated Number beta, Number alpha, Tensor batch1, Tensor batch2 | "
        "deprecated Number beta, Tensor batch1, Tensor batch2 | "
        "Tensor batch1, Tensor batch2, *, Number beta=1, Number alpha=1"
    ),
    "bernoulli_": ("Tensor p, *, generator? generator=None | float p=0.5, *, generator? generator=None"),
    "bfloat16": "*, memory_format? memory_format=None",
    "bmm": "Tensor mat2",
    "bool": "*, memory_format? memory_format=None",
    "byte": "*, memory_format? memory_format=None",
    "cauchy_": "float median=0, float sigma=1, *, generator? generator=None",
    "cdouble": "*, memory_format? memory_format=None",
    "cfloat": "*, memory_format? memory_format=None",
    "char": "*, memory_format? memory_format=None",
    "contiguous": "*, memory_format memory_format=contiguous_format",
    "copy_": ("deprecated Tensor/Number other, bool async=False | Tensor/Number other, bool non_blocking=False"),
    "cpu": "*, memory_format? memory_format=None",
    "cuda": (
        "deprecated device? device=None, bool async=False, *, memory_format? memory_format=None | "
        "device? device=None, bool non_blocking=False, *, memory_format? memory_format=None"
    ),
    "data_ptr": "",
    "dim": "",
    "double": "*, memory_format? memory_format=None",
    "element_size": "",
    "expand": "sizes size, *, bool implicit=False",
    "expand_as": "Tensor other",
    "exponential_": "float lambd=1, *, generator? generator=None",
    "fill_diagonal_": "Number fill_value, bool wrap=False",
    "float": "*, memory_format? memory_format=None",
    "geometric_": "float p, *, generator? generator=None",
    "get_device": "",
    "half": "*, memory_format? memory_format=None",
    "int": "*, memory_format? memory_format=None",
    "is_contiguous": "*, memory_format memory_format=contiguous_format",
    "is_pinned": "device? device=None",
    "item": "",
    "log_normal_": "float mean=1, float std=2, *, generator? generator=None",
    "long": "*, memory_format? memory_format=None",
    "map_": "Tensor other, object callable",
    "mm": "Tensor mat2",
    "ndimension": "",
    "nelement": "",
    "new": (
        "*, device? device=None | "
        "storage storage | "
        "Tensor other | "
        "sizes size, *, device? device=None | "
        "object data, *, device? device=None"
    ),
    "new_empty": (
        "sizes size, *, dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False"
    ),
    "new_empty_strided": (
        "sizes size, sizes stride, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "new_full": (
        "sizes size, Number fill_value, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "new_ones": (
        "sizes size, *, dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False"
    ),
    "new_tensor": "object data, *, dtype dtype=None, device? device=None, bool requires_grad=False",
    "new_zeros": (
        "sizes size, *, dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
        "bool? requires_grad=False"
    ),
    "nonzero": (" | *, bool as_tuple"),
    "normal_": "float mean=0, float std=1, *, generator? generator=None",
    "numpy": "*, bool force=False",
    "pin_memory": "device? device=None",
    "random_": (
        "*, generator? generator=None | int from, int? to, *, generator? generator=None | int to, *, generator? generator=None"
    ),
    "repeat": "sizes repeats",
    "requires_grad_": "bool requires_grad=True",
    "reshape_as": "Tensor other",
    "resize_": "sizes size, *, memory_format? memory_format=None",
    "retain_grad": "",
    "set_": (
        " | "
        "storage source | "
        "storage source, index storage_offset, sizes size, sizes stride=None | "
        "Tensor source | "
        "Tensor source, index storage_offset, sizes size, sizes stride=None"
    ),
    "short": "*, memory_format? memory_format=None",
    "size": "int? dim=None",
    "storage_offset": "",
    "stride": "int? dim=None",
    "sum_to_size": "sizes size",
    "to": (
        "device device=None, dtype dtype=None, bool non_blocking=False, bool copy=False, *, "
        "memory_format? memory_format=None | "
        "dtype dtype, bool non_blocking=False, bool copy=False, *, memory_format? memory_format=None | "
        "Tensor tensor, bool non_blocking=False, bool copy=False, *, memory_format? memory_format=None"
    ),
    "tolist": "",
    "type": (
        "deprecated object dtype=None, bool async=False, *, memory_format? memory_format=None | "
        "object dtype=None, bool non_blocking=False, *, memory_format? memory_format=None"
    ),
    "type_as": "Tensor other",
    "unflatten": None,  # a function of Python in PyTorch too
    "unfold": "int dimension, int size, int step",
    "uniform_": "float from=0, float to=1, *, generator? generator=None",
    "untyped_storage": "",
    "view": ("dtype dtype | sizes size"),
    "view_as": "Tensor other",
}
"""Methods whose signature does not follow from the function's of the same name (see `method_signatures`)."""


def signatures(name, is_method):
    """The signatures of a function or method, as a text; None where it has none."""
    return method_signatures(name) if is_method else FUNCTIONS.get(name) or INNER[name]


def method_signatures(name):
    """Those of a method: its own, or those of the function (for `name_` in doubt that of `name`) without `input` and `out`."""
    if name in METHODS:
        return METHODS[name]
    known = FUNCTIONS.get(name)
    if known is None and name.endswith("_"):
        known = FUNCTIONS.get(name[:-1])
    if known is None:
        return None
    found = []
    for signature in known.split(" | "):
        mark, given = ("deprecated ", signature[11:]) if signature.startswith("deprecated ") else ("", signature)
        parameters = given.split(", ")
        kept = [p for p in parameters if p not in ("Tensor input", "Tensor/Number input") and not p.endswith(" out=None")]
        if not any(p.endswith(" input") for p in parameters):
            continue
        if kept and kept[-1] == "*":
            kept.pop()
        found.append(mark + ", ".join(kept))
    return " | ".join(found) if found else None
