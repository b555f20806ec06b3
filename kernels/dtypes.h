// The one table of dtypes. A dtype is a row here: the kernels, the core and, through it, Python read what they know of it from
// this file.
#pragma once

#include <array>
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

// In the order of promotion.
enum class Category : int8_t { boolean, integer, floating, complex };

// The columns:
//   tag, C++ type, category
//   name, short name (of methods and of torch.half and its kin), title (of error texts and of FloatTensor and its kin)
//   names in C++, as errors about types and about numbers have them
//   typestr of NumPy's arrays ("": none), type code of DLPack's
//   dtype of the real part, of the complex numbers that have such parts
//   digits of the significand in bits (whole numbers up to 2^digits are exact); of floating types also the gap after 1, the least
//   normal number and the largest one
// Where no rule of dtype.pxi says otherwise, the later of two rows is what they promote to.
// clang-format off
#define RL_DTYPES(row) \
  row(boolean, bool, boolean, "bool", "bool", "Bool", "bool", "bool", "|b1", 6, boolean, c64, 1, 0, 0, 0) \
  row(u8, uint8_t, integer, "uint8", "byte", "Byte", "unsigned char", "uint8_t", "|u1", 1, u8, c64, 8, 0, 0, 0) \
  row(i8, int8_t, integer, "int8", "char", "Char", "signed char", "int8_t", "|i1", 0, i8, c64, 7, 0, 0, 0) \
  row(i16, int16_t, integer, "int16", "short", "Short", "short int", "int16_t", "<i2", 0, i16, c64, 15, 0, 0, 0) \
  row(i32, int32_t, integer, "int32", "int", "Int", "int", "int", "<i4", 0, i32, c64, 31, 0, 0, 0) \
  row(i64, int64_t, integer, "int64", "long", "Long", "long int", "int64_t", "<i8", 0, i64, c64, 63, 0, 0, 0) \
  row(f16, float16, floating, "float16", "half", "Half", "c10::Half", "c10::Half", "<f2", 2, f16, c64, 11, 0x1p-10, 0x1p-14, 65504) \
  row(bf16, bfloat16, floating, "bfloat16", "bfloat16", "BFloat16", "c10::BFloat16", "c10::BFloat16", "", 4, bf16, c64, \
      8, 0x1p-7, 0x1p-126, 0x1.fep127) \
  row(f32, float, floating, "float32", "float", "Float", "float", "float", "<f4", 2, f32, c64, 24, 0x1p-23, 0x1p-126, 0x1.fffffep127) \
  row(f64, double, floating, "float64", "double", "Double", "double", "double", "<f8", 2, f64, c128, \
      53, 0x1p-52, 0x1p-1022, 0x1.fffffffffffffp1023) \
  row(c64, std::complex<float>, complex, "complex64", "cfloat", "ComplexFloat", "c10::complex<float>", "c10::complex<float>", "<c8", 5, \
      f32, c64, 24, 0x1p-23, 0x1p-126, 0x1.fffffep127) \
  row(c128, std::complex<double>, complex, "complex128", "cdouble", "ComplexDouble", "c10::complex<double>", "c10::complex<double>", "<c16", 5, \
      f64, c128, 53, 0x1p-52, 0x1p-1022, 0x1.fffffffffffffp1023)
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

constexpr int64_t item_size(DType dtype) { return item_bytes[int(dtype)]; }

}  // namespace rl
