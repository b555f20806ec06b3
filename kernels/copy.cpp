// Copying between any two layouts and dtypes.
#include <algorithm>
#include <cstring>

#include "convert.h"
#include "layout.h"
#include "registry.h"
#include "threads.h"

namespace rl {

Convert convert_loops[dtype_count][dtype_count];

namespace {

template <class To, class From>
To convert_late(From x) {
  if constexpr (std::is_same_v<From, complex_half>)
    return {float(x.real), float(x.imag)};
  else if constexpr (std::is_same_v<To, complex_half>)
    return {float16(x.real()), float16(x.imag())};
  else if constexpr (std::is_same_v<To, uint64_t> && std::is_floating_point_v<From>)
    // Negative numbers wrap around.
    return x >= From(0x1p63) ? uint64_t(int64_t(x - From(0x1p63))) + (uint64_t(1) << 63) : uint64_t(int64_t(x));
  else
    return To(x);
}

template <class To, class From>
void convert_each(char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    *reinterpret_cast<To*>(out + i * out_stride) = convert_late<To>(*reinterpret_cast<const From*>(in + i * in_stride));
}

template <class A, class B>
void convert_both(DType a, DType b) {
  convert_loops[int(a)][int(b)] = convert_each<A, B>;
  convert_loops[int(b)][int(a)] = convert_each<B, A>;
}

const bool late_loops = [] {
  convert_both<uint16_t, int64_t>(DType::u16, DType::i64);
  convert_both<uint32_t, int64_t>(DType::u32, DType::i64);
  convert_both<uint64_t, int64_t>(DType::u64, DType::i64);
  convert_both<uint64_t, float>(DType::u64, DType::f32);
  convert_both<uint64_t, double>(DType::u64, DType::f64);
  convert_both<complex_half, std::complex<float>>(DType::c32, DType::c64);
  convert_both<float8_e4m3fn, float>(DType::f8_e4m3fn, DType::f32);
  convert_both<float8_e5m2, float>(DType::f8_e5m2, DType::f32);
  convert_both<float8_e4m3fnuz, float>(DType::f8_e4m3fnuz, DType::f32);
  convert_both<float8_e5m2fnuz, float>(DType::f8_e5m2fnuz, DType::f32);
  convert_both<float8_e8m0fnu, float>(DType::f8_e8m0fnu, DType::f32);
  return true;
}();

// A dtype by way of which a conversion rounds, wraps and drops as if it were done at once.
DType way_between(DType to, DType from) {
  if (to == DType::u64 || from == DType::u64) {
    const DType other = to == DType::u64 ? from : to;
    if (category[int(other)] < int8_t(Category::floating)) return DType::i64;
    return other == DType::c128 ? DType::f64 : DType::f32;
  }
  if (is_float8(int(to)) || is_float8(int(from))) return DType::f32;
  if (to == DType::c32 || from == DType::c32) return DType::c64;
  return to == DType::u16 && category[int(from)] >= int8_t(Category::floating) ? DType::i32 : DType::i64;
}

}  // namespace

void convert_by_way(DType to, DType from, char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n) {
  alignas(16) char buffer[2048];
  const DType way = way_between(to, from);
  const Conversion first = conversion(way, from), second = conversion(to, way);
  const int64_t item = item_size(way), block = int64_t(sizeof(buffer)) / item;
  for (int64_t i = 0; i < n; i += block) {
    const int64_t m = std::min(block, n - i);
    first(buffer, item, in + i * in_stride, in_stride, m);
    second(out + i * out_stride, out_stride, buffer, item, m);
  }
}

namespace {

// Both sides of a square tile stay in the first-level cache, whichever way it is walked.
constexpr int64_t tile = 32;

// out[i][j] = in[j][i] for T-sized items: the inner dimension of `out` is dense, that of `in` is not.
template <class T>
void transpose_tile(char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; ++i) {
    T* o = reinterpret_cast<T*>(out + i * out_stride);
    const char* x = in + i * sizeof(T);
    for (int64_t j = 0; j < columns; ++j) std::memcpy(o + j, x + j * in_stride, sizeof(T));
  }
}

struct Wide {
  int64_t a, b;
};

// True where the two inner dimensions are a transposition, which is then done tile by tile.
bool transpose(const Layout& l, const Array& out, const Array& in, int64_t item) {
  if (l.ndim < 2 || l.strides[0][0] != item || l.shape[0] < tile) return false;
  int across = 0;
  for (int d = 1; d < l.ndim; ++d)
    if (l.strides[1][d] == item && l.shape[d] >= tile) across = d;
  if (!across) return false;
  auto tile_copy = item == 1   ? transpose_tile<int8_t>
                   : item == 2 ? transpose_tile<int16_t>
                   : item == 4 ? transpose_tile<int32_t>
                   : item == 8 ? transpose_tile<int64_t>
                               : transpose_tile<Wide>;
  // Walks the outer dimensions, the strips of tiles being one of them.
  Layout outer = l;
  const int64_t strips = (l.shape[across] + tile - 1) / tile;
  outer.shape[across] = strips;
  for (int i = 0; i < 2; ++i) outer.strides[i][across] *= tile;
  for (int d = 1; d < l.ndim; ++d) {
    outer.shape[d - 1] = outer.shape[d];
    for (int i = 0; i < 2; ++i) outer.strides[i][d - 1] = outer.strides[i][d];
  }
  --outer.ndim;
  outer.numel = l.numel / l.shape[0] / l.shape[across] * strips;
  const int64_t columns = l.shape[0];
  const int64_t grain = std::max<int64_t>(1, pointwise_grain / (columns * tile));
  parallel_for(outer.numel, grain, [&](int64_t begin, int64_t end) {
    Cursor cursor(outer, begin);
    for (; begin < end; ++begin, cursor.advance(1)) {
      char* o = out.data + cursor.offset(0);
      const char* x = in.data + cursor.offset(1);
      const int64_t rows = std::min(tile, l.shape[across] - cursor.index[across - 1] * tile);
      for (int64_t j = 0; j < columns; j += tile)
        tile_copy(o + j * item, l.strides[0][across], x + j * l.strides[1][0], l.strides[1][0], rows,
                  std::min(tile, columns - j));
    }
  });
  return true;
}

void copy_rows(const Layout& l, const Array& out, const Array& in) {
  const Conversion convert = conversion(out.dtype, in.dtype);
  const int64_t item = item_size(out.dtype);
  const bool plain = out.dtype == in.dtype && l.strides[0][0] == item && l.strides[1][0] == item;
  // (Of dense rows a call of memmove each soon pays.)
  const bool brief = out.dtype == in.dtype && l.shape[0] < (plain ? 8 : brief_row);
  parallel_for(l.numel, pointwise_grain, [&](int64_t begin, int64_t end) {
    Cursor cursor(l, begin);
    for (int64_t n; begin < end; begin += n) {
      n = cursor.run(end - begin);
      char *o = out.data + cursor.offset(0), *x = in.data + cursor.offset(1);
      if (const int64_t rows = brief ? cursor.whole_rows(end - begin) : 0) {
        copy_plane(item, {o, l.strides[0][0], l.strides[0][1]}, {x, l.strides[1][0], l.strides[1][1]}, l.shape[0], rows);
        cursor.advance_rows(rows);
        n = rows * l.shape[0];
        continue;
      }
      if (plain)
        std::memmove(o, x, n * item);  // rows with gaps between them may share memory unseen
      else
        convert(o, l.strides[0][0], x, l.strides[1][0], n);
      cursor.advance(n);
    }
  });
}

// copy: arrays out, in; any two dtypes; `in` is broadcast to `out`.
void copy(const Array* arrays, int, const Number*) {
  const Array &out = arrays[0], &in = arrays[1];
  if (out.numel() == 0 || (out.data == in.data && out.dtype == in.dtype && out.ndim == in.ndim &&
                           std::equal(out.strides, out.strides + out.ndim, in.strides)))
    return;
  const Layout layout(arrays, 2);
  if (out.dtype != in.dtype || !transpose(layout, out, in, item_size(out.dtype))) copy_rows(layout, out, in);
}

// fill: arrays out, value (0-d, any dtype).
void fill(const Array* arrays, int, const Number*) {
  const Array& out = arrays[0];
  if (out.numel() == 0) return;
  alignas(16) char value[16];
  conversion(out.dtype, arrays[1].dtype)(value, 16, arrays[1].data, 0, 1);
  const Layout layout(&out, 1);
  const Conversion convert = conversion(out.dtype, out.dtype);
  parallel_for(layout.numel, pointwise_grain, [&](int64_t begin, int64_t end) {
    Cursor cursor(layout, begin);
    for (int64_t n; begin < end; begin += n) {
      if (const int64_t rows = layout.shape[0] < brief_row ? cursor.whole_rows(end - begin) : 0) {
        const Plane to{out.data + cursor.offset(0), layout.strides[0][0], layout.strides[0][1]};
        copy_plane(item_size(out.dtype), to, {value, 0, 0}, layout.shape[0], rows);
        cursor.advance_rows(rows);
        n = rows * layout.shape[0];
        continue;
      }
      n = cursor.run(end - begin);
      convert(out.data + cursor.offset(0), layout.strides[0][0], value, 0, n);
      cursor.advance(n);
    }
  });
}

const Register copy_("copy", copy), fill_("fill", fill);

}  // namespace
}  // namespace rl
