// What sorted keys are good for: unique values and rows, and binary search.
#include "keys.h"

namespace rl {
namespace {

constexpr unsigned comparable = group::ordered;

// Where the groups of equal elements go: inverse and counts, if wanted.
struct Groups {
  const Array inverse, counts;
  const bool want_inverse, want_counts;
  int64_t count = 0, members = 0;

  Groups(const Array& inverse, const Array& counts, const Number* wanted)
      : inverse(at_least_1d(inverse)), counts(at_least_1d(counts)), want_inverse(wanted[0].i), want_counts(wanted[1].i) {}

  // The next element, in an order where equal ones are side by side: its position in x, and whether it is unlike the last.
  void add(int64_t index, bool is_new) {
    if (is_new) {
      finish();
      ++count;
    }
    ++members;
    if (want_inverse) inverse.as<int64_t>()[index * inverse.strides[0]] = count - 1;
  }
  void finish() {
    if (count && want_counts) counts.as<int64_t>()[(count - 1) * counts.strides[0]] = members;
    members = 0;
  }
};

// unique: arrays values (1-d, as long as x), inverse (1-d int64, as long as x), counts (the same), count (0-d int64), x
// (1-d); numbers return_inverse, return_counts, consecutive. Writes the first `count` elements of values (sorted, unless
// only consecutive elements are compared) and counts. NaNs are all different. An array that is not wanted is not touched.
void unique(const Array* a, int, const Number* n) {
  const Array values = at_least_1d(a[0]), x = at_least_1d(a[4]);
  const int64_t length = x.shape[0];
  check_line_length(length);
  Groups groups(a[1], a[2], n);
  visit<comparable | group::wide_unsigned>("unique", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using K = typename Unsigned<sizeof(T)>::type;
    std::vector<Item<K>> items, scratch;
    read_line(items, x.as<T>(), x.strides[0], length, false);
    if (!n[2].i) stable_sort_items(items, scratch);
    for (int64_t i = 0; i < length; ++i) {
      const int64_t index = int64_t(items[i].index);
      const bool is_new = i == 0 || items[i].key != items[i - 1].key || (has_nan<T> && items[i].key == nan_key<K>);
      groups.add(index, is_new);
      if (is_new) values.as<T>()[(groups.count - 1) * values.strides[0]] = x.as<T>()[index * x.strides[0]];
    }
  });
  groups.finish();
  *a[3].as<int64_t>() = groups.count;
}

// unique_dim: arrays order (1-d int64, as long as x has rows), inverse (the same), counts (the same), count (0-d int64), x
// ([rows, ...]); numbers as for unique. order's first `count` elements are rows of x, the first of its kind each, sorted
// lexicographically (unless consecutive).
void unique_dim(const Array* a, int, const Number* n) {
  const Array order = at_least_1d(a[0]);
  const Array& x = a[4];
  const int64_t rows = x.shape[0];
  Groups groups(a[1], a[2], n);
  visit<comparable>("unique_dim", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using K = typename Unsigned<sizeof(T)>::type;
    std::vector<K> keys;
    keys.reserve(x.numel());
    Walk<1>(x.ndim, x.shape, {x.strides}).each([&](const Offsets<1>& at) { keys.push_back(to_key(x.as<T>()[at[0]])); });
    const int64_t width = rows ? int64_t(keys.size()) / rows : 0;
    auto row = [&](int64_t i) { return keys.data() + i * width; };
    // A NaN is neither less nor greater than anything, so the next column decides, and rows of NaN stay where they are.
    auto is_less = [](K a, K b) {
      if constexpr (has_nan<T>)
        if (a == nan_key<K> || b == nan_key<K>) return false;
      return a < b;
    };
    std::vector<int64_t> sorted(rows);
    std::iota(sorted.begin(), sorted.end(), int64_t(0));
    auto is_before = [&](int64_t i, int64_t j) {
      return std::lexicographical_compare(row(i), row(i) + width, row(j), row(j) + width, is_less);
    };
    // (With NaNs this is no order, and the way matters: few rows go by insertion, as in PyTorch's std::sort, which is not safe
    // with many.)
    if (!n[2].i && rows <= 16)
      std::sort(sorted.begin(), sorted.end(), is_before);
    else if (!n[2].i)
      std::stable_sort(sorted.begin(), sorted.end(), is_before);
    auto same = [&](int64_t i, int64_t j) {
      return std::equal(row(i), row(i) + width, row(j)) &&
             !(has_nan<T> && std::find(row(i), row(i) + width, nan_key<K>) != row(i) + width);
    };
    for (int64_t i = 0; i < rows; ++i) {
      const bool is_new = i == 0 || !same(sorted[i - 1], sorted[i]);
      groups.add(sorted[i], is_new);
      if (is_new) order.as<int64_t>()[(groups.count - 1) * order.strides[0]] = sorted[i];
    }
  });
  groups.finish();
  *a[3].as<int64_t>() = groups.count;
}

// searchsorted: arrays out (int32 or int64), sequence, values (of sequence's dtype and out's shape), and, where it is given,
// sorter (int64, of sequence's shape); numbers right. sequence is 1-d, or has the leading dimensions of values.
void searchsorted(const Array* a, int array_count, const Number* n) {
  const Array out = at_least_1d(a[0]), sequence = at_least_1d(a[1]), values = at_least_1d(a[2]);
  const bool right = n[0].i, shared = sequence.ndim == 1, has_sorter = array_count > 3;
  const Array sorter = has_sorter ? at_least_1d(a[3]) : sequence;
  const int last = sequence.ndim - 1;
  const int64_t length = sequence.shape[last], step = sequence.strides[last], sorter_step = sorter.strides[last];
  if (has_sorter)
    Indices(sorter).check(0, length,
                          [](int64_t) { throw std::runtime_error("torch.searchsorted(): sorter index out of range"); });
  Dims line = copy_dims(sequence.strides, sequence.ndim), sorter_line = copy_dims(sorter.strides, sorter.ndim);
  if (shared) {
    line.fill(0);
    sorter_line.fill(0);
  } else {
    line[last] = sorter_line[last] = 0;
  }
  const Walk<4> walk(values.ndim, values.shape, {out.strides, values.strides, line.data(), sorter_line.data()});
  if (out.numel() == 0) return;  // of any dtype
  visit<group::integer | group::floating>("searchsorted_out_cpu", sequence.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    parallel_for(walk.total(), element_grain / 16, [&](int64_t begin, int64_t end) {
      walk.each(begin, end, [&](const Offsets<4>& at) {
        const T value = values.as<T>()[at[1]];
        const T* from = sequence.as<T>() + at[2];
        const int64_t* places = has_sorter ? sorter.as<int64_t>() + at[3] : nullptr;
        int64_t low = 0, high = length;
        while (low < high) {
          const int64_t middle = low + (high - low) / 2;
          const T candidate = from[(places ? places[middle * sorter_step] : middle) * step];
          // Written so that a NaN goes to the end.
          if (right ? !(candidate > value) : !(candidate >= value)) {
            low = middle + 1;
          } else {
            high = middle;
          }
        }
        if (out.dtype == DType::i32) {
          out.as<int32_t>()[at[0]] = int32_t(low);
        } else {
          out.as<int64_t>()[at[0]] = low;
        }
      });
    });
  });
}

// isin: arrays out (bool, of x's shape), x, tests (any shape, of x's dtype).
void isin(const Array* a, int, const Number*) {
  const Array &out = a[0], &x = a[1], &tests = a[2];
  visit<comparable>("isin_default_cpu", x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using K = typename Unsigned<sizeof(T)>::type;
    std::vector<K> keys;
    Walk<1>(tests.ndim, tests.shape, {tests.strides}).each([&](const Offsets<1>& at) {
      const T test = tests.as<T>()[at[0]];
      if (test == test) keys.push_back(to_key(test));
    });
    std::sort(keys.begin(), keys.end());
    Walk<2>(x.ndim, x.shape, {out.strides, x.strides}).parallel_each([&](const Offsets<2>& at) {
      out.as<bool>()[at[0]] = std::binary_search(keys.begin(), keys.end(), to_key(x.as<T>()[at[1]]));
    });
  });
}

const Register registrations[] = {
    {"unique", unique},
    {"unique_dim", unique_dim},
    {"searchsorted", searchsorted},
    {"isin", isin},
};

}  // namespace
}  // namespace rl
