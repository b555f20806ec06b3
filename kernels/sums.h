// The loops of sums in PyTorch's order (cascade.h), and sum() with them.
#pragma once

#include "cascade.h"
#include "lanes.h"
#include "reduce.h"

namespace rl::RL_ISA {
namespace {

// Rows [first, first + count * rows) in blocks: each block adds up to `chains` sums from zero, which go to `to` one after the
// other. load(row, k) is what row has for sum k. Blocks are taken `together`, as an addition takes longer than the next may wait.
template <int chains, int together, class V, class Load>
inline __attribute__((always_inline)) void add_blocks_together(V* to, int64_t first, int64_t count, int64_t rows,
                                                               const Load& load) {
  for (; count >= together; count -= together, first += together * rows) {
    V sums[together][chains] = {};
    for (int64_t r = first; r < first + rows; ++r)
#pragma GCC unroll 4
      for (int b = 0; b < together; ++b)
#pragma GCC unroll 8
        for (int k = 0; k < chains; ++k) sums[b][k] += load(r + b * rows, k);
    for (int b = 0; b < together; ++b)
      for (int k = 0; k < chains; ++k) to[k] += sums[b][k];
  }
  if constexpr (together > 1) add_blocks_together<chains, 1>(to, first, count, rows, load);
}

// Narrow rows are one sum a block: four blocks together.
template <int chains>
constexpr int blocks_together = chains == 1 ? 4 : 1;

template <int chains, class Load>
inline __attribute__((always_inline)) auto blocks_of(const Load& load) {
  return [load]<class V>(V* to, int64_t first, int64_t count, int64_t rows) __attribute__((always_inline)) {
    add_blocks_together<chains, blocks_together<chains>>(to, first, count, rows, load);
  };
}

inline int64_t count_parts(int64_t rows) { return rows >> 2 * log_of_step(rows); }

// Parts [first, last) of a cascade of `rows` rows: add_blocks(to, first, count, rows) adds to `count` sums.
template <int most, class V, class Blocks>
inline void make_parts(V* parts, int count, int64_t rows, int64_t first, int64_t last, const Blocks& add_blocks) {
  const int power = log_of_step(rows);
  for (int64_t part = first; part < last; ++part, parts += count) {
    V sums[most] = {};
    add_blocks(sums, part << 2 * power, int64_t(1) << power, int64_t(1) << power);
    for (int k = 0; k < count; ++k) parts[k] = sums[k];
  }
}

// Adds to `sums` those of the first rows, as far as there are whole parts.
template <int most, class V, class Blocks>
[[gnu::noinline]] void add_parts(V* sums, int count, int64_t rows, const Blocks& add_blocks, const V* parts) {
  const int power = log_of_step(rows);
  const int64_t part_count = count_parts(rows), step = int64_t(1) << power;
  V low[most], high[most], made[most];
  for (int k = 0; k < count; ++k) low[k] = high[k] = V{};
  for (int64_t part = 0; part < part_count;) {
    const V* from = made;
    if (parts)
      from = parts + part * count;
    else
      make_parts<most>(made, count, rows, part, part + 1, add_blocks);
    const bool carry = (++part & (step - 1)) == 0;
    for (int k = 0; k < count; ++k) {
      low[k] += from[k];
      if (carry) {
        high[k] += low[k];
        low[k] = V{};
      }
    }
  }
  for (int k = 0; k < count; ++k) sums[k] = sums[k] + low[k] + high[k];
}

// `sums` becomes those of all rows.
template <int most, class V, class Blocks>
inline __attribute__((always_inline)) void cascade(V* sums, int count, int64_t rows, const Blocks& add_blocks,
                                                   const V* parts = nullptr) {
  for (int k = 0; k < count; ++k) sums[k] = V{};
  if (rows < 16) return add_blocks(sums, 0, 1, rows);
  const int power = log_of_step(rows);
  const int64_t done = count_parts(rows) << 2 * power, blocks = (rows - done) >> power, whole = done + (blocks << power);
  V level[most];
  for (int k = 0; k < count; ++k) level[k] = V{};
  add_blocks(level, done, blocks, int64_t(1) << power);
  if (whole < rows) add_blocks(sums, whole, 1, rows - whole);
  for (int k = 0; k < count; ++k) sums[k] += level[k];
  if (done) add_parts<most>(sums, count, rows, add_blocks, parts);
}

// How sums of numbers of type R are taken, a NaN as zero if it is to be skipped: what does not ask whether two numbers are a
// pair.
template <class R, bool skips_nan>
struct Adding {
  using S = Compute<R>;
  using Lanes = typename VectorOf<S, 32>::type;
  static constexpr int width = 32 / int(sizeof(S));
  static constexpr int most_vectors = 32;  // that are summed together

  template <class V>
  static V counted(V x) {
    if constexpr (skips_nan) return x == x ? x : V{};
    return x;
  }
  static S one(const R* p) { return counted(convert<S>(*p)); }
  static Lanes vector(const R* p) {
    if constexpr (std::is_same_v<R, S>) {
      return counted(Lanes(*reinterpret_cast<const typename VectorOf<S, 32>::unaligned*>(p)));
    } else if constexpr (std::is_same_v<R, bfloat16>) {
      using U = typename VectorOf<uint16_t, 16>::unaligned;
      using Wide = typename VectorOf<uint32_t, 32>::type;
      return counted((Lanes)(__builtin_convertvector(*reinterpret_cast<const U*>(p), Wide) << 16));
    } else {
#if defined(__AVX2__)
      return counted((Lanes)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
      Lanes v;
      for (int k = 0; k < width; ++k) v[k] = S(float(p[k]));
      return counted(v);
#endif
    }
  }
  // `lanes` numbers from p on, and anything in the rest of the vector where that lies before `end`, of which it may be zeros.
  static Lanes vector_before(const R* p, const R* end, int lanes) {
    if (p + width <= end) return vector(p);
    Lanes v{};
    for (int k = 0; k < lanes; ++k) v[k] = one(p + k);
    return v;
  }
  // Four sums into one, of which `rest` elements more were to be added to the first.
  template <class V, class Load>
  static V interleaved(V* sums, int64_t rest, const Load& load) {
    for (int64_t i = 0; i < rest; ++i) sums[0] += load(i);
    return ((sums[0] + sums[1]) + sums[2]) + sums[3];
  }

  // ---- columns: neighbouring outputs side by side ----

  static constexpr int wide = 4 * width;
  // Many columns are taken in vectors as the processor has them.
  using Wide = std::conditional_t<(vector_bytes > 32), Vector<S>, Lanes>;
  static constexpr int wide_width = int(sizeof(Wide) / sizeof(S));
  static Wide wide_vector(const R* p) {
    if constexpr (std::is_same_v<Wide, Lanes>)
      return vector(p);
    else
      return counted(load<S>(p));
  }

  static auto wide_blocks(const R* p, int64_t stride, int vectors) {
    return [=](Wide* to, int64_t first, int64_t count, int64_t rows) {
      constexpr int chains = vector_bytes == 16 ? 4 : 8;
      for (; count > 0; --count, first += rows) {
        int v = 0;
        const R* q = p + first * stride;
        const auto load = [&](int64_t r, int k) { return wide_vector(q + r * stride + k * wide_width); };
        for (; v + chains <= vectors; v += chains, q += chains * wide_width)
          add_blocks_together<chains, 1>(to + v, 0, 1, rows, load);
        for (; v + 4 <= vectors; v += 4, q += 4 * wide_width) add_blocks_together<4, 1>(to + v, 0, 1, rows, load);
        for (; v < vectors; v += 2, q += 2 * wide_width) add_blocks_together<2, 1>(to + v, 0, 1, rows, load);
      }
    };
  }
  static auto group_blocks(const R* p, int64_t stride) {
    return blocks_of<4>([=](int64_t r, int k) { return vector(p + r * stride + k * width); });
  }
  // Of one vector, of which perhaps only some columns are there.
  template <bool whole>
  static auto column_blocks(const R* p, int64_t stride, const R* end, int columns) {
    return blocks_of<1>(
        [=](int64_t r, int) { return whole ? vector(p + r * stride) : vector_before(p + r * stride, end, columns); });
  }
  template <bool whole>
  static auto interleaved_blocks(const R* p, int64_t stride, const R* end, int columns) {
    return blocks_of<4>([=](int64_t r, int k) {
      const R* q = p + (4 * r + k) * stride;
      return whole ? vector(q) : vector_before(q, end, columns);
    });
  }
  template <bool whole>
  static Lanes one_column(const R* p, int64_t n, int64_t stride, const R* end, int columns, bool single, const Lanes* given) {
    Lanes sums[4];
    if (single) {
      cascade<1>(sums, 1, n, column_blocks<whole>(p, stride, end, columns), given);
      return sums[0];
    }
    cascade<4>(sums, 4, n / 4, interleaved_blocks<whole>(p, stride, end, columns), given);
    return interleaved(sums, n % 4, [&](int64_t i) { return vector_before(p + (n / 4 * 4 + i) * stride, end, columns); });
  }

  static void columns(const R* p, int64_t n, int64_t stride, int count, bool single, const Lanes* given, char* sums) {
    const R* end = p + (n - 1) * stride + count;
    S* to = reinterpret_cast<S*>(sums);
    int at = 0;
    while (single && count - at >= wide) {
      const int rest = (count - at) / wide * wide, here = rest < most_vectors * width ? rest : most_vectors * width;
      if (here == wide) {
        Lanes v[4];
        cascade<4>(v, 4, n, group_blocks(p + at, stride), given);
        __builtin_memcpy(to + at, v, sizeof v);
      } else {
        constexpr int most = most_vectors * width / wide_width;
        Wide v[most];
        cascade<most>(v, here / wide_width, n, wide_blocks(p + at, stride, here / wide_width));
        __builtin_memcpy(to + at, v, size_t(here) * sizeof(S));
      }
      at += here;
    }
    for (; at < count; at += width) {
      // The last columns with others before them, where there are such.
      if (at + width > count && count >= width) at = count - width;
      if (count >= width) {
        const Lanes v = one_column<true>(p + at, n, stride, end, width, single, given);
        __builtin_memcpy(to + at, &v, sizeof v);
      } else {
        const Lanes v = one_column<false>(p, n, stride, end, count, single, given);
        for (int k = 0; k < count; ++k) to[k] = v[k];
      }
    }
  }

  // ---- outputs that lie apart ----

  // Of one output, four elements at a time; or of four outputs, one element of each.
  static auto apart_blocks(const R* p, int64_t stride, int64_t step, int lanes) {
    const int64_t second = step * (lanes > 1), third = step * (lanes > 2 ? 2 : lanes - 1), last = step * (lanes - 1);
    return blocks_of<4>([=](int64_t r, int k) {
      return one(p + r * stride + (k == 0 ? 0 : k == 1 ? second : k == 2 ? third : last));
    });
  }
  static S apart(const R* p, int64_t n, int64_t stride, const S* given) {
    S sums[4];
    cascade<4>(sums, 4, n / 4, apart_blocks(p, 4 * stride, stride, 4), given);
    return interleaved(sums, n % 4, [&](int64_t i) { return one(p + (n / 4 * 4 + i) * stride); });
  }
  // Few elements of each output: x0 + x4 + x5 + x6, then x1, x2 and x3.
  template <int n>
  static void few_apart(const R* p, int64_t stride, int lanes, int64_t step, S* to) {
    for (int k = 0; k < lanes; ++k, p += step) {
      S sum = S(0) + one(p);
#pragma GCC unroll 8
      for (int i = 4; i < n; ++i) sum += one(p + i * stride);
#pragma GCC unroll 8
      for (int i = 1; i < (n < 4 ? n : 4); ++i) sum += one(p + i * stride);
      to[k] = sum;
    }
  }
  template <int n = 1>
  static void all_apart(const R* p, int64_t size, int64_t stride, int lanes, int64_t step, S* to, const S* given) {
    if constexpr (n < 8) {
      if (size == n) return few_apart<n>(p, stride, lanes, step, to);
      return all_apart<n + 1>(p, size, stride, lanes, step, to, given);
    } else {
      for (int k = 0; k < lanes; ++k) to[k] = apart(p + k * step, size, stride, given);
    }
  }
};

// Sums of elements of type T: complex numbers are pairs; halves, in rows, are taken two vectors at a time, if `folds`.
template <class T, bool skips_nan, bool folds>
struct Summing : Adding<Real<T>, skips_nan> {
  using R = Real<T>;
  using Base = Adding<R, skips_nan>;
  using Base::one, Base::vector, Base::interleaved, Base::columns, Base::group_blocks, Base::column_blocks,
      Base::interleaved_blocks;
  using Base::width, Base::wide, Base::apart_blocks, Base::all_apart;
  using typename Base::Lanes, typename Base::S;
  static constexpr int parts = is_complex<T> ? 2 : 1, across = folds ? 2 * width : width;

  // A vector of a row.
  static Lanes piece(const R* p) {
    if constexpr (folds) return vector(p) + vector(p + width);
    return vector(p);
  }
  // ---- rows: n numbers side by side ----

  static auto row_blocks(const R* p) {
    return blocks_of<4>([p](int64_t r, int k) { return piece(p + (4 * r + k) * across); });
  }
  // The sums of the vectors of a row.
  static inline __attribute__((always_inline)) Lanes row(const R* p, int64_t vectors, const Lanes* parts_of_row) {
    const int64_t rows = vectors / 4;
    const auto load = [&](int64_t i) { return piece(p + (4 * rows + i) * across); };
    Lanes sums[4];
    if (rows == 0) {
      // (Nothing is added to zero here: whoever adds up the lanes begins with it.)
      Lanes sum = load(0);
      if (vectors > 1) sum += load(1);
      if (vectors > 2) sum += load(2);
      return sum;
    }
    cascade<4>(sums, 4, rows, row_blocks(p), parts_of_row);
    return interleaved(sums, vectors - 4 * rows, load);
  }
  // The sum of a row: what is left over behind its vectors, then lane by lane.
  static void one_row(const R* p, int64_t n, const Lanes* parts_of_row, S* sum) {
    const int64_t vectors = n / across;
    S rest[parts] = {};
    for (int64_t i = vectors * across; i < n; ++i) rest[i % parts] += one(p + i);
    const Lanes v = row(p, vectors, parts_of_row);
    for (int k = 0; k < width; ++k) rest[k % parts] += v[k];
    for (int k = 0; k < parts; ++k) sum[k] = rest[k];
  }
  // As many rows as a vector has lanes: the lanes of their sums are added up side by side.
  static void turned_rows(const R* p, int64_t n, int64_t stride, S* sums) {
    const int64_t vectors = n / across;
    Lanes v[width];
    S rest[width] = {};
    for (int64_t i = vectors * across; i < n; ++i)
#pragma GCC unroll 8
      for (int k = 0; k < width; ++k) rest[k] += one(p + k * stride + i);
    for (int k = 0; k < width; ++k) v[k] = row(p + k * stride, vectors, nullptr);
    turn(v);
    Lanes total;
    if constexpr (width == 8)
      total = Lanes{rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7]};
    else
      total = Lanes{rest[0], rest[1], rest[2], rest[3]};
    for (int k = 0; k < width; ++k) total += v[k];
    __builtin_memcpy(sums, &total, sizeof total);
  }
  // Of one vector each.
  static void short_rows(const R* p, int64_t n, int64_t stride, int lanes, S* sums) {
    for (int k = 0; k < lanes; ++k, p += stride) {
      S sum = 0;
      for (int64_t i = width; i < n; ++i) sum += one(p + i);
#pragma GCC unroll 8
      for (int i = 0; i < width; ++i) sum += one(p + i);
      sums[k] = sum;
    }
  }
  static void turn(Lanes* v) {
    if constexpr (width == 8) {
      Lanes a[8], b[8];
      for (int k = 0; k < 8; k += 2) {
        a[k] = __builtin_shufflevector(v[k], v[k + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        a[k + 1] = __builtin_shufflevector(v[k], v[k + 1], 2, 10, 3, 11, 6, 14, 7, 15);
      }
      for (int k = 0; k < 8; k += 4)
        for (int j = 0; j < 2; ++j) {
          b[k + 2 * j] = __builtin_shufflevector(a[k + j], a[k + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
          b[k + 2 * j + 1] = __builtin_shufflevector(a[k + j], a[k + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
      for (int k = 0; k < 4; ++k) {
        v[k] = __builtin_shufflevector(b[k], b[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        v[k + 4] = __builtin_shufflevector(b[k], b[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
      }
    } else {
      const Lanes a = __builtin_shufflevector(v[0], v[1], 0, 4, 2, 6), b = __builtin_shufflevector(v[0], v[1], 1, 5, 3, 7);
      const Lanes c = __builtin_shufflevector(v[2], v[3], 0, 4, 2, 6), d = __builtin_shufflevector(v[2], v[3], 1, 5, 3, 7);
      v[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
      v[1] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
      v[2] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
      v[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
    }
  }

  // ---- what the driver calls ----

  static void run(const SumRun& run, const char* data, const char* given, char* sums) {
    const R* p = reinterpret_cast<const R*>(data);
    const int64_t stride = run.stride * parts, step = run.lane_stride * parts;
    S* to = reinterpret_cast<S*>(sums);
    const Lanes* vectors = reinterpret_cast<const Lanes*>(given);
    const bool single = run.form == SumForm::single;
    int k = 0;
    if (run.form == SumForm::row) {
      if constexpr (parts == 1) {
        if (!folds && run.size < 2 * width) return short_rows(p, run.size, step, run.lanes, to);
        for (; k + width <= run.lanes; k += width) turned_rows(p + k * step, run.size, step, to + k);
      }
      for (; k < run.lanes; ++k) one_row(p + k * step, run.size * parts, vectors, to + k * parts);
    } else if (run.lane_stride == 1) {
      columns(p, run.size, stride, run.lanes * parts, single, vectors, sums);
    } else if constexpr (parts == 2) {
      for (; k < run.lanes; ++k) columns(p + k * step, run.size, stride, 2, single, vectors, sums + k * 2 * sizeof(S));
    } else if (single) {
      for (; k < run.lanes; k += 4) {
        const int lanes = run.lanes - k < 4 ? run.lanes - k : 4;
        S four[4];
        cascade<4>(four, 4, run.size, apart_blocks(p + k * step, stride, step, lanes), reinterpret_cast<const S*>(given));
        for (int j = 0; j < lanes; ++j) to[k + j] = four[j];
      }
    } else {
      all_apart(p, run.size, stride, run.lanes, step, to, reinterpret_cast<const S*>(given));
    }
  }

  // f(how many sums, their type, the rows of the cascade, its blocks), if the run is one cascade.
  template <class F>
  static void as_cascade(const SumRun& run, const R* p, const F& f) {
    const int64_t stride = run.stride * parts, step = run.lane_stride * parts;
    const bool single = run.form == SumForm::single;
    const int count = run.lanes * parts;
    const R* end = p + (run.size - 1) * stride + count;
    if (run.form == SumForm::row) {
      if (run.lanes == 1) f(4, Type<Lanes>{}, run.size * parts / across / 4, row_blocks(p));
    } else if (run.lane_stride == 1 || (parts == 2 && run.lanes == 1)) {
      if (single && count == wide)
        f(4, Type<Lanes>{}, run.size, group_blocks(p, stride));
      else if (single && count <= width)
        f(1, Type<Lanes>{}, run.size, Base::template column_blocks<false>(p, stride, end, count));
      else if (!single && count <= width)
        f(4, Type<Lanes>{}, run.size / 4, Base::template interleaved_blocks<false>(p, stride, end, count));
    } else if (parts == 1 && single && run.lanes <= 4) {
      f(4, Type<S>{}, run.size, apart_blocks(p, stride, step, run.lanes));
    } else if (parts == 1 && !single && run.lanes == 1) {
      f(4, Type<S>{}, run.size / 4, apart_blocks(p, 4 * stride, stride, 4));
    }
  }
  static int64_t count_parts(const SumRun& run, const char* data, int64_t* bytes) {
    int64_t found = 0;
    as_cascade(run, reinterpret_cast<const R*>(data), [&]<class V>(int count, Type<V>, int64_t rows, const auto&) {
      *bytes = count * int64_t(sizeof(V));
      found = RL_ISA::count_parts(rows);
    });
    return found;
  }
  static void make_parts(const SumRun& run, const char* data, int64_t first, int64_t last, char* made) {
    as_cascade(run, reinterpret_cast<const R*>(data), [&]<class V>(int count, Type<V>, int64_t rows, const auto& add_blocks) {
      RL_ISA::make_parts<4>(reinterpret_cast<V*>(made), count, rows, first, last, add_blocks);
    });
  }

  // (nansum of halves rounds all that it adds up, and each sum of that.)
  static void add(char* total, const char* sums, int lanes) {
    S* a = reinterpret_cast<S*>(total);
    const S* b = reinterpret_cast<const S*>(sums);
    for (int k = 0; k < lanes * parts; ++k) {
      if constexpr (folds)
        a[k] = S(R(S(R(a[k])) + S(R(b[k]))));
      else
        a[k] += b[k];
    }
  }
  static void finish(const Array& out, int64_t offset, int64_t stride, const char* sums, int lanes, double divisor) {
    using State = std::conditional_t<is_complex<T>, Complex<S>, S>;
    const State* from = reinterpret_cast<const State*>(sums);
    T* to = out.as<T>() + offset;
    const State by{S(divisor)};
    if (divisor == 1)
      for (int k = 0; k < lanes; ++k) to[k * stride] = convert<T>(from[k]);
    else
      for (int k = 0; k < lanes; ++k) to[k * stride] = convert<T>(from[k] / by);
  }

  static constexpr SumLoops loops{sizeof(T), sizeof(S) * parts, across / parts, wide / parts, run, count_parts, make_parts, add,
                                  finish};
};

// sum, mean and nansum of floating and complex numbers. Means of halves, and sums over several dimensions, are those of float32:
// of a copy, which has no gaps.
template <class T, bool skips_nan>
void sum_floats(const Array& out, const Array& in, double divisor, bool is_mean) {
  using Plain = Summing<T, skips_nan, false>;
  using Folding = Summing<T, skips_nan, is_half<T>>;
  const bool as_float = is_half<T> && !skips_nan && (is_mean || sums_several(out, in));
  const SumLoops& loops = as_float ? Plain::loops : Folding::loops;
  // One number of what lies side by side needs no plan.
  bool whole = true;
  int64_t n = 1;
  for (int d = in.ndim - 1; d >= 0; --d) {
    whole = whole && out.shape[d] == 1 && (in.shape[d] == 1 || in.strides[d] == n);
    n *= in.shape[d];
  }
  if (whole && n <= work_grain && n > 0) {
    using R = Real<T>;
    constexpr int parts = Plain::parts;
    typename Plain::S sum[parts];
    const R* p = in.as<R>();
    if constexpr (parts == 2)
      loops.run({n < loops.vector ? SumForm::interleaved : SumForm::row, 1, 0, n, 1}, in.data, nullptr,
                reinterpret_cast<char*>(sum));
    else if (n < loops.vector)
      Plain::all_apart(p, n, 1, 1, 0, sum, nullptr);
    else if (is_half<T> && !as_float)
      Folding::one_row(p, n * parts, nullptr, sum);
    else
      Plain::one_row(p, n * parts, nullptr, sum);
    if constexpr (parts == 1)
      *out.as<T>() = convert<T>(divisor == 1 ? *sum : *sum / typename Plain::S(divisor));
    else
      Plain::finish(out, 0, 0, reinterpret_cast<const char*>(sum), 1, divisor);
    return;
  }
  if (!as_float || fills_memory(in)) return run_sum(loops, out, in, divisor);
  if constexpr (is_half<T>) {
    const Scratch<float> copy(in.numel());
    int64_t strides[max_dims], count = 1;
    for (int d = in.ndim - 1; d >= 0; --d) {
      strides[d] = count;
      count *= in.shape[d];
    }
    const Array wide[2] = {{reinterpret_cast<char*>(copy.get()), DType::f32, in.ndim, in.shape, strides}, in};
    find_kernel("copy")(wide, 2, nullptr);
    SumLoops of_floats = Summing<float, false, false>::loops;
    of_floats.finish = Plain::finish;
    run_sum(of_floats, out, wide[0], divisor);
  }
}

}  // namespace
}  // namespace rl::RL_ISA
