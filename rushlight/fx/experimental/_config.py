"""Settings of a compiler that is not there."""

use_duck_shape = True
