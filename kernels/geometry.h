// Sizes and strides: the arithmetic that every tensor op needs before its kernel runs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "array.h"

namespace rl {

// Counts and sizes, checked: what leaves int64 is `beyond`, more than any memory holds, and stays so.
constexpr int64_t beyond = INT64_MAX;
inline int64_t checked_product(int64_t a, int64_t b) {
  int64_t product;
  return a < 0 || b < 0 || a == beyond || __builtin_mul_overflow(a, b, &product) ? beyond : product;
}
inline int64_t checked_sum(int64_t a, int64_t b) {
  int64_t sum;
  return a < 0 || b < 0 || a == beyond || __builtin_add_overflow(a, b, &sum) ? beyond : sum;
}
// For strides of what has no elements, or of dimensions of size 1: they name no place.
inline int64_t wrapped_product(int64_t a, int64_t b) { return int64_t(uint64_t(a) * uint64_t(b)); }

// Sizes and strides of one tensor (strides in elements). Up to `local_dims` dimensions live inside the object.
class Geometry {
 public:
  static constexpr int local_dims = 5;
  int32_t ndim = 0;
  int64_t* shape = local_;
  int64_t* strides = local_ + local_dims;

  Geometry() = default;
  Geometry(const Geometry& other) { copy(other); }
  Geometry& operator=(const Geometry& other) {
    if (this != &other) copy(other);
    return *this;
  }
  ~Geometry() { release(); }

  void resize(int dims) {
    if (dims > capacity_) {
      release();
      capacity_ = dims;
      shape = static_cast<int64_t*>(std::malloc(sizeof(int64_t) * 2 * dims));
      if (!shape) throw std::bad_alloc();
      strides = shape + dims;
    }
    ndim = dims;
  }
  // Back to the room within the object.
  void shrink() {
    if (shape == local_) return;
    release();
    shape = local_;
    strides = local_ + local_dims;
    capacity_ = local_dims;
  }
  void copy(const Geometry& other) {
    resize(other.ndim);
    for (int d = 0; d < ndim; ++d) {
      shape[d] = other.shape[d];
      strides[d] = other.strides[d];
    }
  }
  void set_shape(const int64_t* sizes, int dims) {
    resize(dims);
    for (int d = 0; d < dims; ++d) shape[d] = sizes[d];
  }
  // The number of elements; `beyond` where int64 does not hold it, or a size is negative.
  int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < ndim; ++d) n = checked_product(n, shape[d]);
    return n;
  }
  // Row-major strides; false where int64 does not hold one.
  bool make_contiguous() {
    int64_t step = 1;
    bool held = true, next = true;
    for (int d = ndim - 1; d >= 0; --d) {
      held = next;
      strides[d] = step;
      next &= !__builtin_mul_overflow(step, std::max<int64_t>(shape[d], 1), &step);
    }
    return held;
  }
  // Takes the sizes of `other`, row-major; returns the number of elements, or `beyond`.
  int64_t lay_out(const Geometry& other) {
    resize(other.ndim);
    int64_t step = 1;
    bool empty = false;
    for (int d = ndim - 1; d >= 0; --d) {
      int64_t size = other.shape[d];
      shape[d] = size;
      strides[d] = step;
      empty |= size == 0;
      step = checked_product(step, std::max<int64_t>(size, 1));
    }
    return empty ? 0 : step;
  }
  bool contiguous() const {
    int64_t step = 1;
    for (int d = ndim - 1; d >= 0; --d) {
      if (shape[d] == 0) return true;
      if (shape[d] != 1) {
        if (strides[d] != step) return false;
        step = wrapped_product(step, shape[d]);
      }
    }
    return true;
  }
  // Contiguous to the letter: strides of dimensions of size 1 too.
  bool row_major() const {
    int64_t step = 1;
    for (int d = ndim - 1; d >= 0; --d) {
      if (strides[d] != step) return false;
      step = wrapped_product(step, std::max<int64_t>(shape[d], 1));
    }
    return true;
  }
  // As images lie whose channels (dimension 1) are next to each other.
  bool channels_last() const {
    int64_t step = 1;
    for (int i = 0; i < ndim; ++i) {
      const int d = channels_last_dim(i);
      if (shape[d] == 1) continue;
      if (strides[d] != step) return false;
      step = wrapped_product(step, shape[d]);
    }
    return true;
  }
  void make_channels_last() {
    int64_t step = 1;
    for (int i = 0; i < ndim; ++i) {
      const int d = channels_last_dim(i);
      strides[d] = step;
      step = wrapped_product(step, shape[d]);
    }
  }
  bool same_shape(const Geometry& other) const {
    if (ndim != other.ndim) return false;
    for (int d = 0; d < ndim; ++d)
      if (shape[d] != other.shape[d]) return false;
    return true;
  }
  bool same_strides(const Geometry& other) const {
    for (int d = 0; d < ndim; ++d)
      if (strides[d] != other.strides[d]) return false;
    return true;
  }
  // How many elements a storage must hold for this geometry to start at `offset`: up to the last that it reaches. `beyond` where
  // int64 does not hold that, and where a stride goes below the first.
  int64_t reach(int64_t offset = 0) const {
    int64_t last = offset < 0 ? beyond : offset;
    for (int d = 0; d < ndim; ++d)
      if (shape[d] == 0) return 0;
    for (int d = 0; d < ndim; ++d)
      if (shape[d] != 1) last = checked_sum(last, checked_product(shape[d] - 1, strides[d]));
    return checked_sum(last, 1);
  }
  // Every element has a place of its own, and no place is left between them.
  bool dense() const {
    int order[max_dims];
    int count = 0;
    for (int d = 0; d < ndim; ++d) {
      if (shape[d] == 0) return true;
      if (shape[d] != 1) order[count++] = d;
    }
    std::sort(order, order + count, [&](int a, int b) { return strides[a] < strides[b]; });
    int64_t step = 1;
    for (int i = 0; i < count; ++i) {
      if (strides[order[i]] != step) return false;
      step = wrapped_product(step, shape[order[i]]);
    }
    return true;
  }
  // Two index tuples name the same element, in the one way that PyTorch looks for: a dimension that was expanded.
  bool overlaps_itself() const {
    bool expanded = false;
    for (int d = 0; d < ndim; ++d) {
      if (shape[d] == 0) return false;
      if (shape[d] != 1 && strides[d] == 0) expanded = true;
    }
    return expanded;
  }

 private:
  int32_t capacity_ = local_dims;
  int64_t local_[2 * local_dims];
  // The i-th dimension of such images, from the fastest on.
  int channels_last_dim(int i) const { return i == 0 ? 1 : i == ndim - 1 ? 0 : ndim - i; }
  void release() {
    if (shape != local_) std::free(shape);
  }
};

// The shape that `a` and `b` broadcast to, into `out` (no strides). Returns the first dimension of the result at which they
// disagree, seen from the last, or -1.
inline int broadcast_shapes(const Geometry& a, const Geometry& b, Geometry& out) {
  const Geometry& wide = a.ndim >= b.ndim ? a : b;
  const Geometry& narrow = a.ndim >= b.ndim ? b : a;
  const int lead = wide.ndim - narrow.ndim;
  int64_t sizes[max_dims];
  for (int d = wide.ndim - 1; d >= 0; --d) {
    const int64_t m = wide.shape[d], n = d < lead ? 1 : narrow.shape[d - lead];
    if (m != n && m != 1 && n != 1) return d;
    sizes[d] = m == 1 ? n : m;
  }
  out.set_shape(sizes, wide.ndim);
  return -1;
}

inline bool expandable(const Geometry& from, const Geometry& to) {
  if (from.ndim > to.ndim) return false;
  const int lead = to.ndim - from.ndim;
  for (int d = 0; d < from.ndim; ++d)
    if (from.shape[d] != to.shape[d + lead] && from.shape[d] != 1) return false;
  return true;
}

// Strides for a new output of shape `out` that follow the memory order of its inputs: the first input that has an opinion on the
// order of two dimensions decides.
inline void follow_strides(Geometry& out, const Geometry* const* inputs, int count) {
  int order[max_dims];  // from the fastest dimension to the slowest
  const int ndim = out.ndim;
  for (int i = 0; i < ndim; ++i) order[i] = ndim - 1 - i;
  auto stride = [&](const Geometry& g, int d) -> int64_t {
    const int local = d - (ndim - g.ndim);
    return local < 0 || (g.shape[local] == 1 && out.shape[d] != 1) ? 0 : g.strides[local];
  };
  // 1: first is slower and they must swap; -1: they must not; 0: no input cares.
  auto compare = [&](int first, int second) {
    for (int k = 0; k < count; ++k) {
      const int64_t s = stride(*inputs[k], first), t = stride(*inputs[k], second);
      if (s == 0 || t == 0) continue;
      if (s < t) return -1;
      if (s > t) return 1;
      if (out.shape[first] > out.shape[second]) return 1;
    }
    return 0;
  };
  for (int i = 1; i < ndim; ++i) {
    int at = i;
    for (int before = i - 1; before >= 0; --before) {
      const int c = compare(order[before], order[at]);
      if (c > 0) {
        std::swap(order[before], order[at]);
        at = before;
      } else if (c < 0) {
        break;
      }
    }
  }
  bool row_major = true;
  for (int i = 0; i < ndim; ++i) row_major &= order[i] == ndim - 1 - i;
  int64_t step = 1;
  for (int i = 0; i < ndim; ++i) {
    const int64_t size = out.shape[order[i]];
    out.strides[order[i]] = step;
    step = wrapped_product(step, row_major ? std::max<int64_t>(size, 1) : size);
  }
}

// Strides for a new output of shape `out`, as PyTorch's element-wise ops choose them. Inputs of its shape that lie alike are
// followed to the letter, but for dimensions of size 1 where they are contiguous; `mixed` says that there are operands of other
// shapes besides.
inline void follow_inputs(Geometry& out, const Geometry* const* inputs, int count, bool mixed) {
  bool row_major = true, last = out.ndim == 4 || out.ndim == 5, alike = true;
  for (int k = 0; k < count && !mixed; ++k) {
    mixed = !inputs[k]->same_shape(out);
    if (mixed) break;
    row_major &= inputs[k]->contiguous();
    last &= inputs[k]->channels_last();
    alike &= inputs[k]->same_strides(*inputs[0]);
  }
  if (mixed) return follow_strides(out, inputs, count);
  if (row_major) {
    out.make_contiguous();
  } else if (last) {
    out.make_channels_last();
  } else if (alike && inputs[0]->dense()) {
    for (int d = 0; d < out.ndim; ++d) out.strides[d] = inputs[0]->strides[d];
  } else {
    follow_strides(out, inputs, count);
  }
}

// Strides that make a view of shape `to` (same number of elements) over `from`, without a copy. False where there are none.
inline bool view_strides(const Geometry& from, Geometry& to) {
  const int64_t count = from.numel();
  if (count == 0) {
    to.make_contiguous();
    if (from.same_shape(to))
      for (int d = 0; d < to.ndim; ++d) to.strides[d] = from.strides[d];
    return true;
  }
  int d = to.ndim - 1;
  int64_t base = from.ndim ? from.strides[from.ndim - 1] : 1;  // stride of the innermost element of the current run
  int64_t run = 1, used = 1;
  for (int i = from.ndim - 1; i >= 0; --i) {
    run *= from.shape[i];
    const bool ends = i == 0 || (from.shape[i - 1] != 1 && from.strides[i - 1] != wrapped_product(run, base));
    if (!ends) continue;
    while (d >= 0 && (used < run || to.shape[d] == 1)) {
      to.strides[d] = used * base;
      used *= to.shape[d];
      --d;
    }
    if (used != run) return false;
    if (i > 0) {
      base = from.strides[i - 1];
      run = 1;
      used = 1;
    }
  }
  if (from.ndim == 0)
    while (d >= 0) to.strides[d--] = 1;
  return d == -1;
}

}  // namespace rl
