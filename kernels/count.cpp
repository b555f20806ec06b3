// Counting by value: histograms, classes, repeats, and the gradient of an embedding's weight.
#include <cmath>
#include <limits>

#include "geometry.h"
#include "indexing.h"

namespace rl {
namespace {

// f(value) for each element of an integer array, in row-major order.
template <class F>
void for_each_integer(const char* name, const Array& x, F&& f) {
  visit<group::integer>(name, x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    Walk<1>(x.ndim, x.shape, {x.strides}).each([&](const Offsets<1>& at) { f(int64_t(x.as<T>()[at[0]])); });
  });
}

// bincount_size: arrays out (0-d int64), x (integers). The greatest value and one; 0 where x is empty. Checks x.
void bincount_size(const Array* a, int, const Number*) {
  int64_t size = 0;
  for_each_integer("bincount_cpu", a[1], [&](int64_t value) {
    if (value < 0) throw std::runtime_error("bincount only supports 1-d non-negative integral inputs.");
    if (value == beyond) {
      const std::string largest = std::to_string(beyond);
      throw std::runtime_error("maximum value of input overflowed, it should be < " + largest + " but got " + largest);
    }
    size = std::max(size, value + 1);
  });
  *a[0].as<int64_t>() = size;
}

// bincount: arrays out (1-d, at least as long as bincount_size says), x (integers), and, where they are wanted, weights (of
// out's dtype, which is then float32 or float64; else it is int64).
void bincount(const Array* a, int array_count, const Number*) {
  const Array out = at_least_1d(a[0]);
  const Array& x = a[1];
  fill_zero(out);
  if (array_count == 2) {
    for_each_integer("bincount_cpu", x, [&](int64_t value) { ++out.as<int64_t>()[value * out.strides[0]]; });
    return;
  }
  const Array& weights = a[2];
  visit<group::real>("bincount_cpu", weights.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Flat flat(weights);
    int64_t next = 0;
    for_each_integer("bincount_cpu", x,
                     [&](int64_t value) { out.as<T>()[value * out.strides[0]] += weights.as<T>()[flat(next++)]; });
  });
}

// histc: arrays out (1-d, one element a bin), x (of out's dtype, floating); numbers low f, high f. Where they are equal,
// the range is that of x. NaN and what is out of range are not counted.
void histc(const Array* a, int, const Number* n) {
  const Array out = at_least_1d(a[0]);
  const Array& x = a[1];
  visit<group::floating>("histogram_cpu", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const Walk<1> walk(x.ndim, x.shape, {x.strides});
    T low = T(n[0].f), high = T(n[1].f);
    if (low == high && walk.total() > 0) {
      bool nan = false, first = true;
      walk.each([&](const Offsets<1>& at) {
        const T value = x.as<T>()[at[0]];
        nan |= value != value;
        if (first || value < low) low = value;
        if (first || value > high) high = value;
        first = false;
      });
      // (A NaN that stands alone keeps its sign, which shows; of several numbers it is the one that processors compute.)
      if (nan && walk.total() > 1) low = high = T(-std::numeric_limits<float>::quiet_NaN());
    }
    auto text = [](T value) {
      char buffer[64];
      snprintf(buffer, sizeof buffer, "%g", double(value));
      return std::string(buffer);
    };
    if (!std::isfinite(double(low)) || !std::isfinite(double(high)))
      throw std::runtime_error("torch.histc: range of [" + text(low) + ", " + text(high) + "] is not finite");
    if (low > high) throw std::runtime_error("torch.histc: max must be larger than min");
    if (low == high) {
      low = T(low - T(1));
      high = T(high + T(1));
    }
    const int64_t bins = out.shape[0];
    std::vector<int64_t> counts(bins);
    const T width = T(high - low);
    walk.each([&](const Offsets<1>& at) {
      const T value = x.as<T>()[at[0]];
      if (!(value >= low && value <= high)) return;
      const int64_t bin = int64_t(T(T(T(value - low) * T(bins)) / width));
      ++counts[std::min(bin, bins - 1)];
    });
    for (int64_t b = 0; b < bins; ++b) out.as<T>()[b * out.strides[0]] = T(counts[b]);
  });
}

// one_hot: arrays out (int64, [..., classes]), x (integers).
void one_hot(const Array* a, int, const Number*) {
  const Array &out = a[0], &x = a[1];
  const int64_t classes = out.shape[out.ndim - 1], step = out.strides[out.ndim - 1];
  for_each_integer("one_hot", x, [&](int64_t value) {
    if (value < 0) throw std::runtime_error("Class values must be non-negative.");
  });
  for_each_integer("one_hot", x, [&](int64_t value) {
    if (value >= classes) throw std::runtime_error("Class values must be smaller than num_classes.");
  });
  fill_zero(out);
  const Indices indices(x);
  Walk<2>(x.ndim, x.shape, {out.strides, indices.array().strides}).parallel_each([&](const Offsets<2>& at) {
    out.as<int64_t>()[at[0] + indices.data()[at[1]] * step] = 1;
  });
}

// repeat_interleave_size: arrays out (0-d int64), repeats (1-d int32 or int64). The sum of repeats; checks them.
void repeat_interleave_size(const Array* a, int, const Number*) {
  int64_t total = 0;
  for_each_integer("repeat_interleave_cpu", a[1], [&](int64_t count) {
    if (count < 0) throw std::runtime_error("repeats can not be negative");
    total = checked_sum(total, count);
  });
  if (total == beyond)
    throw std::runtime_error("Storage size calculation overflowed with sizes=[" + std::to_string(beyond) + "]");
  *a[0].as<int64_t>() = total;
}

// repeat_interleave: arrays out (1-d int32 or int64, as long as repeat_interleave_size says), repeats (1-d integers). The
// position of each repeat, as many times as it says.
void repeat_interleave(const Array* a, int, const Number*) {
  const Array out = at_least_1d(a[0]);
  visit<group::integer>("repeat_interleave_cpu", out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* o = out.as<T>();
    int64_t position = 0;
    for_each_integer("repeat_interleave_cpu", a[1], [&](int64_t count) {
      for (int64_t i = 0; i < count; ++i, o += out.strides[0]) *o = T(position);
      ++position;
    });
  });
}

// embedding_gradient: arrays out ([rows, columns]), g ([..., columns]), index; numbers padding_idx (a row to leave 0, or
// -1), scale_grad_by_freq. Sums the rows of g that index sends to one row of out; an index that is no row is passed over.
void embedding_gradient(const Array* a, int, const Number* n) {
  const Array &out = a[0], &g = a[1], &index = a[2];
  const int64_t rows = out.shape[0], columns = out.shape[1], padding = n[0].i;
  const Indices indices(index);
  std::vector<int64_t> counts(n[1].i ? rows : 0);
  struct Row {
    int64_t row, g_offset;
  };
  std::vector<Row> sums;
  Walk<2>(index.ndim, index.shape, {indices.array().strides, g.strides}).each([&](const Offsets<2>& at) {
    const int64_t row = indices.data()[at[0]];
    if (row == padding || row < 0 || row >= rows) return;
    if (n[1].i) ++counts[row];
    sums.push_back({row, at[1]});
  });
  fill_zero(out);
  if (sums.empty()) return;
  visit<group::floating | group::complex>("embedding_gradient", out.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const int64_t out_step = out.strides[1], g_step = g.strides[g.ndim - 1];
    const int64_t grain = std::max<int64_t>(16, element_grain / int64_t(sums.size()));
    parallel_for(columns, grain, [&](int64_t begin, int64_t end) {
      for (const Row& sum : sums) {
        T* o = out.as<T>() + sum.row * out.strides[0];
        const T* from = g.as<T>() + sum.g_offset;
        if (n[1].i) {
          const T scale = T(1.0 / double(counts[sum.row]));
          for (int64_t j = begin; j < end; ++j) o[j * out_step] = T(o[j * out_step] + T(scale * from[j * g_step]));
        } else if (out_step == 1 && g_step == 1) {
          for (int64_t j = begin; j < end; ++j) o[j] = T(o[j] + from[j]);
        } else {
          for (int64_t j = begin; j < end; ++j) o[j * out_step] = T(o[j * out_step] + from[j * g_step]);
        }
      }
    });
  });
}

const Register registrations[] = {
    {"bincount_size", bincount_size},
    {"bincount", bincount},
    {"histc", histc},
    {"one_hot", one_hot},
    {"repeat_interleave_size", repeat_interleave_size},
    {"repeat_interleave", repeat_interleave},
    {"embedding_gradient", embedding_gradient},
};

}  // namespace
}  // namespace rl
