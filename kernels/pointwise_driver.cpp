// Everything that pointwise kernels share: order of the dimensions, blocks, conversion and threads.
#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "convert.h"
#include "layout.h"
#include "registry.h"
#include "threads.h"

namespace rl {
namespace {

// Whether dimension a should be inside dimension b: its strides are smaller, in the first operand that can tell.
bool inner(const Layout& l, int a, int b) {
  for (int i = 0; i < l.count; ++i) {
    const int64_t x = std::abs(l.strides[i][a]), y = std::abs(l.strides[i][b]);
    if (x == 0 || y == 0 || x == y) continue;
    return x < y;
  }
  return false;
}

}  // namespace

Layout::Layout(const Array* operands, int operand_count) : count(operand_count), ndim(0), numel(1) {
  const Array& out = operands[0];
  int64_t items[max_operands];
  for (int i = 0; i < count; ++i) items[i] = item_size(operands[i].dtype);
  for (int d = out.ndim - 1; d >= 0; --d) {
    numel *= out.shape[d];
    if (out.shape[d] == 1) continue;
    // Insertion into the dimensions so far, the innermost first.
    shape[ndim] = out.shape[d];
    for (int i = 0; i < count; ++i) {
      const int k = d - (out.ndim - operands[i].ndim);
      strides[i][ndim] = k < 0 || operands[i].shape[k] == 1 ? 0 : operands[i].strides[k] * items[i];
    }
    for (int k = ndim++; k > 0 && inner(*this, k, k - 1); --k) {
      std::swap(shape[k], shape[k - 1]);
      for (int i = 0; i < count; ++i) std::swap(strides[i][k], strides[i][k - 1]);
    }
  }
  if (ndim == 0) {
    ndim = 1;
    shape[0] = 1;
    for (int i = 0; i < count; ++i) strides[i][0] = 0;
  }
  int last = 0;
  for (int d = 1; d < ndim; ++d) {
    bool joined = true;
    for (int i = 0; i < count; ++i) joined &= strides[i][last] * shape[last] == strides[i][d];
    if (joined) {
      shape[last] *= shape[d];
    } else {
      shape[++last] = shape[d];
      for (int i = 0; i < count; ++i) strides[i][last] = strides[i][d];
    }
  }
  ndim = last + 1;
}

namespace {

inline DType operand_dtype(Operand kind, DType compute) {
  switch (kind) {
    case Operand::boolean:
      return DType::boolean;
    case Operand::i64:
      return DType::i64;
    case Operand::real:
      return DType(real_of[int(compute)]);
    case Operand::complex:
      return DType(complex_of[int(compute)]);
    case Operand::same:
      break;
  }
  return compute;
}

// Of the same shape as `out` and contiguous.
bool contiguous(const Array& a, const Array& out) {
  if (a.ndim != out.ndim) return false;
  int64_t expected = 1;
  for (int d = a.ndim - 1; d >= 0; --d) {
    if (a.shape[d] != out.shape[d]) return false;
    if (a.strides[d] != expected && a.shape[d] != 1) return false;
    expected *= a.shape[d];
  }
  return true;
}

// Rows shorter than this are not worth a call of a loop each; brief ones are where nothing has to be copied for a call over many.
constexpr int64_t short_row = 8;
constexpr int64_t block_bytes = 4096;

struct Walk {
  const Layout& layout;
  const Array* operands;
  const DType* dtypes;  // of the loop's operands
  Loop loop;
  const Number* numbers;

  // Calls the loop on the operands' own memory, row by row.
  void rows(int64_t begin, int64_t end) const {
    int64_t strides[max_operands];
    char* data[max_operands];
    for (int i = 0; i < layout.count; ++i) strides[i] = layout.strides[i][0];
    Cursor cursor(layout, begin);
    while (begin < end) {
      const int64_t n = cursor.run(end - begin);
      for (int i = 0; i < layout.count; ++i) data[i] = operands[i].data + cursor.offset(i);
      loop(data, strides, n, numbers);
      begin += n;
      if (n == layout.shape[0] && layout.ndim > 1) {
        // The whole rows beside it, without asking where they are.
        const int64_t more = std::min((end - begin) / n, layout.shape[1] - cursor.index[1] - 1);
        for (int64_t row = 0; row < more; ++row) {
          for (int i = 0; i < layout.count; ++i) data[i] += layout.strides[i][1];
          loop(data, strides, n, numbers);
        }
        cursor.index[1] += more;
        begin += more * n;
      }
      cursor.advance(n);
    }
  }

  // How a block gets an operand: as it lies in memory, as one number, as a short row again and again, or copied.
  enum Way { direct, single, repeated, copied };
  Way way(int i) const {
    const int64_t item = item_size(dtypes[i]);
    if (i > 0 && layout.single(i)) return single;
    if (operands[i].dtype == dtypes[i] && layout.dense(i, item)) return direct;
    if (i == 0 || layout.ndim == 1 || layout.shape[0] * item * 4 > block_bytes) return copied;
    for (int d = 1; d < layout.ndim; ++d)
      if (layout.strides[i][d] != 0) return copied;
    return repeated;
  }

  // Gathers and converts what the loop cannot take as it is, a block at a time.
  void blocks(int64_t begin, int64_t end) const {
    alignas(64) char buffers[max_operands][block_bytes];
    Way how[max_operands];
    char* data[max_operands];
    int64_t strides[max_operands], items[max_operands];
    const int64_t width = layout.shape[0];
    int64_t block = block_bytes;
    bool copies = false;
    for (int i = 0; i < layout.count; ++i) {
      items[i] = item_size(dtypes[i]);
      block = std::min(block, block_bytes / items[i]);
      strides[i] = items[i];
      data[i] = buffers[i];
      how[i] = way(i);
      copies |= how[i] == copied;
      if (how[i] == single) {
        strides[i] = 0;
        convert(i)(buffers[i], items[i], operands[i].data, 0, 1);
      } else if (how[i] == repeated) {
        // As often as there is room; a block begins anywhere within the first.
        convert(i)(buffers[i], items[i], operands[i].data, layout.strides[i][0], width);
        for (int64_t have = width * items[i], more; have < block_bytes; have += more)
          std::memcpy(buffers[i] + have, buffers[i], more = std::min(have, block_bytes - have));
        block = std::min(block, block_bytes / items[i] - width);
      }
    }
    Cursor cursor(layout, begin);
    for (int64_t n; begin < end; begin += n) {
      n = std::min(block, end - begin);
      for (int i = 0; i < layout.count; ++i) {
        if (how[i] == direct) data[i] = operands[i].data + begin * items[i];
        if (how[i] == repeated) data[i] = buffers[i] + begin % width * items[i];
        if (how[i] == copied && i > 0) move<false>(i, cursor, n, buffers[i]);
      }
      loop(data, strides, n, numbers);
      if (how[0] == copied) move<true>(0, cursor, n, buffers[0]);
      if (copies) cursor.skip(n);
    }
  }

 private:
  Conversion convert(int i) const { return conversion(dtypes[i], operands[i].dtype); }

  // Brings n elements of an operand into a buffer, or back.
  template <bool back>
  void move(int i, Cursor cursor, int64_t n, char* buffer) const {
    const Conversion copy = back ? conversion(operands[i].dtype, dtypes[i]) : convert(i);
    const int64_t item = item_size(dtypes[i]), stride = layout.strides[i][0], width = layout.shape[0];
    const bool is_plain = operands[i].dtype == dtypes[i] && width < brief_row;
    for (int64_t run; n > 0; n -= run, buffer += run * item) {
      char* const at = operands[i].data + cursor.offset(i);
      if (const int64_t rows = is_plain ? cursor.whole_rows(n) : 0) {
        const Plane dense{buffer, item, width * item}, strided{at, stride, layout.strides[i][1]};
        copy_plane(item, back ? strided : dense, back ? dense : strided, width, rows);
        cursor.advance_rows(rows);
        run = rows * width;
      } else {
        run = cursor.run(n);
        if (back)
          copy(at, stride, buffer, item, run);
        else
          copy(buffer, item, at, stride, run);
        cursor.advance(run);
      }
    }
  }
};

void run_general(Loop loop, const DType* dtypes, const Array* operands, int count, const Number* numbers) {
  const Layout layout(operands, count);
  const Walk walk{layout, operands, dtypes, loop, numbers};
  bool rows = layout.ndim == 1 || layout.shape[0] >= short_row;
  for (int i = 0; i < count && rows; ++i) {
    const int64_t stride = layout.strides[i][0], item = item_size(dtypes[i]);
    rows = operands[i].dtype == dtypes[i] && (stride == item || (stride == 0 && (i > 0 || layout.numel == 1)));
  }
  if (rows && layout.ndim > 1 && layout.shape[0] < brief_row) {
    rows = false;
    for (int i = 0; i < count; ++i) rows |= walk.way(i) == Walk::copied;
  }
  if (rows)
    parallel_for(layout.numel, pointwise_grain, [&](int64_t begin, int64_t end) { walk.rows(begin, end); });
  else
    parallel_for(layout.numel, pointwise_grain, [&](int64_t begin, int64_t end) { walk.blocks(begin, end); });
}

// What PyTorch's errors call a kernel, where that is not its name and "_cpu".
std::map<std::string, std::string>& labels() {
  static std::map<std::string, std::string> known;
  return known;
}

std::string label(const std::string& name) {
  const auto found = labels().find(name);
  return found == labels().end() ? name + "_cpu" : found->second;
}

Late kind_of(DType dtype) {
  return is_wide_unsigned(int(dtype)) ? late_unsigned
         : dtype == DType::c32        ? late_half
         : dtype == DType::f8_e8m0fnu ? late_e8m0
                                      : late_float8;
}

// The dtype whose loop computes, and the one that the loop's operands come in, where `compute` has no loop of its own.
struct Carrier {
  DType loop, operands;
};
Carrier carrier(const Pointwise* kernel, DType compute) {
  if (compute == DType::f16 || compute == DType::bf16) return {DType::f32, DType::f32};
  if (int(compute) < early_dtypes || !(kernel->late & kind_of(compute))) return {compute, compute};
  if (is_wide_unsigned(int(compute)) || kernel->late & late_moves) return {bits_of(compute), compute};
  const DType wide = compute == DType::c32 ? DType::c64 : DType::f32;
  return {wide, wide};
}

}  // namespace

void label_kernel(const char* name, const char* text) { labels()[name] = text; }

// The loop that computes in `compute`, and the dtypes of its operands.
static Loop loop_for(const Pointwise* kernel, DType compute, const Array* operands, int count, DType* dtypes) {
  Loop loop = kernel->loops[int(compute)];
  DType computing = compute;
  // PyTorch has kernels of their own for a product of narrow floats and one number, which float8 lack.
  if (is_float8(int(compute)) && kernel->late & late_not_by_one && operands[2].numel() == 1)
    no_kernel((label(kernel->name) + "_reduced_float").c_str(), compute);
  if (!loop) {
    const Carrier by = carrier(kernel, compute);
    loop = kernel->loops[int(by.loop)];
    computing = by.operands;
  }
  if (!loop) no_kernel(label(kernel->name).c_str(), compute);
  for (int i = 0; i < count; ++i) dtypes[i] = operand_dtype(kernel->operands[i], computing);
  return loop;
}

// Is it one number, or one that was expanded?
static bool is_one(const Array& a, const Array& out) {
  if (a.numel() == 1) return true;
  if (a.ndim != out.ndim) return false;
  for (int d = 0; d < a.ndim; ++d)
    if (a.shape[d] != out.shape[d] || (a.strides[d] && a.shape[d] != 1)) return false;
  return true;
}

// Can the loop run over all elements at once? Then the strides are set.
static bool is_direct(const DType* dtypes, const Array* operands, int count, int64_t* strides) {
  const Array& out = operands[0];
  for (int i = 0; i < count; ++i) {
    const Array& a = operands[i];
    if (a.dtype != dtypes[i]) return false;
    if (contiguous(a, out))
      strides[i] = item_size(a.dtype);
    else if (i > 0 && is_one(a, out))
      strides[i] = 0;
    else
      return false;
  }
  return true;
}

Loop direct_loop(const Pointwise* kernel, DType compute, const Array* operands, int count, int64_t* strides) {
  DType dtypes[max_operands];
  const Loop loop = loop_for(kernel, compute, operands, count, dtypes);
  return is_direct(dtypes, operands, count, strides) ? loop : nullptr;
}

void run_pointwise(const Pointwise* kernel, DType compute, const Array* operands, int count, const Number* numbers) {
  DType dtypes[max_operands];
  int64_t strides[max_operands];
  const Loop loop = loop_for(kernel, compute, operands, count, dtypes);
  const int64_t n = operands[0].numel();
  if (n == 0) return;
  if (n > pointwise_grain || !is_direct(dtypes, operands, count, strides))
    return run_general(loop, dtypes, operands, count, numbers);
  char* data[max_operands];
  for (int i = 0; i < count; ++i) data[i] = operands[i].data;
  loop(data, strides, n, numbers);
}

}  // namespace rl
