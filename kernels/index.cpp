// Advanced indexing (x[i, j]), linear indices (take, put), masks, and where the nonzero elements are.
#include "indexing.h"

namespace rl {
namespace {

// The offsets into x, over the common shape of the index arrays, that they select together from x's leading dimensions.
std::vector<int64_t> selected_offsets(const Array& x, const Array* index, int count) {
  std::vector<int64_t> offsets(index[0].numel());
  for (int k = 0; k < count; ++k) {
    const Indices indices(index[k]);
    const int64_t size = x.shape[k], stride = x.strides[k];
    indices.check(-size, size, [=](int64_t i) { throw std::out_of_range(out_of_bounds(i, k, size)); });
    const int64_t* data = indices.data();
    int64_t* offset = offsets.data();
    Walk<1>(index[k].ndim, index[k].shape, {indices.array().strides}).each([&](const Offsets<1>& at) {
      const int64_t i = data[at[0]];
      *offset++ += (i < 0 ? i + size : i) * stride;
    });
  }
  return offsets;
}

// The strides of a contiguous array of the first `count` sizes of `shape`, and 0 after them.
Dims leading_strides(const int64_t* shape, int count) {
  Dims strides{};
  int64_t stride = 1;
  for (int d = count - 1; d >= 0; --d) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

// The strides of x's dimensions after the first `indexed` ones, preceded by `common` zeros.
Dims trailing_strides(const Array& x, int indexed, int common) {
  Dims strides{};
  std::copy(x.strides + indexed, x.strides + x.ndim, strides.begin() + common);
  return strides;
}

// index: arrays out, x, then k index arrays of one shape I (k >= 1). They index the first k dimensions of x:
// out[I..., rest...] = x[i0[I], i1[I], ..., rest...]. For other dimensions the caller permutes x (and out).
void index(const Array* a, int array_count, const Number*) {
  const Array &out = a[0], &x = a[1];
  const int common = a[2].ndim, indexed = array_count - 2;
  const std::vector<int64_t> offsets = selected_offsets(x, a + 2, indexed);
  const Dims x_strides = trailing_strides(x, indexed, common), offset_strides = leading_strides(out.shape, common);
  const Walk<3> walk(out.ndim, out.shape, {out.strides, x_strides.data(), offset_strides.data()});
  visit_size(x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    gather_items(walk, out.as<T>(), x.as<T>(), offsets.data(), 1);
  });
}

// index_put: arrays out (changed in place), values, then k index arrays of one shape I; numbers accumulate.
// out[i0[I], i1[I], ..., rest...] = values[I..., rest...], or += in the order of I. values has the whole shape (with
// strides of 0 where it is broadcast).
void index_put(const Array* a, int array_count, const Number* n) {
  const Array &out = a[0], &values = a[1];
  const int common = a[2].ndim, indexed = array_count - 2;
  const std::vector<int64_t> offsets = selected_offsets(out, a + 2, indexed);
  const Dims out_strides = trailing_strides(out, indexed, common), offset_strides = leading_strides(values.shape, common);
  const Walk<3>::Strides strides = {out_strides.data(), offset_strides.data(), values.strides};
  const Walk<3> sequence(values.shape, 0, common, strides), rest(values.shape, common, values.ndim, strides);
  if (n[0].i) {
    visit<group::all>("index_put", out.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      scatter_items(sequence, rest, out.as<T>(), offsets.data(), values.as<T>(), 1, [](T& o, T s) { o = add(o, s); });
    });
  } else {
    visit_size(out.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      scatter_items(sequence, rest, out.as<T>(), offsets.data(), values.as<T>(), 1, [](T& o, T s) { o = s; });
    });
  }
}

// The offsets of linear (row-major) indices into x.
std::vector<int64_t> linear_offsets(const Array& x, const Array& index) {
  const Indices indices(index);
  const int64_t size = x.numel();
  indices.check(-size, size, [=](int64_t i) {
    throw std::out_of_range("out of range: tried to access index " + std::to_string(i) + " on a tensor of " +
                            std::to_string(size) + " elements.");
  });
  const Flat flat(x);
  std::vector<int64_t> offsets;
  offsets.reserve(index.numel());
  Walk<1>(index.ndim, index.shape, {indices.array().strides}).each([&](const Offsets<1>& at) {
    const int64_t i = indices.data()[at[0]];
    offsets.push_back(flat(i < 0 ? i + size : i));
  });
  return offsets;
}

// take: arrays out, x, index (of out's shape).
void take(const Array* a, int, const Number*) {
  const Array &out = a[0], &x = a[1], &index = a[2];
  if (x.numel() == 0 && index.numel() != 0) throw std::out_of_range("take(): tried to take from an empty tensor");
  const std::vector<int64_t> offsets = linear_offsets(x, index);
  const Dims strides = leading_strides(out.shape, out.ndim);
  visit_size(x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    gather_items(Walk<3>(out.ndim, out.shape, {out.strides, Dims{}.data(), strides.data()}), out.as<T>(), x.as<T>(),
                 offsets.data(), 1);
  });
}

// put: arrays out (changed in place), index, src (as many elements, of any shape); numbers accumulate.
void put(const Array* a, int, const Number* n) {
  const Array &out = a[0], &index = a[1], &src = a[2];
  const std::vector<int64_t> offsets = linear_offsets(out, index);
  const int64_t* offset = offsets.data();
  const Walk<1> walk(src.ndim, src.shape, {src.strides});
  if (n[0].i) {
    visit<group::all>("put", out.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      walk.each([&](const Offsets<1>& at) {
        T& o = out.as<T>()[*offset++];
        o = add(o, src.as<T>()[at[0]]);
      });
    });
  } else {
    visit_size(out.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      walk.each([&](const Offsets<1>& at) { out.as<T>()[*offset++] = src.as<T>()[at[0]]; });
    });
  }
}

// masked_select: arrays out (1-d, as long as mask has ones), x, mask (bool, of x's shape).
void masked_select(const Array* a, int, const Number*) {
  const Array out = at_least_1d(a[0]);
  const Array &x = a[1], &mask = a[2];
  visit_size(x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* o = out.as<T>();
    Walk<2> walk(x.ndim, x.shape, {x.strides, mask.strides});
    walk.runs(0, walk.total(), [&](const Offsets<2>& at, int64_t count, const Offsets<2>& step) {
      const T* from = x.as<T>() + at[0];
      const bool* chosen = mask.as<bool>() + at[1];
      for_each_true(
          count, [&](int64_t j) { return chosen[j * step[1]]; },
          [&](int64_t j) {
            *o = from[j * step[0]];
            o += out.strides[0];
          });
    });
  });
}

// masked_scatter: arrays out (changed in place), mask (bool, of out's shape), src (any shape, at least as many elements as
// mask has ones).
void masked_scatter(const Array* a, int, const Number*) {
  const Array &out = a[0], &mask = a[1], &src = a[2];
  int64_t ones = 0;
  Walk<1>(mask.ndim, mask.shape, {mask.strides}).each([&](const Offsets<1>& at) { ones += mask.as<bool>()[at[0]]; });
  if (ones > src.numel()) throw std::runtime_error("Number of elements of source < number of ones in mask");
  const Flat flat(src);
  visit_size(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    int64_t next = 0;
    Walk<2>(out.ndim, out.shape, {out.strides, mask.strides}).each([&](const Offsets<2>& at) {
      if (mask.as<bool>()[at[1]]) out.as<T>()[at[0]] = src.as<T>()[flat(next++)];
    });
  });
}

// masked_fill: arrays out (changed in place), mask (bool, of out's shape), value (0-d, of out's dtype).
void masked_fill(const Array* a, int, const Number*) {
  const Array &out = a[0], &mask = a[1];
  visit_size(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T value = *a[2].as<T>();
    const Walk<2> walk(out.ndim, out.shape, {out.strides, mask.strides});
    parallel_for(walk.total(), element_grain, [&](int64_t begin, int64_t end) {
      walk.runs(begin, end, [&](const Offsets<2>& at, int64_t count, const Offsets<2>& step) {
        T* o = out.as<T>() + at[0];
        const bool* chosen = mask.as<bool>() + at[1];
        if (step[0] == 1 && step[1] == 1) {
          for (int64_t j = 0; j < count; ++j) o[j] = chosen[j] ? value : o[j];
        } else {
          for (int64_t j = 0; j < count; ++j) {
            if (chosen[j * step[1]]) o[j * step[0]] = value;
          }
        }
      });
    });
  });
}

// nonzero_count: arrays out (0-d int64), x.
void nonzero_count(const Array* a, int, const Number*) {
  const Array& x = a[1];
  std::atomic<int64_t> total = 0;
  visit<group::all>("nonzero_count_cpu", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    Walk<1>(x.ndim, x.shape, {x.strides}).parallel_runs([&](const Offsets<1>& at, int64_t count, const Offsets<1>& step) {
      const T* from = x.as<T>() + at[0];
      int64_t found = 0;
      for (int64_t j = 0; j < count; ++j) found += from[j * step[0]] != T(0);
      total += found;
    });
  });
  *a[0].as<int64_t>() = total;
}

// nonzero: arrays out (int64, [nonzero_count, x's dimensions]), x.
void nonzero(const Array* a, int, const Number*) {
  const Array &out = a[0], &x = a[1];
  int64_t* row = out.as<int64_t>();
  visit<group::all>("nonzero_count_cpu", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Walk<1> walk(x.ndim, x.shape, {x.strides});
    int64_t start = 0;
    walk.runs(0, walk.total(), [&](const Offsets<1>& at, int64_t count, const Offsets<1>& step) {
      const T* from = x.as<T>() + at[0];
      for_each_true(
          count, [&](int64_t j) { return from[j * step[0]] != T(0); },
          [&](int64_t j) {
            int64_t position = start + j;
            for (int d = x.ndim - 1; d > 0; --d) {
              row[d * out.strides[1]] = position % x.shape[d];
              position /= x.shape[d];
            }
            if (x.ndim > 0) row[0] = position;
            row += out.strides[0];
          });
      start += count;
    });
  });
}

const Register registrations[] = {
    {"index", index},
    {"index_put", index_put},
    {"take", take},
    {"put", put},
    {"masked_select", masked_select},
    {"masked_fill", masked_fill},
    {"masked_scatter", masked_scatter},
    {"nonzero_count", nonzero_count},
    {"nonzero", nonzero},
};

}  // namespace
}  // namespace rl
