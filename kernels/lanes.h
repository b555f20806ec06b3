// Vectors of the width of the instruction set at hand, as the compiler's own vector types: operators, comparisons and
// `mask ? a : b` work on them as they do on scalars, so one template serves both.
#pragma once

#include <cstdlib>
#include <limits>
#include <new>

#include "reduction.h"
#include "simd.h"
#include "threads.h"
#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace rl::RL_ISA {
namespace {

#if defined(__AVX512F__) && defined(__AVX512BW__)
constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif

template <class T, int bytes = vector_bytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(bytes)));
  typedef T unaligned __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));
};
template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
constexpr int lanes_of = vector_bytes / int(sizeof(T));

// How elements are read from memory (bool as its byte), and what they are computed in.
template <class T>
struct Storage {
  using type = T;
};
template <>
struct Storage<bool> {
  using type = uint8_t;
};
template <class R>
struct Storage<std::complex<R>> {
  using type = Complex<R>;
};
template <class T>
using Compute = std::conditional_t<is_half<T>, float, T>;

template <class T>
constexpr DType dtype_of = DType::boolean;
#define RL_DTYPE(tag, T, ...) \
  template <>                 \
  constexpr DType dtype_of<typename Lane<T>::type> = DType::tag;
RL_DTYPES(RL_DTYPE)
#undef RL_DTYPE

// vector lanes_of<S> elements of type T, converted to S.
template <class S, class T>
inline __attribute__((always_inline)) Vector<S> load(const T* p) {
  constexpr int n = lanes_of<S>;
  if constexpr (std::is_same_v<S, T>) {
    return *reinterpret_cast<const typename VectorOf<T>::unaligned*>(p);
  } else if constexpr (std::is_same_v<T, bfloat16>) {
    static_assert(std::is_same_v<S, float>);
    using U = typename VectorOf<uint16_t, n * 2>::unaligned;
    return (Vector<float>)(__builtin_convertvector(*reinterpret_cast<const U*>(p), Vector<uint32_t>) << 16);
#if defined(__AVX2__)
  } else if constexpr (std::is_same_v<T, float16> && std::is_same_v<S, float>) {
#if defined(__AVX512F__)
    // (A vector put together in memory from two of half its length would wait for both stores.)
    if constexpr (vector_bytes == 64)
      return (Vector<float>)_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    else
#endif
      return (Vector<float>)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#endif
  } else if constexpr (std::is_same_v<T, float16>) {
    Vector<S> v;
    for (int k = 0; k < n; ++k) v[k] = S(float(p[k]));
    return v;
  } else {
    using U = typename VectorOf<T, n* int(sizeof(T))>::unaligned;
    return __builtin_convertvector(*reinterpret_cast<const U*>(p), Vector<S>);
  }
}

template <class S>
inline __attribute__((always_inline)) void store(S* p, Vector<S> v) {
  *reinterpret_cast<typename VectorOf<S>::unaligned*>(p) = v;
}

// Conversion between any two element types; complex to real does not occur.
template <class To, class From>
inline __attribute__((always_inline)) To convert(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (is_complex<To>) {
    return To{decltype(To::re)(x.re), decltype(To::re)(x.im)};
  } else if constexpr (std::is_same_v<To, bfloat16> || std::is_same_v<From, bfloat16> || std::is_same_v<To, float16>) {
    return To(float(x));
  } else {
    return To(x);
  }
}

// The other way from load: lanes_of<S> elements, converted to T.
template <class S, class T>
inline __attribute__((always_inline)) void put(T* p, Vector<S> v) {
  if constexpr (std::is_same_v<S, T>) {
    store(p, v);
  } else {
    for (int k = 0; k < lanes_of<S>; ++k) p[k] = convert<T>(S(v[k]));
  }
}

// Uninitialised scratch memory, given back at the end of the scope.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t n) : data_(static_cast<T*>(std::malloc(size_t(n > 0 ? n : 1) * sizeof(T)))) {
    if (!data_) throw std::bad_alloc();
  }
  ~Scratch() { std::free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* get() const { return data_; }
  T& operator[](int64_t i) const { return data_[i]; }

 private:
  T* data_;
};

// parallel_for that does not make a std::function for small work.
template <class F>
void partition(int64_t total, int64_t grain, const F& body) {
  if (total <= 0) return;
  if (total <= grain) {
    body(int64_t(0), total);
  } else {
    parallel_for(total, grain, [&body](int64_t begin, int64_t end) { body(begin, end); });
  }
}

}  // namespace
}  // namespace rl::RL_ISA
