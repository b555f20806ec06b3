// How several arrays of one broadcast shape are walked together: the dimensions in the best order for memory, as few as
// possible.
#pragma once

#include "array.h"

namespace rl {

// Elements that one chunk of work has, and below which no thread is woken.
constexpr int64_t pointwise_grain = 32768;

// Dimension 0 is the innermost. Strides are in bytes.
struct Layout {
  int count;  // of operands
  int ndim;   // at least 1
  int64_t numel;
  int64_t shape[max_dims];
  int64_t strides[max_operands][max_dims];

  // operands[0] is the output, whose shape the others are broadcast to.
  Layout(const Array* operands, int count);

  // Whether operand i lies in memory without gaps, in the order of the walk.
  bool dense(int i, int64_t item) const {
    int64_t expected = item;
    for (int d = 0; d < ndim; expected *= shape[d++])
      if (strides[i][d] != expected && shape[d] != 1) return false;
    return true;
  }
  bool single(int i) const {
    for (int d = 0; d < ndim; ++d)
      if (strides[i][d] != 0 && shape[d] != 1) return false;
    return true;
  }
};

// A position in a Layout, moved along in runs within the innermost dimension.
struct Cursor {
  const Layout& layout;
  int64_t index[max_dims];

  Cursor(const Layout& l, int64_t position) : layout(l) {
    for (int d = 0; d < l.ndim; ++d) {
      index[d] = position % l.shape[d];
      position /= l.shape[d];
    }
  }
  int64_t offset(int i) const {
    int64_t bytes = 0;
    for (int d = 0; d < layout.ndim; ++d) bytes += index[d] * layout.strides[i][d];
    return bytes;
  }
  int64_t run(int64_t most) const {
    const int64_t left = layout.shape[0] - index[0];
    return left < most ? left : most;
  }
  void advance(int64_t n) {
    index[0] += n;
    for (int d = 0; d + 1 < layout.ndim && index[d] == layout.shape[d]; ++d) {
      index[d] = 0;
      ++index[d + 1];
    }
  }
};

}  // namespace rl
