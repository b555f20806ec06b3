// Sorting and selecting along a dimension. Where PyTorch leaves the order of equal elements to its selection algorithm, the
// same steps are taken here, so that the indices agree.
#include "keys.h"

namespace rl {
namespace {

// f(values, indices, x, scratch space) with pointers to the starts of each line along dim, where T is x's type.
template <unsigned allowed, class F>
void for_each_line(const char* name, const Array& values, const Array& indices, const Array& x, int64_t dim, F&& f) {
  check_line_length(x.shape[dim]);
  const Walk<3> walk(x.ndim, x.shape, {values.strides, indices.strides, x.strides}, int(dim));
  visit<allowed>(name, x.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    using K = typename Unsigned<sizeof(T)>::type;
    const int64_t grain = std::max<int64_t>(1, element_grain / 8 / std::max<int64_t>(1, x.shape[dim]));
    parallel_for(walk.total(), grain, [&](int64_t begin, int64_t end) {
      std::vector<Item<K>> items, scratch;
      walk.each(begin, end, [&](const Offsets<3>& at) {
        f(values.as<T>() + at[0], indices.as<int64_t>() + at[1], x.as<T>() + at[2], items, scratch);
      });
    });
  });
}

void check_not_empty(const char* name, int64_t dim, int64_t length) {
  if (length == 0)
    throw std::out_of_range(std::string(name) + "(): Expected reduction dim " + std::to_string(dim) + " to have non-zero size.");
}

template <class T, class K>
void write_items(T* values, int64_t value_stride, int64_t* indices, int64_t index_stride, const T* x, int64_t x_stride,
                 const std::vector<Item<K>>& items, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const int64_t index = int64_t(items[i].index);
    values[i * value_stride] = x[index * x_stride];
    indices[i * index_stride] = index;
  }
}

constexpr unsigned sortable = group::ordered | group::wide_unsigned;
constexpr unsigned selectable = group::integer | group::floating;

// Sorts in the order of std::sort, which is PyTorch's where no stability is asked for: digits are quicker, and they decide
// where no two keys are equal.
template <class K, class Read>
void unstable_sort_items(std::vector<Item<K>>& items, std::vector<Item<K>>& scratch, Read&& read_again) {
  if (items.size() > 1024) {
    stable_sort_items(items, scratch);
    auto equal = [](const Item<K>& left, const Item<K>& right) { return left.key == right.key; };
    if (std::adjacent_find(items.begin(), items.end(), equal) == items.end()) return;
    read_again();
  }
  std::sort(items.begin(), items.end(), by_key<K>);
}

// sort: arrays values, indices (int64), x; numbers dim, descending, stable.
void sort(const Array* a, int, const Number* n) {
  const Array values = at_least_1d(a[0]), indices = at_least_1d(a[1]), x = at_least_1d(a[2]);
  const int64_t dim = n[0].i, length = x.shape[dim];
  const bool descending = n[1].i;
  if (is_complex_dtype(x.dtype)) throw std::runtime_error(" Sort does not support complex dtypes on CPU");
  // Long lines are always sorted by digits; PyTorch does so for vectors of integers.
  const bool stable = n[2].i || length >= 32768;
  for_each_line<sortable>("sorting_kernel_method_name", values, indices, x, dim,
                          [&](auto* value, int64_t* index, const auto* from, auto& items, auto& scratch) {
                            auto read = [&] { read_line(items, from, x.strides[dim], length, descending); };
                            read();
                            if (stable) {
                              stable_sort_items(items, scratch);
                            } else {
                              unstable_sort_items(items, scratch, read);
                            }
                            write_items(value, values.strides[dim], index, indices.strides[dim], from, x.strides[dim], items,
                                        length);
                          });
}

// topk: arrays values, indices (int64), x, where values' size in dim is k; numbers dim, largest, sorted.
void topk(const Array* a, int, const Number* n) {
  const Array values = at_least_1d(a[0]), indices = at_least_1d(a[1]), x = at_least_1d(a[2]);
  const int64_t dim = n[0].i, length = x.shape[dim], k = values.shape[dim];
  if (k > length) throw std::runtime_error("selected index k out of range");
  if (x.dtype == DType::boolean) throw std::runtime_error("topk does not support bool dtypes on CPU");
  if (is_complex_dtype(x.dtype)) throw std::runtime_error(" topk does not support complex dtypes on CPU");
  if (k == 0) return;
  for_each_line<selectable>(
      "topk_cpu", values, indices, x, dim, [&](auto* value, int64_t* index, const auto* from, auto& items, auto&) {
        using K = decltype(items[0].key);
        read_line(items, from, x.strides[dim], length, n[1].i);
        auto first = items.begin(), kth = first + k;
        // A heap of k pays where k is small beside the line.
        if (k * 64 <= length) {
          std::partial_sort(first, kth, items.end(), by_key<K>);
        } else {
          std::nth_element(first, kth - 1, items.end(), by_key<K>);
          if (n[2].i) std::sort(first, kth - 1, by_key<K>);
        }
        write_items(value, values.strides[dim], index, indices.strides[dim], from, x.strides[dim], items, k);
      });
}

// Hoare's selection with the median of three as pivot: afterwards items[k] is the one a sort would put there.
template <class K>
void select(std::vector<Item<K>>& items, int64_t k) {
  int64_t low = 0, high = int64_t(items.size()) - 1;
  auto order = [&](int64_t i, int64_t j) {
    if (items[i].key > items[j].key) std::swap(items[i], items[j]);
  };
  while (high > low + 1) {
    std::swap(items[low + (high - low) / 2], items[low + 1]);
    order(low + 1, high);
    order(low, high);
    order(low + 1, low);
    const K pivot = items[low].key;
    int64_t i = low + 1, j = high;
    for (;;) {
      do ++i;
      while (items[i].key < pivot);
      do --j;
      while (items[j].key > pivot);
      if (j < i) break;
      std::swap(items[i], items[j]);
    }
    std::swap(items[low], items[j]);
    if (j <= k) low = i;
    if (j >= k) high = j - 1;
  }
  if (high == low + 1) order(low, high);
}

// kthvalue: arrays values, indices (int64), x, where values and indices have size 1 in dim; numbers dim, k (from 1).
void kthvalue(const Array* a, int, const Number* n) {
  const Array values = at_least_1d(a[0]), indices = at_least_1d(a[1]), x = at_least_1d(a[2]);
  const int64_t dim = n[0].i, length = x.shape[dim], k = n[1].i;
  check_not_empty("kthvalue", dim, length);
  if (k < 1 || k > length)
    throw std::runtime_error("kthvalue(): selected number k out of range for dimension " + std::to_string(dim));
  for_each_line<selectable>("kthvalue_cpu", values, indices, x, dim,
                            [&](auto* value, int64_t* index, const auto* from, auto& items, auto&) {
                              read_line(items, from, x.strides[dim], length, false);
                              select(items, k - 1);
                              *index = int64_t(items[k - 1].index);
                              *value = from[*index * x.strides[dim]];
                            });
}

// The lower median; the first NaN where there is one and it counts.
template <bool ignore_nan>
void median(const Array* a, int, const Number* n) {
  const Array values = at_least_1d(a[0]), indices = at_least_1d(a[1]), x = at_least_1d(a[2]);
  const int64_t dim = n[0].i, length = x.shape[dim];
  check_not_empty("median", dim, length);
  for_each_line<selectable>("median_out", values, indices, x, dim,
                            [&](auto* value, int64_t* index, const auto* from, auto& items, auto&) {
                              using T = std::remove_pointer_t<decltype(value)>;
                              using K = decltype(items[0].key);
                              read_line(items, from, x.strides[dim], length, false);
                              int64_t counted = length;
                              *index = -1;
                              if constexpr (has_nan<T>) {
                                for (int64_t i = 0; i < length && (ignore_nan || *index < 0); ++i) {
                                  if (items[i].key != nan_key<K>) continue;
                                  if (ignore_nan) {
                                    --counted;
                                  } else {
                                    *index = i;
                                  }
                                }
                              }
                              if (*index < 0) {
                                auto nth = items.begin() + std::max<int64_t>(counted - 1, 0) / 2;
                                // Equal elements count in the order they have.
                                std::nth_element(items.begin(), nth, items.end(), [](const Item<K>& left, const Item<K>& right) {
                                  return left.key < right.key || (left.key == right.key && left.index < right.index);
                                });
                                *index = int64_t(nth->index);
                              }
                              *value = from[*index * x.strides[dim]];
                            });
}

// mode: arrays values, indices (int64), x, where values and indices have size 1 in dim; numbers dim. The least of the most
// frequent values; NaNs are all different.
void mode(const Array* a, int, const Number* n) {
  const Array values = at_least_1d(a[0]), indices = at_least_1d(a[1]), x = at_least_1d(a[2]);
  const int64_t dim = n[0].i, length = x.shape[dim];
  check_not_empty("mode", dim, length);
  for_each_line<sortable>(
      "mode_cpu", values, indices, x, dim, [&](auto* value, int64_t* index, const auto* from, auto& items, auto&) {
        using T = std::remove_pointer_t<decltype(value)>;
        using K = decltype(items[0].key);
        read_line(items, from, x.strides[dim], length, false);
        std::sort(items.begin(), items.end(), by_key<K>);
        int64_t best = 0, run = 0, last = 0;
        for (int64_t i = 0; i < length; ++i) {
          const bool same = i && items[i].key == items[i - 1].key && !(has_nan<T> && items[i].key == nan_key<K>);
          run = same ? run + 1 : 1;
          if (run > best) {
            best = run;
            last = i;
          }
        }
        *index = int64_t(items[last].index);
        *value = from[*index * x.strides[dim]];
      });
}

const Register registrations[] = {
    {"sort", sort},
    {"topk", topk},
    {"kthvalue", kthvalue},
    {"median", median<false>},    // arrays values, indices (int64), x, with size 1 in dim; numbers dim
    {"nanmedian", median<true>},  // the same
    {"mode", mode},
};

}  // namespace
}  // namespace rl
