"""The signatures of the public functions and methods: names, kinds, order and defaults of their parameters.

This is what the parser (core/calls/arguments.pxi) checks calls against, and what errors speak of. Signatures of one function stand in the order in
which they are tried, separated by `|`; a deprecated one is accepted, with a warning. A parameter is its kind, a `?` where None is taken too,
its name, and its default; `ints[1]` takes a single int as well. The kinds:

    Tensor           Tensor/Number: a plain number too          Number           int, float, bool, complex
    int              an integer                                 index            an integer, or what has __index__
    ints, sizes      a list or tuple of them                    tensors, numbers a list or tuple
    float, bool, str, dtype, layout, device, memory_format, generator, storage   as they are called
    object           anything

Most signatures follow from the declaration of their function: from its parameters, their defaults, and what kind parameters of their name
are (KINDS; an annotation says what kind another is). The others stand here, or in the declaration (`signature=`).
"""

from rushlight import core


def each(kind, names):
    return dict.fromkeys(names.split(), kind)


KINDS = {
    **each(
        "Tensor",
        "A B LU LU_data LU_pivots abs angle append aweights bias count fweights imag index indices input input1 input2 "
        "mask other pivots prepend prob real source src tensor values vec vec2 weight x y",
    ),
    **each(
        "int",
        "N bins chunks correction decimals dim dim0 dim1 dim2 downscale_factor end_dim ind n num_groups offset r "
        "start_dim upscale_factor",
    ),
    **each("str", "UPLO driver reduce"),
    **each(
        "bool",
        "adjoint as_tuple cudnn_enable cudnn_enabled equal_nan include_self increasing keepdim largest left replacement "
        "scale_grad_by_freq sorted sparse sparse_grad train unitriangular upper with_replacement",
    ),
    **each("Number", "alpha lambd max min threshold value"),
    **each("float", "atol eps nan neginf p posinf rcond rtol"),
    **each("index", "diagonal end k length num_samples padding_idx split_size start step storage_offset"),
    **each("ints", "dims"),
    **each("dtype", "dtype"),
    **each("generator", "generator"),
    **each("memory_format", "memory_format"),
    **each("sizes", "normalized_shape size sizes split_sizes stride"),
    **each("tensors", "tensors"),
}
"""The kind of a parameter by its name."""

KEYWORDS = {"x": ("input",), "a": ("input",), "b": ("other",)}
"""What PyTorch calls the parameters that rules call x, a and b."""


# What inspect.signature would tell, read off the function: importing inspect, and asking it a thousand times, is felt in every program.
def parameters_of(function):
    """The names of a Python function's parameters."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def defaults_of(function):
    """Their defaults, core.MISSING where there is none."""
    code, given = function.__code__, function.__defaults__ or ()
    keyword_only = parameters_of(function)[code.co_argcount :]
    without = (core.MISSING,) * (code.co_argcount - len(given))
    return without + given + tuple((function.__kwdefaults__ or {}).get(name, core.MISSING) for name in keyword_only)


def derived(made):
    """The signature that follows from a declaration."""
    made, outputs = (made.op, 0) if isinstance(made, core.InPlace) else (made, 1)
    function = made if not isinstance(made, core.Overloaded | core.Op) else made.function
    if isinstance(made, core.Op):
        names, defaults, positional = [KEYWORDS.get(name, (name,))[0] for name in made.parameters], made.defaults, made.positional
        outputs *= made.allows_out and max(1, len(made.outputs))
    else:
        names, defaults, positional = parameters_of(function), defaults_of(function), function.__code__.co_argcount
        outputs = "out" in names
    parts = []
    for place, (name, default) in enumerate(zip(names, defaults)):
        if place == positional:
            parts.append("*")
        if name != "out":
            parts.append(parameter_text("input" if name == "self" else name, default, function.__annotations__))
    if outputs:
        parts += ["*"] * ("*" not in parts) + ["Tensor out=None" if outputs == 1 else f"tensors[{outputs}] out=None"]
    return ", ".join(parts)


def parameter_text(name, default, annotations):
    kind = annotations.get(name)
    if type(kind) is not str:
        kind = KINDS.get(name, "object")
    if default is core.MISSING:
        return f"{kind} {name}"
    if default is None:
        return f"{kind}? {name}=None"
    return f'{kind} {name}="{default}"' if isinstance(default, str) else f"{kind} {name}={default}"


FUNCTIONS = {
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
    "alias_copy": "Tensor input, *, Tensor out=None",
    "all": (
        "Tensor input, *, Tensor out=None | "
        "Tensor input, ints? dim=None, bool keepdim=False, *, Tensor out=None | "
        "Tensor input, int dim, bool keepdim=False, *, Tensor out=None"
    ),
    "amax": "Tensor input, ints[1] dim=None, bool keepdim=False, *, Tensor out=None",
    "amin": "Tensor input, ints[1] dim=None, bool keepdim=False, *, Tensor out=None",
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
    "argsort": (
        "Tensor input, *, bool stable, int dim=-1, bool descending=False, Tensor out=None | "
        "Tensor input, int dim=-1, bool descending=False"
    ),
    "as_strided_copy": "Tensor input, sizes size, sizes stride, index? storage_offset=None, *, Tensor out=None",
    "as_strided_scatter": "Tensor input, Tensor src, sizes size, sizes stride, index? storage_offset=None",
    "as_tensor": "object data, *, dtype dtype=None, device? device=None",
    "asarray": "object obj, *, dtype? dtype=None, device? device=None, bool? copy=None, bool? requires_grad=None",
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
    "binary_cross_entropy_with_logits": (
        "Tensor input, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=at::Reduction::Mean"
    ),
    "bincount": "Tensor input, Tensor? weights=None, index minlength=0",
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
    "bucketize": (
        "Tensor input, Tensor boundaries, *, bool out_int32=False, bool right=False, Tensor out=None | "
        "Number self, Tensor boundaries, *, bool out_int32=False, bool right=False"
    ),
    "can_cast": "dtype from_, dtype to",
    "celu": "Tensor input, Number alpha=1.0",
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
    "constant_pad_nd": "Tensor input, sizes pad, Number value=0",
    "copysign": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "cosine_similarity": "Tensor x1, Tensor x2, int dim=1, float eps=1e-08",
    "count_nonzero": ("Tensor input, int? dim=None | Tensor input, ints dim"),
    "cumulative_trapezoid": ("Tensor y, Tensor x, *, int dim=-1 | Tensor y, *, Number dx=1, int dim=-1"),
    "detach_copy": "Tensor input, *, Tensor out=None",
    "diag": "Tensor input, int diagonal=0, *, Tensor out=None",
    "diag_embed": "Tensor input, int offset=0, int dim1=-2, int dim2=-1",
    "diagonal_copy": "Tensor input, int offset=0, int dim1=0, int dim2=1, *, Tensor out=None",
    "diagonal_scatter": "Tensor input, Tensor src, int offset=0, int dim1=0, int dim2=1",
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
    "dsplit": ("Tensor input, int sections | Tensor input, ints indices"),
    "elu_": "Tensor input, Number alpha=1, Number scale=1, Number input_scale=1",
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
    "expand_copy": "Tensor input, sizes size, *, bool implicit=False, Tensor out=None",
    "eye": (
        "index n, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False | "
        "index n, index m, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "fill": ("Tensor input, Tensor value | Tensor input, Number value"),
    "fill_": ("Tensor input, Tensor value | Tensor input, Number value"),
    "float_power": (
        "Tensor input, Tensor exponent, *, Tensor out=None | "
        "Number self, Tensor exponent, *, Tensor out=None | "
        "Tensor input, Number exponent, *, Tensor out=None"
    ),
    "floor_divide": ("Tensor/Number input, Tensor/Number other, *, Tensor out=None | Tensor/Number input, Number other"),
    "fmod": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "frombuffer": "object buffer, *, dtype dtype, int count=-1, int offset=0, bool requires_grad=False",
    "full": (
        "sizes size, Number fill_value, *, Tensor out=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "full_like": (
        "Tensor input, Number fill_value, *, memory_format? memory_format=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "ge": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "gelu": 'Tensor input, *, str approximate="none", Tensor out=None',
    "geqrf": "Tensor input, *, tensors[2] out=None",
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
    "hardtanh_": "Tensor input, Number min_val=-1, Number max_val=1",
    "hsplit": ("Tensor input, int sections | Tensor input, ints indices"),
    "index_fill": ("Tensor input, int dim, Tensor index, Tensor value | Tensor input, int dim, Tensor index, Number value"),
    "index_put": "Tensor input, tensors indices, Tensor values, bool accumulate=False",
    "index_put_": "Tensor input, tensors indices, Tensor values, bool accumulate=False",
    "isin": (
        "Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False, Tensor out=None | "
        "Number element, Tensor test_elements, *, bool assume_unique=False, bool invert=False, Tensor out=None | "
        "Tensor elements, Number test_element, *, bool assume_unique=False, bool invert=False, Tensor out=None"
    ),
    "le": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "leaky_relu_": "Tensor input, Number negative_slope=0.01",
    "lerp": (
        "Tensor input, Tensor end, Tensor weight, *, Tensor out=None | "
        "Tensor input, Tensor end, Number weight, *, Tensor out=None"
    ),
    "less": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "less_equal": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "linalg_cholesky_ex": "Tensor input, *, bool upper=False, bool check_errors=False, tensors[2] out=None",
    "linalg_cond": ("Tensor input, Number? p=None, *, Tensor out=None | Tensor input, str p, *, Tensor out=None"),
    "linalg_diagonal": "Tensor A, *, int offset=0, int dim1=-2, int dim2=-1",
    "linalg_eig": "Tensor input, *, tensors[2] out=None",
    "linalg_eigh": 'Tensor input, str UPLO="L", *, tensors[2] out=None',
    "linalg_inv_ex": "Tensor A, *, bool check_errors=False, tensors[2] out=None",
    "linalg_lu": "Tensor A, *, bool pivot=True, tensors[3] out=None",
    "linalg_lu_factor": "Tensor A, *, bool pivot=True, tensors[2] out=None",
    "linalg_lu_factor_ex": "Tensor A, *, bool pivot=True, bool check_errors=False, tensors[3] out=None",
    "linalg_matrix_norm": (
        "Tensor input, Number ord, ints dim={-2,-1}, bool keepdim=False, *, dtype? dtype=None, Tensor out=None | "
        'Tensor input, str ord="fro", ints dim={-2,-1}, bool keepdim=False, *, dtype? dtype=None, Tensor out=None'
    ),
    "linalg_matrix_rank": (
        "Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False, Tensor out=None | "
        "Tensor input, *, float? atol=None, float? rtol=None, bool hermitian=False, Tensor out=None | "
        "Tensor input, Tensor tol, bool hermitian=False, *, Tensor out=None | "
        "Tensor input, float tol, bool hermitian=False, *, Tensor out=None"
    ),
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
    "linalg_solve_ex": "Tensor A, Tensor B, *, bool left=True, bool check_errors=False, tensors[2] out=None",
    "linalg_svd": "Tensor A, bool full_matrices=True, *, str? driver=None, tensors[3] out=None",
    "linalg_vander": "Tensor x, *, index? N=None",
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
    "log_sigmoid": "Tensor input, *, Tensor out=None",
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
    "lu_unpack": "Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True, *, tensors[3] out=None",
    "masked_fill": ("Tensor input, Tensor mask, Tensor value | Tensor input, Tensor mask, Number value"),
    "max": (
        "Tensor input, *, Tensor out=None | "
        "Tensor input, Tensor other, *, Tensor out=None | "
        "Tensor input, int dim, bool keepdim=False, *, tensors[2] out=None"
    ),
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
    "mm": ("Tensor input, Tensor mat2, *, Tensor out=None | Tensor input, Tensor mat2, dtype out_dtype, *, Tensor out=None"),
    "moveaxis": ("Tensor input, int source, int destination | Tensor input, ints source, ints destination"),
    "movedim": ("Tensor input, int source, int destination | Tensor input, ints source, ints destination"),
    "mul": "Tensor/Number input, Tensor/Number other, *, Tensor out=None",
    "multiply": ("Tensor/Number input, Tensor/Number other, *, Tensor out=None | Tensor/Number input, Number other"),
    "mvlgamma": "Tensor input, int p, *, Tensor out=None",
    "nanmean": "Tensor input, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor out=None",
    "nanmedian": ("Tensor input | Tensor input, int dim, bool keepdim=False, *, tensors[2] out=None"),
    "nanquantile": (
        'Tensor input, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear", Tensor out=None | '
        'Tensor input, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear", Tensor out=None'
    ),
    "nansum": "Tensor input, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor out=None",
    "narrow": ("Tensor input, int dim, Tensor start, index length | Tensor input, int dim, index start, index length"),
    "native_batch_norm": (
        "Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, "
        "float momentum, float eps, *, tensors[3] out=None"
    ),
    "native_group_norm": "Tensor input, Tensor? weight, Tensor? bias, index N, index C, index HxW, int group, float eps",
    "native_layer_norm": "Tensor input, sizes normalized_shape, Tensor? weight, Tensor? bias, float eps",
    "ne": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "normal": (
        "Tensor mean, Tensor std, *, generator? generator=None, Tensor out=None | "
        "Tensor mean, float std=1, *, generator? generator=None, Tensor out=None | "
        "float mean, Tensor std, *, generator? generator=None, Tensor out=None | "
        "float mean, float std, sizes size, *, generator? generator=None, Tensor out=None, dtype? dtype=None, "
        "layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "not_equal": ("Tensor input, Tensor other, *, Tensor out=None | Tensor input, Number other, *, Tensor out=None"),
    "one_hot": "Tensor input, int num_classes=-1",
    "ones": (
        "sizes size, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "ones_like": (
        "Tensor input, *, memory_format? memory_format=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
    "pairwise_distance": "Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False",
    "pdist": "Tensor input, float p=2",
    "permute_copy": "Tensor input, ints dims, *, Tensor out=None",
    "pow": (
        "Tensor input, Tensor exponent, *, Tensor out=None | "
        "Number self, Tensor exponent, *, Tensor out=None | "
        "Tensor input, Number exponent, *, Tensor out=None"
    ),
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
    "relu": "Tensor input",
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
    "result_type": (
        "Tensor tensor, Tensor other | "
        "Number scalar, Tensor tensor | "
        "Tensor tensor, Number other | "
        "Number scalar1, Number scalar2"
    ),
    "roll": "Tensor input, sizes[1] shifts, ints[1] dims=None",
    "rot90": "Tensor input, int k=1, ints dims={0,1}",
    "round": ("Tensor input, *, Tensor out=None | Tensor input, *, int decimals, Tensor out=None"),
    "round_": ("Tensor input | Tensor input, *, int decimals"),
    "rrelu": "Tensor input, Number lower=0.125, Number upper=0.3333333333333333, bool training=False, generator? generator=None",
    "rrelu_": "Tensor input, Number lower=0.125, Number upper=0.3333333333333333, bool training=False, generator? generator=None",
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
    "slice_copy": "Tensor input, int dim=0, index? start=None, index? end=None, index step=1, *, Tensor out=None",
    "slogdet": "Tensor input, *, tensors[2] out=None",
    "softplus": "Tensor input, Number beta=1, Number threshold=20, *, Tensor out=None",
    "softshrink": "Tensor input, Number lambd=0.5, *, Tensor out=None",
    "sort": (
        "Tensor input, *, bool? stable, int dim=-1, bool descending=False, tensors[2] out=None | "
        "Tensor input, int dim=-1, bool descending=False, *, tensors[2] out=None"
    ),
    "special_log_softmax": "Tensor input, int dim, *, dtype? dtype=None",
    "special_softmax": "Tensor input, int dim, dtype? dtype=None",
    "special_spherical_bessel_j0": "Tensor x, *, Tensor out=None",
    "special_xlog1py": (
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
    "split_with_sizes_copy": "Tensor input, sizes split_sizes, int dim=0, *, tensors? out=None",
    "squeeze": ("Tensor input | Tensor input, int dim | Tensor input, ints dim"),
    "squeeze_copy": (
        "Tensor input, *, Tensor out=None | "
        "Tensor input, int dim, *, Tensor out=None | "
        "Tensor input, ints dim, *, Tensor out=None"
    ),
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
    "t_copy": "Tensor input, *, Tensor out=None",
    "tensor": "object data, *, dtype dtype=None, device? device=None, bool pin_memory=False, bool requires_grad=False",
    "tensor_split": (
        "Tensor input, sizes indices, int dim=0 | "
        "Tensor input, Tensor tensor_indices_or_sections, int dim=0 | "
        "Tensor input, index sections, int dim=0"
    ),
    "tile": "Tensor input, sizes dims",
    "trace": "Tensor input",
    "transpose_copy": "Tensor input, int dim0, int dim1, *, Tensor out=None",
    "trapezoid": ("Tensor y, Tensor x, *, int dim=-1 | Tensor y, *, Number dx=1, int dim=-1"),
    "trapz": ("Tensor y, *, float dx=1, int dim=-1 | Tensor y, Tensor x, *, int dim=-1"),
    "triangular_solve": (
        "Tensor input, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False, *, tensors[2] out=None"
    ),
    "tril_indices": (
        "int row, int col, int offset=0, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "triu_indices": (
        "int row, int col, int offset=0, *, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "true_divide": ("Tensor/Number input, Tensor/Number other, *, Tensor out=None | Tensor/Number input, Number other"),
    "unbind_copy": "Tensor input, int dim=0, *, tensors out=None",
    "unfold_copy": "Tensor input, int dimension, int size, int step, *, Tensor out=None",
    "unsqueeze_copy": "Tensor input, int dim, *, Tensor out=None",
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
    "view_as_complex_copy": "Tensor input, *, Tensor out=None",
    "view_as_real_copy": "Tensor input, *, Tensor out=None",
    "view_copy": ("Tensor input, dtype dtype, *, Tensor out=None | Tensor input, sizes size, *, Tensor out=None"),
    "vsplit": ("Tensor input, int sections | Tensor input, ints indices"),
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
    "zeros": (
        "sizes size, *, Tensor out=None, dtype? dtype=None, layout? layout=None, device? device=None, "
        "bool? pin_memory=False, bool? requires_grad=False"
    ),
    "zeros_like": (
        "Tensor input, *, memory_format? memory_format=None, dtype? dtype=None, layout? layout=None, "
        "device? device=None, bool? pin_memory=False, bool? requires_grad=False"
    ),
}
"""Signatures by the name that errors speak of: those of torch.linalg begin with `linalg_`, those of torch.special with `special_`. Where one
follows from a declaration, what was declared stands here until somebody asks."""

INNER = {
    "atleast_1d": "Tensor input | tensors tensors",
    "atleast_2d": "Tensor input | tensors tensors",
    "atleast_3d": "Tensor input | tensors tensors",
    "block_diag": "tensors tensors",
    "broadcast_tensors": "tensors tensors",
    "cartesian_prod": "tensors tensors",
    "chain_matmul": "tensors matrices, *, Tensor out=None",
    "einsum": "str equation, tensors operands",
    "meshgrid": "tensors tensors, *, str? indexing=None",
    "_lu_with_info": "Tensor input, bool pivot=True, bool check_errors=True",
    "_unique2": "Tensor input, bool sorted=True, bool return_inverse=False, bool return_counts=False",
    "binary_cross_entropy": "Tensor input, Tensor target, Tensor? weight=None, str reduction=mean",
    "cosine_embedding_loss": "Tensor input1, Tensor input2, Tensor target, float margin=0.0",
    "cross_entropy_loss": "Tensor input, Tensor target, Tensor? weight=None, int reduction=1, index ignore_index=-100, float label_smoothing=0.0",
    "elu": "Tensor input, Number alpha=1, Number scale=1, Number input_scale=1, *, Tensor out=None",
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
    "mse_loss": "Tensor input, Tensor target, str reduction=mean",
    "multi_margin_loss": "Tensor input, Tensor target, Number p=1, Number margin=1, Tensor? weight=None, str reduction=mean",
    "multilabel_margin_loss": "Tensor input, Tensor target, str reduction=mean",
    "nll_loss_nd": "Tensor input, Tensor target, Tensor? weight=None, str reduction=mean, index ignore_index=-100",
    "pad": "Tensor input, sizes pad, str mode=constant, float? value=None",
    "poisson_nll_loss": "Tensor input, Tensor target, bool log_input, bool full, float eps",
    "relu6": "Tensor input",
    "relu6_": "Tensor input",
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
    return method_signatures(name) if is_method else function_signatures(name) or INNER[name]


def function_signatures(name):
    """Those of a function; None where it has none."""
    known = FUNCTIONS.get(name)
    if known is not None and not isinstance(known, str):
        known = FUNCTIONS[name] = derived(known)
    return known


def has_method(name):
    """Whether `method_signatures` has a text for a method, without the work of making it."""
    if name in METHODS:
        return METHODS[name] is not None
    known = FUNCTIONS.get(name) or (FUNCTIONS.get(name[:-1]) if name.endswith("_") else None)
    if isinstance(known, str):
        return " input," in known or known.endswith(" input")
    return known is not None and takes_input(known)


def takes_input(made):
    """Whether something has a parameter that is the tensor itself for a method."""
    names = (
        (made.op if isinstance(made, core.InPlace) else made).parameters if not hasattr(made, "__code__") else parameters_of(made)
    )
    return not {"input", "x", "a", "self"}.isdisjoint(names)


def method_signatures(name):
    """Those of a method: its own, or those of the function (for `name_` in doubt that of `name`) without `input` and `out`."""
    if name in METHODS:
        return METHODS[name]
    known = function_signatures(name)
    if known is None and name.endswith("_"):
        known = function_signatures(name[:-1])
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
