// The loops that convert between dtypes: float to int truncates, to bool compares with 0, complex to real drops the
// imaginary part.
#pragma once

#include "array.h"

namespace rl {

// n elements from `in` to `out`; strides in bytes, 0 allowed for `in`.
using Convert = void (*)(char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n);

// convert_loops[to][from]
extern Convert convert_loops[dtype_count][dtype_count];

inline Convert convert_loop(DType to, DType from) { return convert_loops[int(to)][int(from)]; }

}  // namespace rl
