// The one table of dtypes. A dtype is a row here: the kernels, the core and, through it, Python read what they know of it from
// this file.
#pragma once

#include <array>
#include <bit>
#include <complex>
#include <cstdint>
#include <iterator>

namespace rl {

// IEEE half and bfloat16 as storage formats; arithmetic happens in float.
using float16 = _Float16;
struct bfloat16 {
  uint16_t bits;
  bfloat16() = default;
  bfloat16(float x) {
    uint32_t u;
    __builtin_memcpy(&u, &x, 4);
    // Round to nearest, ties to even; a NaN stays a (quiet) NaN.
    bits = (u & 0x7fffffffu) > 0x7f800000u ? uint16_t((u >> 16) | 0x40) : uint16_t((u + 0x7fffu + ((u >> 16) & 1)) >> 16);
  }
  operator float() const {
    uint32_t u = uint32_t(bits) << 16;
    float x;
    __builtin_memcpy(&x, &u, 4);
    return x;
  }
};

// Formats of 8 bits: a sign, an exponent, a fraction; `beyond` is what a number too large for it becomes. (What comes after
// numbers names a format's kin: "fn" is finite, with one NaN for each sign; "uz" has one zero and one NaN, where -0 would be.)
enum class Beyond { largest, infinity, nan };
template <int fraction, int bias, Beyond beyond>
struct Float8 {
  static constexpr int dropped = 23 - fraction;  // of a float's fraction
  static constexpr uint32_t most = beyond == Beyond::largest ? 0x7e : beyond == Beyond::infinity ? 0x7b : 0x7f;
  uint8_t bits;
  Float8() = default;
  Float8(float x) {
    const uint32_t whole = std::bit_cast<uint32_t>(x), u = whole & 0x7fffffffu, sign = whole >> 31 << 7;
    constexpr uint32_t least_normal = uint32_t(128 - bias) << 23;
    // Added to this number, the last place of the sum is the least subnormal number.
    constexpr uint32_t offset = uint32_t(128 - bias + dropped) << 23;
    // Rounded to nearest, ties to even.
    uint32_t r = u < least_normal
                     ? std::bit_cast<uint32_t>(std::bit_cast<float>(u) + std::bit_cast<float>(offset)) - offset
                     : ((u + (1u << (dropped - 1)) - 1 + ((u >> dropped) & 1)) >> dropped) - (uint32_t(127 - bias) << fraction);
    if (beyond == Beyond::nan) {
      bits = uint8_t(r > most ? 0x80 : r == 0 ? 0 : sign | r);
      return;
    }
    if (r > most) r = u > 0x7f800000u ? 0x7f : beyond == Beyond::infinity ? 0x7c : most;
    bits = uint8_t(sign | r);
  }
  operator float() const {
    const uint32_t u = bits & 0x7fu, sign = uint32_t(bits & 0x80u) << 24;
    if (beyond == Beyond::nan ? bits == 0x80 : u > most) {
      const bool infinite = beyond == Beyond::infinity && u == 0x7c;
      return std::bit_cast<float>(sign | (infinite ? 0x7f800000u : 0x7fc00000u));
    }
    constexpr float least = std::bit_cast<float>(uint32_t(128 - bias - fraction) << 23);
    const float x = u >> fraction == 0 ? float(u) * least : std::bit_cast<float>((u << dropped) + (uint32_t(127 - bias) << 23));
    return std::bit_cast<float>(std::bit_cast<uint32_t>(x) | sign);
  }
};
using float8_e4m3fn = Float8<3, 7, Beyond::largest>;
using float8_e5m2 = Float8<2, 15, Beyond::infinity>;
using float8_e4m3fnuz = Float8<3, 8, Beyond::nan>;
using float8_e5m2fnuz = Float8<2, 16, Beyond::nan>;
// An exponent and nothing else: powers of 2, and NaN. Signs are dropped, ties go up.
struct float8_e8m0fnu {
  uint8_t bits;
  float8_e8m0fnu() = default;
  float8_e8m0fnu(float x) {
    const uint32_t u = std::bit_cast<uint32_t>(x) & 0x7fffffffu, exponent = u >> 23;
    bits = uint8_t(exponent == 0 ? u > 0x400000u : exponent == 255 ? 255 : exponent + (u >> 22 & 1));
  }
  operator float() const {
    return std::bit_cast<float>(bits == 0 ? 0x400000u : bits == 255 ? 0x7fc00000u : uint32_t(bits) << 23);
  }
};
// Complex numbers of halves, as a storage format.
struct complex_half {
  float16 real, imag;
};

// In the order of promotion.
enum class Category : int8_t { boolean, integer, floating, complex };

// The columns:
//   tag, C++ type, category
//   name, short name (of methods and of torch.half and its kin), title (of error texts and of FloatTensor and its kin)
//   names in C++, as errors about types and about numbers have them
//   typestr of NumPy's arrays ("": none), type code of DLPack's
//   dtype of the real part, of the complex numbers that have such parts (itself: none)
//   whether classes are called after it: FloatTensor, FloatStorage
//   digits of the significand in bits (whole numbers up to 2^digits are exact); of floating types also the gap after 1, the least
//   normal number and the largest one
// Where no rule of dtype.pxi says otherwise, the later of two rows is what they promote to.
// clang-format off
#define RL_DTYPES(row) \
  row(boolean, bool, boolean, "bool", "bool", "Bool", "bool", "bool", "|b1", 6, boolean, boolean, true, 1, 0, 0, 0) \
  row(u8, uint8_t, integer, "uint8", "byte", "Byte", "unsigned char", "uint8_t", "|u1", 1, u8, u8, true, 8, 0, 0, 0) \
  row(i8, int8_t, integer, "int8", "char", "Char", "signed char", "int8_t", "|i1", 0, i8, i8, true, 7, 0, 0, 0) \
  row(i16, int16_t, integer, "int16", "short", "Short", "short int", "int16_t", "<i2", 0, i16, i16, true, 15, 0, 0, 0) \
  row(i32, int32_t, integer, "int32", "int", "Int", "int", "int", "<i4", 0, i32, i32, true, 31, 0, 0, 0) \
  row(i64, int64_t, integer, "int64", "long", "Long", "long int", "int64_t", "<i8", 0, i64, i64, true, 63, 0, 0, 0) \
  row(f16, float16, floating, "float16", "half", "Half", "c10::Half", "c10::Half", "<f2", 2, f16, c32, true, 11, 0x1p-10, 0x1p-14, 65504) \
  row(bf16, bfloat16, floating, "bfloat16", "bfloat16", "BFloat16", "c10::BFloat16", "c10::BFloat16", "", 4, bf16, c64, true, \
      8, 0x1p-7, 0x1p-126, 0x1.fep127) \
  row(f32, float, floating, "float32", "float", "Float", "float", "float", "<f4", 2, f32, c64, true, 24, 0x1p-23, 0x1p-126, 0x1.fffffep127) \
  row(f64, double, floating, "float64", "double", "Double", "double", "double", "<f8", 2, f64, c128, true, \
      53, 0x1p-52, 0x1p-1022, 0x1.fffffffffffffp1023) \
  row(c64, std::complex<float>, complex, "complex64", "cfloat", "ComplexFloat", "c10::complex<float>", "c10::complex<float>", "<c8", 5, \
      f32, c64, true, 24, 0x1p-23, 0x1p-126, 0x1.fffffep127) \
  row(c128, std::complex<double>, complex, "complex128", "cdouble", "ComplexDouble", "c10::complex<double>", "c10::complex<double>", "<c16", 5, \
      f64, c128, true, 53, 0x1p-52, 0x1p-1022, 0x1.fffffffffffffp1023) \
  row(u16, uint16_t, integer, "uint16", "", "UInt16", "short unsigned int", "uint16_t", "<u2", 1, u16, u16, false, 16, 0, 0, 0) \
  row(u32, uint32_t, integer, "uint32", "", "UInt32", "unsigned int", "uint32_t", "<u4", 1, u32, u32, false, 32, 0, 0, 0) \
  row(u64, uint64_t, integer, "uint64", "", "UInt64", "long unsigned int", "uint64_t", "<u8", 1, u64, u64, false, 64, 0, 0, 0) \
  row(c32, complex_half, complex, "complex32", "chalf", "ComplexHalf", "c10::complex<c10::Half>", "c10::complex<c10::Half>", "", 5, \
      f16, c32, false, 11, 0x1p-10, 0x1p-14, 65504) \
  row(f8_e4m3fn, float8_e4m3fn, floating, "float8_e4m3fn", "", "Float8_e4m3fn", "c10::Float8_e4m3fn", "c10::Float8_e4m3fn", "", 10, \
      f8_e4m3fn, f8_e4m3fn, false, 4, 0x1p-3, 0x1p-6, 448) \
  row(f8_e5m2, float8_e5m2, floating, "float8_e5m2", "", "Float8_e5m2", "c10::Float8_e5m2", "c10::Float8_e5m2", "", 12, \
      f8_e5m2, f8_e5m2, false, 3, 0x1p-2, 0x1p-14, 57344) \
  row(f8_e4m3fnuz, float8_e4m3fnuz, floating, "float8_e4m3fnuz", "", "Float8_e4m3fnuz", "c10::Float8_e4m3fnuz", "c10::Float8_e4m3fnuz", \
      "", 11, f8_e4m3fnuz, f8_e4m3fnuz, false, 4, 0x1p-3, 0x1p-7, 240) \
  row(f8_e5m2fnuz, float8_e5m2fnuz, floating, "float8_e5m2fnuz", "", "Float8_e5m2fnuz", "c10::Float8_e5m2fnuz", "c10::Float8_e5m2fnuz", \
      "", 13, f8_e5m2fnuz, f8_e5m2fnuz, false, 3, 0x1p-3, 0x1p-15, 57344) \
  row(f8_e8m0fnu, float8_e8m0fnu, floating, "float8_e8m0fnu", "", "Float8_e8m0fnu", "c10::Float8_e8m0fnu", "c10::Float8_e8m0fnu", "", 14, \
      f8_e8m0fnu, f8_e8m0fnu, false, 1, 1, 0x1p-127, 0x1p127)
// clang-format on

#define RL_TAG(tag, ...) tag,
enum class DType : int8_t { RL_DTYPES(RL_TAG) };
#undef RL_TAG

// What a row says.
struct DTypeFacts {
  int8_t bytes;
  Category category;
  const char *name, *short_name, *title, *type_name, *number_name, *typestr;
  int8_t dlpack_code;
  DType real, complex;
  bool has_classes;
  int8_t digits;
  double gap, least, largest;
};
#define RL_FACTS(tag, T, category, name, short_name, title, type_name, number_name, typestr, dlpack_code, real, complex, ...) \
  {sizeof(T), Category::category, name,        short_name,     title,      type_name, number_name,                            \
   typestr,   dlpack_code,        DType::real, DType::complex, __VA_ARGS__},
inline constexpr DTypeFacts dtype_facts[] = {RL_DTYPES(RL_FACTS)};
#undef RL_FACTS
constexpr int dtype_count = int(std::size(dtype_facts));

// The columns that are read on hot ways, as arrays of their own.
template <class T>
consteval std::array<int8_t, dtype_count> column(T DTypeFacts::* member) {
  std::array<int8_t, dtype_count> values{};
  for (int d = 0; d < dtype_count; ++d) values[d] = int8_t(dtype_facts[d].*member);
  return values;
}
inline constexpr auto item_bytes = column(&DTypeFacts::bytes), category = column(&DTypeFacts::category);
inline constexpr auto real_of = column(&DTypeFacts::real), complex_of = column(&DTypeFacts::complex);

// The dtypes after complex128 came late: they promote with few others, few kernels have code for them, and most of that is
// another dtype's.
constexpr int early_dtypes = int(DType::c128) + 1;
constexpr bool is_wide_unsigned(int dtype) { return dtype_facts[dtype].dlpack_code == 1 && item_bytes[dtype] > 1; }
constexpr bool is_complex_dtype(DType dtype) { return category[int(dtype)] == int8_t(Category::complex); }
constexpr bool is_float8(int dtype) { return category[dtype] == int8_t(Category::floating) && item_bytes[dtype] == 1; }

constexpr int64_t item_size(DType dtype) { return item_bytes[int(dtype)]; }

}  // namespace rl
