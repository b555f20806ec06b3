// What the kernels that move data share: walking strided arrays, types by item size, reading and checking indices.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "registry.h"
#include "threads.h"

namespace rl {

// The work, in elements, that is worth handing to a thread.
constexpr int64_t element_grain = 32768;

struct Bytes16 {
  uint64_t low, high;
};

// Calls f(Type<U>{}) with a type of the item's size: for kernels that only move items.
template <class F>
decltype(auto) visit_size(DType dtype, F&& f) {
  switch (item_size(dtype)) {
    case 1:
      return f(Type<uint8_t>{});
    case 2:
      return f(Type<uint16_t>{});
    case 4:
      return f(Type<uint32_t>{});
    case 8:
      return f(Type<uint64_t>{});
    default:
      return f(Type<Bytes16>{});
  }
}

// A 0-d array as one of shape [1], so that dimension 0 exists.
inline Array at_least_1d(Array a) {
  static constexpr int64_t one = 1;
  if (a.ndim == 0) {
    a.ndim = 1;
    a.shape = a.strides = &one;
  }
  return a;
}

template <int N>
using Offsets = std::array<int64_t, N>;

using Dims = std::array<int64_t, max_dims>;

inline Dims copy_dims(const int64_t* values, int count) {
  Dims dims{};
  std::copy(values, values + count, dims.begin());
  return dims;
}

// The positions of a shape in row-major order, with the offsets of N arrays there. Dimensions that are adjacent in memory
// in every array are merged.
template <int N>
class Walk {
 public:
  using Strides = std::array<const int64_t*, N>;

  // Over the dimensions [first, last) but `skip`.
  Walk(const int64_t* shape, int first, int last, const Strides& strides, int skip = -1) {
    for (int d = first; d < last; ++d) {
      if (d == skip) continue;
      total_ *= shape[d];
      if (shape[d] == 1) continue;
      if (!merge(shape[d], strides, d)) {
        shape_[dims_] = shape[d];
        for (int k = 0; k < N; ++k) strides_[dims_][k] = strides[k][d];
        ++dims_;
      }
    }
  }
  Walk(int ndim, const int64_t* shape, const Strides& strides, int skip = -1) : Walk(shape, 0, ndim, strides, skip) {}

  int64_t total() const { return total_; }
  int dims() const { return dims_; }
  int64_t size(int d) const { return shape_[d]; }
  int64_t stride(int d, int k) const { return strides_[d][k]; }
  // The stride of array k between neighbouring positions; 0 where there is one position.
  int64_t inner(int k) const { return dims_ ? strides_[dims_ - 1][k] : 0; }

  // f(offsets, count, strides) for runs of evenly spaced positions that make up [begin, end).
  template <class F>
  void runs(int64_t begin, int64_t end, F&& f) const {
    if (begin >= end || total_ == 0) return;
    Offsets<N> offset{};
    if (dims_ == 0) return f(offset, int64_t(1), offset);
    int64_t counter[max_dims];
    int64_t rest = begin;
    for (int d = dims_ - 1; d >= 0; --d) {
      counter[d] = rest % shape_[d];
      rest /= shape_[d];
      for (int k = 0; k < N; ++k) offset[k] += counter[d] * strides_[d][k];
    }
    const int last = dims_ - 1;
    for (int64_t left = end - begin;;) {
      int64_t count = std::min(left, shape_[last] - counter[last]);
      f(offset, count, strides_[last]);
      left -= count;
      if (left == 0) return;
      for (int k = 0; k < N; ++k) offset[k] -= counter[last] * strides_[last][k];
      counter[last] = 0;
      for (int d = last - 1;; --d) {
        for (int k = 0; k < N; ++k) offset[k] += strides_[d][k];
        if (++counter[d] < shape_[d]) break;
        for (int k = 0; k < N; ++k) offset[k] -= shape_[d] * strides_[d][k];
        counter[d] = 0;
      }
    }
  }

  // f(offsets) for each position of [begin, end).
  template <class F>
  void each(int64_t begin, int64_t end, F&& f) const {
    runs(begin, end, [&](Offsets<N> at, int64_t count, const Offsets<N>& step) {
      for (int64_t i = 0; i < count; ++i) {
        f(static_cast<const Offsets<N>&>(at));
        for (int k = 0; k < N; ++k) at[k] += step[k];
      }
    });
  }
  template <class F>
  void each(F&& f) const {
    each(0, total_, f);
  }
  // The same for all positions, on several threads.
  template <class F>
  void parallel_each(F&& f) const {
    parallel_for(total_, element_grain, [&](int64_t begin, int64_t end) { each(begin, end, f); });
  }
  template <class F>
  void parallel_runs(F&& f) const {
    parallel_for(total_, element_grain, [&](int64_t begin, int64_t end) { runs(begin, end, f); });
  }

 private:
  bool merge(int64_t size, const Strides& strides, int d) {
    if (dims_ == 0) return false;
    Offsets<N>& outer = strides_[dims_ - 1];
    for (int k = 0; k < N; ++k)
      if (outer[k] != strides[k][d] * size) return false;
    shape_[dims_ - 1] *= size;
    for (int k = 0; k < N; ++k) outer[k] = strides[k][d];
    return true;
  }

  int dims_ = 0;
  int64_t total_ = 1;
  int64_t shape_[max_dims];
  Offsets<N> strides_[max_dims];
};

// The offset of the i-th element in row-major order.
class Flat {
 public:
  explicit Flat(const Array& a) : walk_(a) {
    contiguous_ = true;
    int64_t expected = 1;
    for (int d = a.ndim - 1; d >= 0; --d) {
      if (a.shape[d] != 1 && a.strides[d] != expected) contiguous_ = false;
      expected *= a.shape[d];
    }
  }
  int64_t operator()(int64_t i) const {
    if (contiguous_) return i;
    int64_t offset = 0;
    for (int d = walk_.ndim - 1; d >= 0; --d) {
      offset += i % walk_.shape[d] * walk_.strides[d];
      i /= walk_.shape[d];
    }
    return offset;
  }

 private:
  Array walk_;
  bool contiguous_;
};

// Copies x to out, of one shape and dtype.
template <class T>
void copy_items(T* out, const T* x, int ndim, const int64_t* shape, const int64_t* out_strides, const int64_t* x_strides) {
  Walk<2>(ndim, shape, {out_strides, x_strides}).parallel_runs([=](const Offsets<2>& at, int64_t count, const Offsets<2>& step) {
    T* o = out + at[0];
    const T* i = x + at[1];
    if (step[0] == 1 && step[1] == 1) {
      std::copy(i, i + count, o);
    } else {
      for (int64_t j = 0; j < count; ++j) o[j * step[0]] = i[j * step[1]];
    }
  });
}

inline void fill_zero(const Array& out) {
  visit_size(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* o = out.as<T>();
    Walk<1>(out.ndim, out.shape, {out.strides}).parallel_runs([o](const Offsets<1>& at, int64_t count, const Offsets<1>& step) {
      for (int64_t j = 0; j < count; ++j) o[at[0] + j * step[0]] = T{};
    });
  });
}

// An integer array as int64: itself, or a copy where its dtype is another one.
class Indices {
 public:
  explicit Indices(const Array& index) : array_(index) {
    if (index.dtype == DType::i64) return;
    visit<group::integer>("index", index.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      copy_.reserve(index.numel());
      Walk<1>(index.ndim, index.shape, {index.strides}).each([&](const Offsets<1>& at) {
        copy_.push_back(index.as<T>()[at[0]]);
      });
    });
    int64_t stride = 1;
    for (int d = index.ndim - 1; d >= 0; --d) {
      strides_[d] = stride;
      stride *= index.shape[d];
    }
    array_.data = reinterpret_cast<char*>(copy_.data());
    array_.dtype = DType::i64;
    array_.strides = strides_.data();
  }
  Indices(const Indices&) = delete;

  const Array& array() const { return array_; }
  const int64_t* data() const { return array_.as<int64_t>(); }

  // fail(i) with the first index (in row-major order) outside [low, high).
  template <class F>
  void check(int64_t low, int64_t high, F&& fail) const {
    const int64_t* index = data();
    const uint64_t size = uint64_t(high - low);
    const Walk<1> walk(array_.ndim, array_.shape, {array_.strides});
    std::atomic<bool> bad = false;
    walk.parallel_runs([&](const Offsets<1>& at, int64_t count, const Offsets<1>& step) {
      bool outside = false;
      for (int64_t j = 0; j < count; ++j) outside |= uint64_t(index[at[0] + j * step[0]] - low) >= size;
      if (outside) bad = true;
    });
    if (!bad) return;
    walk.each([&](const Offsets<1>& at) {
      const int64_t i = index[at[0]];
      if (i < low || i >= high) fail(i);
    });
  }

 private:
  Array array_;
  std::vector<int64_t> copy_;
  Dims strides_;
};

inline std::string out_of_bounds(int64_t index, int64_t dim, int64_t size) {
  return "index " + std::to_string(index) + " is out of bounds for dimension " + std::to_string(dim) + " with size " +
         std::to_string(size);
}

// Row r of out, of `width` items, from where the r-th index says; short rows without a call for each.
template <class T>
void gather_rows(T* out, int64_t out_stride, const T* x, const int64_t* index, int64_t index_stride, int64_t scale, int64_t rows,
                 int64_t width) {
  parallel_for(rows, std::max<int64_t>(1, element_grain / width), [=](int64_t begin, int64_t end) {
    const auto each = [&](auto copy) {
      for (int64_t r = begin; r < end; ++r) copy(out + r * out_stride, x + index[r * index_stride] * scale);
    };
    if (width == 2)
      each([](T* o, const T* from) { std::copy(from, from + 2, o); });
    else if (width == 4)
      each([](T* o, const T* from) { std::copy(from, from + 4, o); });
    else if (width <= 16)
      each([=](T* o, const T* from) {
        for (int64_t j = 0; j < width; ++j) o[j] = from[j];
      });
    else
      each([=](T* o, const T* from) { std::copy(from, from + width, o); });
  });
}

// out[p] = x[p + scale * index[p]] over a walk of (out, x, index).
template <class T>
void gather_items(const Walk<3>& walk, T* out, const T* x, const int64_t* index, int64_t scale) {
  if (walk.total() == 0) return;
  if (walk.dims() == 2 && walk.stride(1, 0) == 1 && walk.stride(1, 1) == 1 && walk.stride(1, 2) == 0 && walk.stride(0, 1) == 0)
    return gather_rows(out, walk.stride(0, 0), x, index, walk.stride(0, 2), scale, walk.size(0), walk.size(1));
  walk.parallel_runs([=](const Offsets<3>& at, int64_t count, const Offsets<3>& step) {
    T* o = out + at[0];
    const T* from = x + at[1];
    const int64_t* i = index + at[2];
    if (step[2] == 0) {
      from += *i * scale;
      if (step[0] == 1 && step[1] == 1) {
        std::copy(from, from + count, o);
      } else {
        for (int64_t j = 0; j < count; ++j) o[j * step[0]] = from[j * step[1]];
      }
    } else if (step[0] == 1 && step[1] == 0 && step[2] == 1) {
      for (int64_t j = 0; j < count; ++j) o[j] = from[i[j] * scale];
    } else {
      for (int64_t j = 0; j < count; ++j) o[j * step[0]] = from[j * step[1] + i[j * step[2]] * scale];
    }
  });
}

// found(j) for each j < count where test(j), in order; the tests go ahead in blocks, without branches.
template <class Test, class Found>
void for_each_true(int64_t count, Test&& test, Found&& found) {
  constexpr int64_t block = 512;
  int64_t positions[block];
  for (int64_t begin = 0; begin < count; begin += block) {
    const int64_t end = std::min(begin + block, count);
    int64_t hits = 0;
    for (int64_t j = begin; j < end; ++j) {
      positions[hits] = j;
      hits += test(j);
    }
    for (int64_t h = 0; h < hits; ++h) found(positions[h]);
  }
}

// How the positions of two walks over (out, index, src) are paired is the same for all types, and compiled once: `run` is called
// with `what` for each run of pairs. Positions of `rest` never meet in one element of out, so they are shared among threads;
// those of `sequence` follow one another.
using RunOfPairs = void (*)(const void* what, const Offsets<3>& base, const Offsets<3>& at, int64_t count,
                            const Offsets<3>& step);

inline void scatter_runs(const Walk<3>& sequence, const Walk<3>& rest, RunOfPairs run, const void* what) {
  const int64_t length = sequence.total();
  if (length == 0) return;
  // The inner loop goes over what is closer together in memory.
  const bool rest_inside = rest.total() > 1 && (length == 1 || std::abs(rest.inner(2)) < std::abs(sequence.inner(2)) ||
                                                (rest.inner(2) == sequence.inner(2) && rest.total() > length));
  // (Each share walks the whole sequence: of what lies close together it gets some lines of the cache.)
  const int64_t least = rest_inside ? 64 : 1;
  parallel_for(rest.total(), std::max(least, element_grain / length), [&](int64_t begin, int64_t end) {
    if (rest_inside && rest.dims() == 1) {  // one run, the same for all of the sequence
      Offsets<3> first, step;
      for (int k = 0; k < 3; ++k) step[k] = rest.stride(0, k), first[k] = begin * step[k];
      sequence.each(0, length, [&](const Offsets<3>& base) { run(what, base, first, end - begin, step); });
    } else if (rest_inside) {
      sequence.each(0, length, [&](const Offsets<3>& base) {
        rest.runs(begin, end,
                  [&](const Offsets<3>& at, int64_t count, const Offsets<3>& step) { run(what, base, at, count, step); });
      });
    } else {
      rest.each(begin, end, [&](const Offsets<3>& base) {
        sequence.runs(0, length,
                      [&](const Offsets<3>& at, int64_t count, const Offsets<3>& step) { run(what, base, at, count, step); });
      });
    }
  });
}

// update(out[p + scale * index[p]], src[p]) for each pair of positions of two walks, as `scatter_runs` has them.
template <class T, class S, class F>
void scatter_items(const Walk<3>& sequence, const Walk<3>& rest, T* out, const int64_t* index, const S* src, int64_t scale,
                   F&& update) {
  const auto run = [=](const Offsets<3>& base, const Offsets<3>& at, int64_t count, const Offsets<3>& step) {
    T* o = out + base[0] + at[0];
    const int64_t* i = index + base[1] + at[1];
    const S* s = src + base[2] + at[2];
    if (step[1] == 0) {
      o += *i * scale;
      if (step[0] == 1 && step[2] == 1) {
        for (int64_t j = 0; j < count; ++j) update(o[j], s[j]);
      } else {
        for (int64_t j = 0; j < count; ++j) update(o[j * step[0]], s[j * step[2]]);
      }
    } else {
      for (int64_t j = 0; j < count; ++j) update(o[j * step[0] + i[j * step[1]] * scale], s[j * step[2]]);
    }
  };
  scatter_runs(
      sequence, rest,
      [](const void* what, const Offsets<3>& base, const Offsets<3>& at, int64_t count, const Offsets<3>& step) {
        (*static_cast<const decltype(run)*>(what))(base, at, count, step);
      },
      &run);
}

// Sums of booleans are `or`, as everywhere.
template <class T>
T add(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return a || b;
  } else {
    return T(a + b);
  }
}

template <class T>
T multiply(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return a && b;
  } else {
    return T(a * b);
  }
}

}  // namespace rl
