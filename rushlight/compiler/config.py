"""Settings of compilation: they are remembered, and nothing depends on them."""

from rushlight._settings_module import make_settings as _make_settings

_make_settings(__name__, cache_key_tag="", dynamic_sources="", force_disable_caches=False, job_id=None, unbacked_sources="")
