// Copies of an array in another order (flip, roll) or in part (tril, triu).
#include "indexing.h"

namespace rl {
namespace {

// flip: arrays out, x; numbers mask, whose bit d says whether dimension d is reversed.
void flip(const Array* a, int, const Number* n) {
  const Array &out = a[0], &x = a[1];
  Dims strides = copy_dims(x.strides, x.ndim);
  int64_t start = 0;
  for (int d = 0; d < x.ndim; ++d) {
    if (!(uint64_t(n[0].i) >> d & 1)) continue;
    start += (x.shape[d] - 1) * strides[d];
    strides[d] = -strides[d];
  }
  if (x.numel() == 0) return;
  visit_size(x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    copy_items(out.as<T>(), x.as<T>() + start, x.ndim, x.shape, out.strides, strides.data());
  });
}

// Copies x to out from dimension d on, each dimension in the two blocks that its shift makes.
template <class T>
void roll_blocks(T* o, const T* i, const Array& out, const Array& x, const Number* shifts, int d, Dims& shape) {
  for (; d < x.ndim; ++d) {
    const int64_t size = x.shape[d], shift = ((shifts[d].i % size) + size) % size;
    shape[d] = size;
    if (shift == 0) continue;
    shape[d] = size - shift;
    roll_blocks(o + shift * out.strides[d], i, out, x, shifts, d + 1, shape);
    shape[d] = shift;
    i += (size - shift) * x.strides[d];
    return roll_blocks(o, i, out, x, shifts, d + 1, shape);
  }
  copy_items(o, i, x.ndim, shape.data(), out.strides, x.strides);
}

// roll: arrays out, x; numbers one shift for each dimension.
void roll(const Array* a, int, const Number* n) {
  if (a[1].numel() == 0) return;
  visit_size(a[1].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    Dims shape;
    roll_blocks(a[0].as<T>(), a[1].as<T>(), a[0], a[1], n, 0, shape);
  });
}

// cat: arrays out, then the pieces (of out's dtype) in order; numbers dim. A piece with one dimension fewer than out is one
// slice of it.
void cat(const Array* a, int count, const Number* n) {
  const Array& out = a[0];
  const int dim = static_cast<int>(n[0].i);
  visit_size(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* o = out.as<T>();
    for (int k = 1; k < count; ++k) {
      const Array& piece = a[k];
      const bool slice = piece.ndim < out.ndim;
      Dims strides = copy_dims(out.strides, out.ndim);
      if (slice) std::copy(out.strides + dim + 1, out.strides + out.ndim, strides.begin() + dim);
      if (piece.numel()) copy_items(o, piece.as<T>(), piece.ndim, piece.shape, strides.data(), piece.strides);
      o += out.strides[dim] * (slice ? 1 : piece.shape[dim]);
    }
  });
}

// Keeps the elements of each matrix where column - row <= diagonal (lower) or >= diagonal (upper); 0 elsewhere.
template <bool lower>
void triangle(const Array* a, int, const Number* n) {
  const Array &out = a[0], &x = a[1];
  const int64_t diagonal = n[0].i, columns = x.shape[x.ndim - 1], rows = x.shape[x.ndim - 2];
  const int64_t out_step = out.strides[x.ndim - 1], x_step = x.strides[x.ndim - 1];
  const Dims number = [&] {
    Dims strides{};
    strides[x.ndim - 2] = 1;
    return strides;
  }();
  const Walk<3> walk(x.ndim, x.shape, {out.strides, x.strides, number.data()}, x.ndim - 1);
  if (rows == 0 || columns == 0) return;
  visit_size(x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    parallel_for(walk.total(), std::max<int64_t>(1, element_grain / columns), [&](int64_t begin, int64_t end) {
      walk.each(begin, end, [&](const Offsets<3>& at) {
        T* o = out.as<T>() + at[0];
        const T* i = x.as<T>() + at[1];
        // The first column above the diagonal (lower), or on it (upper).
        const int64_t edge = std::clamp<int64_t>(at[2] + diagonal + lower, 0, columns);
        const int64_t kept_begin = lower ? 0 : edge, kept_end = lower ? edge : columns;
        for (int64_t j = 0; j < kept_begin; ++j) o[j * out_step] = T{};
        for (int64_t j = kept_begin; j < kept_end; ++j) o[j * out_step] = i[j * x_step];
        for (int64_t j = kept_end; j < columns; ++j) o[j * out_step] = T{};
      });
    });
  });
}

const Register registrations[] = {
    {"flip", flip},
    {"roll", roll},
    {"cat", cat},
    {"tril", triangle<true>},   // arrays out, x ([..., rows, columns]); numbers diagonal
    {"triu", triangle<false>},  // the same
};

}  // namespace
}  // namespace rl
