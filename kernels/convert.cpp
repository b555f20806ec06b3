#include "convert.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

#include "simd.h"

namespace rl::RL_ISA {
namespace {

template <class To, class From>
inline To cast(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (is_half<From>) {
    return cast<To>(float(x));
  } else if constexpr (is_complex<From>) {
    if constexpr (is_complex<To>)
      return {Real<To>(x.re), Real<To>(x.im)};
    else if constexpr (is_bool<To>)
      return x.re != 0 || x.im != 0;
    else
      return cast<To>(x.re);
  } else if constexpr (is_bool<To>) {
    return x != From(0);
  } else if constexpr (is_complex<To>) {
    return {Real<To>(x), 0};
  } else if constexpr (is_half<To>) {
    return To(float(x));
  } else if constexpr (is_float<From> && is_integer<To>) {
    // What does not fit is undefined in C++; through a wider type every instruction set gives the same bits.
    if constexpr (std::is_same_v<To, uint8_t>)
      return To(int64_t(x));
    else if constexpr (sizeof(To) < 4)
      return To(int32_t(x));
    else
      return To(x);
  } else {
    return To(x);
  }
}

template <class To, class From>
void convert(char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n) {
  // Bytes of any value count as booleans: they may come from outside.
  using Read = std::conditional_t<std::is_same_v<From, bool>, uint8_t, From>;
  const auto read = [](Read x) { return cast<To>(From(x)); };
  if (out_stride == sizeof(To) && in_stride == sizeof(From)) {
    To* o = reinterpret_cast<To*>(out);
    const Read* x = reinterpret_cast<const Read*>(in);
    int64_t i = 0;
#if defined(__F16C__)
    if constexpr (std::is_same_v<To, float> && std::is_same_v<From, float16>) {
      for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(o + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i))));
    } else if constexpr (std::is_same_v<To, float16> && std::is_same_v<From, float>) {
      for (; i + 8 <= n; i += 8)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(o + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
    }
#endif
#pragma GCC ivdep
    for (; i < n; ++i) o[i] = read(x[i]);
  } else if (out_stride == sizeof(To) && in_stride == 0) {
    const To value = read(*reinterpret_cast<const Read*>(in));
    To* o = reinterpret_cast<To*>(out);
    for (int64_t i = 0; i < n; ++i) o[i] = value;
  } else {
    for (int64_t i = 0; i < n; ++i)
      *reinterpret_cast<To*>(out + i * out_stride) = read(*reinterpret_cast<const Read*>(in + i * in_stride));
  }
}

template <int to, int... from>
void fill_row(std::integer_sequence<int, from...>) {
  ((convert_loops[to][from] = convert<typename TypeOf<to>::type, typename TypeOf<from>::type>), ...);
}

template <int... to>
void fill_table(std::integer_sequence<int, to...> dtypes) {
  (fill_row<to>(dtypes), ...);
}

}  // namespace

void register_convert() {
  fill_table(std::make_integer_sequence<int, early_dtypes>());
  for (int d = early_dtypes; d < dtype_count; ++d) {
    const int bits = int(bits_of(DType(d)));
    convert_loops[d][d] = convert_loops[bits][bits];
  }
}

}  // namespace rl::RL_ISA
