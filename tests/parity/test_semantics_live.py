"""The facts of tests/semantics and of three files beside it, asked of PyTorch itself."""

import pytest

from ..semantics.test_accumulation import *  # noqa: F403
from ..semantics.test_attention import *  # noqa: F403
from ..semantics.test_backward import *  # noqa: F403
from ..semantics.test_copies import *  # noqa: F403
from ..semantics.test_duals_in_place import *  # noqa: F403
from ..semantics.test_engine_contract import *  # noqa: F403
from ..semantics.test_files_and_names import *  # noqa: F403
from ..semantics.test_forward_ad import *  # noqa: F403
from ..semantics.test_func import *  # noqa: F403
from ..semantics.test_func_captured import *  # noqa: F403
from ..semantics.test_func_containers import *  # noqa: F403
from ..semantics.test_func_contract import *  # noqa: F403
from ..semantics.test_func_inside import *  # noqa: F403
from ..semantics.test_func_wrappers import *  # noqa: F403
from ..semantics.test_function_contract import *  # noqa: F403
from ..semantics.test_functional_api import *  # noqa: F403
from ..semantics.test_functions import *  # noqa: F403
from ..semantics.test_futures import *  # noqa: F403
from ..semantics.test_graph_details import *  # noqa: F403
from ..semantics.test_hook_contract import *  # noqa: F403
from ..semantics.test_hooks import *  # noqa: F403
from ..semantics.test_layouts import *  # noqa: F403
from ..semantics.test_lazy_conjugates import *  # noqa: F403
from ..semantics.test_making_tensors import *  # noqa: F403
from ..semantics.test_methods_of_programs import *  # noqa: F403
from ..semantics.test_modes import *  # noqa: F403
from ..semantics.test_names_of_the_extension import *  # noqa: F403
from ..semantics.test_numbers_beside_tensors import *  # noqa: F403
from ..semantics.test_numerics import *  # noqa: F403
from ..semantics.test_parts_and_indices import *  # noqa: F403
from ..semantics.test_profiling import *  # noqa: F403
from ..semantics.test_promises import *  # noqa: F403
from ..semantics.test_pytree import *  # noqa: F403
from ..semantics.test_recurrent_nets import *  # noqa: F403
from ..semantics.test_running_backward import *  # noqa: F403
from ..semantics.test_saved_values import *  # noqa: F403
from ..semantics.test_sizes_and_owners import *  # noqa: F403
from ..semantics.test_tangents_in_memory import *  # noqa: F403
from ..semantics.test_treespecs import *  # noqa: F403
from ..semantics.test_views_and_versions import *  # noqa: F403
from ..semantics.test_vmap import *  # noqa: F403
from ..semantics.test_vmap_contract import *  # noqa: F403
from ..semantics.test_what_transforms_leave import *  # noqa: F403
from ..semantics.test_writes_and_memory import *  # noqa: F403
from ..semantics.test_wrong_arguments import *  # noqa: F403
from ..test_indexing import *  # noqa: F403
from ..test_interop import *  # noqa: F403
from ..test_nn import *  # noqa: F403

pytorch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


@pytest.fixture
def torch():
    return pytorch


del test_the_order_of_nodes  # noqa: F821  (PyTorch 2.13 fails in an assertion of its own)
del test_a_hook_after_an_alias_was_written  # noqa: F821  (PyTorch 2.13 crashes: its issue 196459)
