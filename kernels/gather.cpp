// Reading and writing along one dimension: gather, scatter and their cousins index_select, index_add, index_copy, …, which
// are the same thing with an index that is broadcast over the other dimensions.
#include <limits>

#include "indexing.h"

namespace rl {
namespace {

// A 1-d (or 0-d) index along `dim`, broadcast to the shape of `like`.
struct Expanded {
  Array array;
  Dims strides{};
  Expanded(const Array& index, const Array& like, int64_t dim) : array(like) {
    strides[dim] = index.ndim ? index.strides[0] : 1;
    array.data = index.data;
    array.dtype = index.dtype;
    array.strides = strides.data();
  }
};

[[noreturn]] void out_of_range_in_self() { throw std::out_of_range("index out of range in self"); }

void check_gather(const Indices& index, int64_t dim, int64_t size) {
  index.check(0, size, [=](int64_t i) { throw std::runtime_error(out_of_bounds(i, dim, size)); });
}

void gather_along(const Array& out, const Array& x, const Array& index, int64_t dim) {
  visit_size(x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    Dims fixed = copy_dims(x.strides, x.ndim);
    fixed[dim] = 0;
    Walk<3> walk(index.ndim, index.shape, {out.strides, fixed.data(), index.strides});
    gather_items(walk, out.as<T>(), x.as<T>(), index.as<int64_t>(), x.strides[dim]);
  });
}

// gather: arrays out, x, index; numbers dim. out and index have one shape.
void gather(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]), x = at_least_1d(a[1]);
  const Indices index(at_least_1d(a[2]));
  check_gather(index, n[0].i, x.shape[n[0].i]);
  gather_along(out, x, index.array(), n[0].i);
}

// index_select: arrays out, x, index (0-d or 1-d); numbers dim.
void index_select(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]), x = at_least_1d(a[1]);
  const Indices index(a[2]);
  const int64_t dim = n[0].i, size = x.shape[dim];
  bool empty_slices = false;
  for (int d = 0; d < x.ndim; ++d) empty_slices = empty_slices || (d != dim && x.shape[d] == 0);
  index.check(0, size, [=](int64_t i) {
    if (size == 0 && x.ndim > 1) throw std::runtime_error("index_select(): self indexing axis dim should be positive");
    if (dim == 0 && !empty_slices) out_of_range_in_self();
    throw std::runtime_error("INDICES element is out of DATA bounds, id=" + std::to_string(i) +
                             " axis_dim=" + std::to_string(size));
  });
  gather_along(out, x, Expanded(index.array(), out, n[0].i).array, n[0].i);
}

// The walks of a scatter over index's shape, along dim and over the rest.
template <class T, class S, class F>
void scatter_along(const Array& out, const Array& index, const S* src, const int64_t* src_strides, int64_t dim, F&& update) {
  Dims fixed = copy_dims(out.strides, out.ndim);
  fixed[dim] = 0;
  const Walk<3>::Strides strides = {fixed.data(), index.strides, src_strides};
  scatter_items(Walk<3>(index.shape, int(dim), int(dim) + 1, strides), Walk<3>(index.ndim, index.shape, strides, int(dim)),
                out.as<T>(), index.as<int64_t>(), src, out.strides[dim], update);
}

void copy_along(const Array& out, const Array& index, const char* src, const int64_t* src_strides, int64_t dim) {
  visit_size(out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    scatter_along<T>(out, index, reinterpret_cast<const T*>(src), src_strides, dim, [](T& o, T s) { o = s; });
  });
}

// scatter: arrays out (changed in place), index, src; numbers dim. Where an index repeats, the last one wins.
void scatter(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]), src = at_least_1d(a[2]);
  const Indices index(at_least_1d(a[1]));
  check_gather(index, n[0].i, out.shape[n[0].i]);
  copy_along(out, index.array(), src.data, src.strides, n[0].i);
}

// scatter_fill: arrays out (changed in place), index, value (0-d, of out's dtype); numbers dim.
void scatter_fill(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]);
  const Indices index(at_least_1d(a[1]));
  check_gather(index, n[0].i, out.shape[n[0].i]);
  copy_along(out, index.array(), a[2].data, Dims{}.data(), n[0].i);
}

// index_copy: arrays out (changed in place), index (0-d or 1-d), src; numbers dim.
void index_copy(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]), src = at_least_1d(a[2]);
  const Indices index(a[1]);
  const int64_t dim = n[0].i, size = out.shape[dim];
  index.check(0, size, [=](int64_t i) { throw std::out_of_range("index_copy_(): " + out_of_bounds(i, dim, size)); });
  copy_along(out, Expanded(index.array(), src, dim).array, src.data, src.strides, dim);
}

// index_fill: arrays out (changed in place), index (0-d or 1-d; negative ones count from the end), value (0-d, of out's
// dtype); numbers dim.
void index_fill(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]);
  const Indices given(a[1]);
  const int64_t dim = n[0].i, size = out.shape[dim];
  given.check(-size, size, [=](int64_t i) { throw std::out_of_range(out_of_bounds(i, dim, size)); });
  std::vector<int64_t> index;
  const Array& from = given.array();
  Walk<1>(from.ndim, from.shape, {from.strides}).each([&](const Offsets<1>& at) {
    int64_t i = given.data()[at[0]];
    index.push_back(i < 0 ? i + size : i);
  });
  Dims shape = copy_dims(out.shape, out.ndim), strides{};
  shape[dim] = int64_t(index.size());
  strides[dim] = 1;
  const Array expanded = {reinterpret_cast<char*>(index.data()), DType::i64, out.ndim, shape.data(), strides.data()};
  copy_along(out, expanded, a[2].data, Dims{}.data(), dim);
}

void add_along(const char* name, const Array& out, const Array& index, const Array& src, int64_t dim) {
  visit<group::all>(name, out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    scatter_along<T>(out, index, src.as<T>(), src.strides, dim, [](T& o, T s) { o = add(o, s); });
  });
}

// scatter_add: arrays out (changed in place), index, src; numbers dim.
void scatter_add(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]), src = at_least_1d(a[2]);
  const Indices index(at_least_1d(a[1]));
  check_gather(index, n[0].i, out.shape[n[0].i]);
  add_along("scatter_gather_tensor_cpu", out, index.array(), src, n[0].i);
}

// index_add: arrays out (changed in place), index (0-d or 1-d), src, alpha (0-d, of out's dtype); numbers dim.
void index_add(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]), src = at_least_1d(a[2]);
  const Indices index(a[1]);
  const int64_t dim = n[0].i, size = out.shape[dim];
  index.check(0, size, [&](int64_t i) {
    if (out.ndim == 1 || (dim > 0 && dim < out.ndim - 1) || a[1].dtype != DType::i64) out_of_range_in_self();
    throw std::runtime_error(out_of_bounds(i, dim, size));
  });
  const Expanded expanded(index.array(), src, dim);
  visit<group::all>("index_add_", out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T alpha = *a[3].as<T>();
    if (alpha == T(1)) return add_along("index_add_", out, expanded.array, src, dim);
    scatter_along<T>(out, expanded.array, src.as<T>(), src.strides, dim, [alpha](T& o, T s) { o = add(o, multiply(s, alpha)); });
  });
}

enum Reduction : int64_t { sum, product, mean, greatest, least };

template <class T>
T lowest() {
  if constexpr (std::is_integral_v<T>) {
    return std::numeric_limits<T>::lowest();
  } else {
    return T(-std::numeric_limits<float>::infinity());
  }
}

template <class T>
T highest() {
  if constexpr (std::is_integral_v<T>) {
    return std::numeric_limits<T>::max();
  } else {
    return T(std::numeric_limits<float>::infinity());
  }
}

// Integers divide toward minus infinity.
template <class T>
T divide(T total, int64_t count) {
  if constexpr (std::is_same_v<T, bool>) {
    return total;
  } else if constexpr (std::is_integral_v<T>) {
    int64_t quotient = int64_t(total) / count;
    return T(quotient - (int64_t(total) % count < 0));
  } else if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
    return T(float(total) / float(count));
  } else {
    return total / T(count);
  }
}

template <class T>
void mean_along(const Array& out, const Array& index, const Array& src, int64_t dim, bool include_self) {
  std::vector<int64_t> counts(out.numel());
  Dims strides;
  int64_t stride = 1;
  for (int d = out.ndim - 1; d >= 0; --d) {
    strides[d] = stride;
    stride *= out.shape[d];
  }
  const Array counter = {reinterpret_cast<char*>(counts.data()), DType::i64, out.ndim, out.shape, strides.data()};
  const int64_t one = 1;
  scatter_along<int64_t>(counter, index, &one, Dims{}.data(), dim, [](int64_t& o, int64_t s) { o += s; });
  scatter_along<T>(out, index, src.as<T>(), src.strides, dim, [](T& o, T s) { o = add(o, s); });
  T* o = out.as<T>();
  Walk<2>(out.ndim, out.shape, {out.strides, strides.data()}).parallel_each([&](const Offsets<2>& at) {
    int64_t count = counts[at[1]];
    if (count) o[at[0]] = divide(o[at[0]], count + include_self);
  });
}

template <class T>
void reduce_along(const char* name, const Array& out, const Array& index, const Array& src, int64_t dim, int64_t mode,
                  bool include_self) {
  constexpr bool is_complex = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
  if (is_complex && (mode == greatest || mode == least)) no_kernel(name, out.dtype);
  if (!include_self) {
    T identity = T(mode == product ? 1 : 0);
    if constexpr (!is_complex) {
      if (mode == greatest) identity = lowest<T>();
      if (mode == least) identity = highest<T>();
    }
    copy_along(out, index, reinterpret_cast<const char*>(&identity), Dims{}.data(), dim);
  }
  auto apply = [&](auto&& update) { scatter_along<T>(out, index, src.as<T>(), src.strides, dim, update); };
  if (mode == sum) {
    apply([](T& o, T s) { o = add(o, s); });
  } else if (mode == product) {
    apply([](T& o, T s) { o = multiply(o, s); });
  } else if (mode == mean) {
    mean_along<T>(out, index, src, dim, include_self);
  } else if constexpr (!is_complex) {
    // NaN wins.
    if (mode == greatest) {
      apply([](T& o, T s) { o = (s > o || s != s) ? s : o; });
    } else {
      apply([](T& o, T s) { o = (s < o || s != s) ? s : o; });
    }
  }
}

// scatter_reduce: arrays out (changed in place), index, src; numbers dim, mode (0 sum, 1 product, 2 mean, 3 greatest,
// 4 least), include_self.
void scatter_reduce(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]), src = at_least_1d(a[2]);
  const Indices index(at_least_1d(a[1]));
  check_gather(index, n[0].i, out.shape[n[0].i]);
  visit<group::all>("scatter_gather_tensor_cpu", out.dtype, [&](auto type) {
    const char* name = n[1].i == greatest ? "scatter_gather_tensor_cpu_reduce_amax" : "scatter_gather_tensor_cpu_reduce_amin";
    reduce_along<typename decltype(type)::type>(name, out, index.array(), src, n[0].i, n[1].i, n[2].i);
  });
}

// index_reduce: arrays out (changed in place), index (0-d or 1-d), src; numbers as for scatter_reduce.
void index_reduce(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]), src = at_least_1d(a[2]);
  const Indices index(a[1]);
  const int64_t dim = n[0].i, size = out.shape[dim];
  const bool include_self = n[2].i;
  if (!include_self) index.check(-size, size, [=](int64_t i) { throw std::out_of_range(out_of_bounds(i, dim, size)); });
  index.check(0, size, [](int64_t) { out_of_range_in_self(); });
  const Expanded expanded(index.array(), src, dim);
  visit<group::all>("index_reduce", out.dtype, [&](auto type) {
    const char* name = n[1].i == greatest ? "maximum_cpu" : "minimum_cpu";
    reduce_along<typename decltype(type)::type>(name, out, expanded.array, src, dim, n[1].i, include_self);
  });
}

const Register registrations[] = {
    {"gather", gather},
    {"scatter", scatter},
    {"scatter_fill", scatter_fill},
    {"scatter_add", scatter_add},
    {"scatter_reduce", scatter_reduce},
    {"index_select", index_select},
    {"index_add", index_add},
    {"index_copy", index_copy},
    {"index_fill", index_fill},
    {"index_reduce", index_reduce},
};

}  // namespace
}  // namespace rl
