// How several arrays of one broadcast shape are walked together: the dimensions in the best order for memory, as few as
// possible.
#pragma once

#include <algorithm>
#include <cstring>

#include "array.h"

namespace rl {

// Elements that one chunk of work has, and below which no thread is woken.
constexpr int64_t pointwise_grain = 32768;

// Rows shorter than this are brief: a call for each would be most of the work.
constexpr int64_t brief_row = 32;

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
  // How many whole rows, beside each other, begin here, of the next `most` elements.
  int64_t whole_rows(int64_t most) const {
    if (index[0] || layout.ndim == 1) return 0;
    return std::min(most / layout.shape[0], layout.shape[1] - index[1]);
  }
  void advance_rows(int64_t rows) {
    index[1] += rows - 1;
    advance(layout.shape[0]);
  }
  // As `advance`, across any number of rows.
  void skip(int64_t n) {
    for (int64_t run; n > 0; n -= run) {
      if (const int64_t rows = whole_rows(n))
        advance_rows(rows), run = rows * layout.shape[0];
      else
        advance(run = this->run(n));
    }
  }
};

// Rows of elements `along` bytes apart; rows are `down` bytes apart.
struct Plane {
  char* data;
  int64_t along, down;
};

// Copies short rows, for which a call each would take longer than the copy.
template <int item>
void copy_plane(Plane to, Plane from, int64_t width, int64_t rows) {
  for (int64_t row = 0; row < rows; ++row, to.data += to.down, from.data += from.down)
    for (int64_t k = 0; k < width; ++k) std::memcpy(to.data + k * to.along, from.data + k * from.along, item);
}
inline void copy_plane(int64_t item, Plane to, Plane from, int64_t width, int64_t rows) {
  switch (item) {
    case 1:
      return copy_plane<1>(to, from, width, rows);
    case 2:
      return copy_plane<2>(to, from, width, rows);
    case 4:
      return copy_plane<4>(to, from, width, rows);
    case 8:
      return copy_plane<8>(to, from, width, rows);
    default:
      return copy_plane<16>(to, from, width, rows);
  }
}

}  // namespace rl
