"""Settings of PyTorch's code generator: they are remembered, and nothing depends on them."""

from rushlight._settings_module import make_settings as _make_settings

_make_settings(
    __name__,
    allow_buffer_reuse=True,
    compile_threads=1,
    coordinate_descent_check_all_directions=False,
    coordinate_descent_tuning=False,
    cpp_wrapper=False,
    debug=False,
    emulate_precision_casts=False,
    epilogue_fusion=True,
    fallback_random=False,
    force_fuse_int_mm_with_mul=False,
    freezing=False,
    fx_graph_cache=True,
    max_autotune=False,
    max_autotune_gemm=False,
    max_autotune_gemm_backends="ATEN,TRITON,CPP",
    max_autotune_pointwise=False,
    shape_padding=True,
    use_mixed_mm=True,
)
