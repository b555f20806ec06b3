"""`pytest -p rushlight.pytest_plugin`: tests written for PyTorch, unmodified, run by a plain pytest.

For every run in a folder, this line in its pytest.ini (or `[tool.pytest.ini_options]` of pyproject.toml): `addopts = -p rushlight.pytest_plugin`.
"""

from rushlight import _alias

# When it is imported, which is before any test is: pytest imports what -p names first.
_alias.as_torch()
_alias.take_names_of_torch()
_alias.be_torch_in_children()
