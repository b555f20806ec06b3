// Sorting by unsigned keys: every dtype's order (NaN last, -0 equal to 0) is that of integers, so one sort serves them all.
#pragma once

#include <algorithm>
#include <cstring>
#include <numeric>

#include "indexing.h"

namespace rl {

template <int bytes>
struct Unsigned;
template <>
struct Unsigned<1> {
  using type = uint8_t;
};
template <>
struct Unsigned<2> {
  using type = uint16_t;
};
template <>
struct Unsigned<4> {
  using type = uint32_t;
};
template <>
struct Unsigned<8> {
  using type = uint64_t;
};

template <class T>
constexpr bool has_nan = !std::is_integral_v<T>;

// The key of every NaN; no number has it.
template <class K>
constexpr K nan_key = K(~K(0));

template <class T>
typename Unsigned<sizeof(T)>::type to_key(T value) {
  using K = typename Unsigned<sizeof(T)>::type;
  constexpr K sign = K(K(1) << (8 * sizeof(T) - 1));
  if constexpr (std::is_same_v<T, bool>) {
    return K(value);
  } else if constexpr (std::is_integral_v<T>) {
    return std::is_signed_v<T> ? K(K(value) ^ sign) : K(value);
  } else {
    if (value != value) return nan_key<K>;
    K bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (K(bits << 1) == 0) bits = 0;
    return K(bits & sign ? ~bits : bits | sign);
  }
}

template <class K>
struct Item {
  // Wide enough for any line of keys that fits into memory, and no wider than the key needs for alignment.
  using Index = std::conditional_t<sizeof(K) == 8, int64_t, uint32_t>;
  K key;
  Index index;
};

template <class K>
bool by_key(const Item<K>& a, const Item<K>& b) {
  return a.key < b.key;
}

// Sorts items by key, equal ones in the order they have: by the digits of a byte, lowest first, where that pays.
template <class K>
void stable_sort_items(std::vector<Item<K>>& items, std::vector<Item<K>>& scratch) {
  const size_t count = items.size();
  if (count < 256) {
    std::stable_sort(items.begin(), items.end(), by_key<K>);
    return;
  }
  std::vector<std::array<uint32_t, 256>> histograms(sizeof(K));
  for (auto& histogram : histograms) histogram.fill(0);
  for (const Item<K>& item : items)
    for (size_t digit = 0; digit < sizeof(K); ++digit) ++histograms[digit][uint8_t(item.key >> (8 * digit))];
  scratch.resize(count);
  for (size_t digit = 0; digit < sizeof(K); ++digit) {
    std::array<uint32_t, 256>& histogram = histograms[digit];
    if (histogram[uint8_t(items[0].key >> (8 * digit))] == count) continue;
    uint32_t start = 0;
    for (uint32_t& entry : histogram) start += std::exchange(entry, start);
    for (const Item<K>& item : items) scratch[histogram[uint8_t(item.key >> (8 * digit))]++] = item;
    items.swap(scratch);
  }
}

inline void check_line_length(int64_t length) {
  if (length > int64_t(UINT32_MAX)) throw std::runtime_error("sorting more than 4294967295 elements is not supported");
}

// The items of a line; `inverted` reverses the order of the keys.
template <class T>
void read_line(std::vector<Item<typename Unsigned<sizeof(T)>::type>>& items, const T* x, int64_t stride, int64_t length,
               bool inverted) {
  using K = typename Unsigned<sizeof(T)>::type;
  const K flip = inverted ? K(~K(0)) : K(0);
  items.resize(length);
  for (int64_t i = 0; i < length; ++i) {
    items[i].key = K(to_key(x[i * stride]) ^ flip);
    items[i].index = typename Item<K>::Index(i);
  }
}

}  // namespace rl
