// The loops that convert between dtypes: float to int truncates, to bool compares with 0, complex to real drops the
// imaginary part.
#pragma once

#include "array.h"

namespace rl {

// n elements from `in` to `out`; strides in bytes, 0 allowed for `in`.
using Convert = void (*)(char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n);

// convert_loops[to][from]; nullptr where a dtype that came late is converted by way of another one.
extern Convert convert_loops[dtype_count][dtype_count];

void convert_by_way(DType to, DType from, char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n);

struct Conversion {
  Convert loop;
  DType to, from;
  void operator()(char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n) const {
    if (loop) return loop(out, out_stride, in, in_stride, n);
    convert_by_way(to, from, out, out_stride, in, in_stride, n);
  }
};
inline Conversion conversion(DType to, DType from) { return {convert_loops[int(to)][int(from)], to, from}; }

// The dtype whose loops move the items of a dtype that came late, or compute with their bits where a sign means nothing.
constexpr DType bits_of(DType dtype) {
  return item_size(dtype) == 1 ? DType::u8 : item_size(dtype) == 2 ? DType::i16 : item_size(dtype) == 4 ? DType::i32 : DType::i64;
}

}  // namespace rl
