// Sums of floating numbers in the order in which PyTorch adds, so that results agree to the last digit. The order depends on
// shape and strides alone, neither on threads nor on what vectors the processor has:
//
// Dimensions are sorted, the reduced ones by the strides of the input and the kept ones by those of the output, and neighbours
// merged. The runs along the first reduced dimension are summed each in one of three forms, and those sums are added one after
// the other. Every form is made of cascades: `step` rows are added up from zero, `step` of such sums again, and so on, up to four
// levels, where a row is four interleaved sums of one output, or vectors of 32 bytes of one, or one number of each of several
// outputs.
#pragma once

#include "array.h"

namespace rl {

enum class SumForm {
  row,          // four vectors side by side
  interleaved,  // four elements, of each output
  single,       // one element of each output
};

// The elements of neighbouring outputs along the first reduced dimension.
struct SumRun {
  SumForm form;
  int lanes;  // outputs
  int64_t lane_stride, size, stride;
};

constexpr int sum_levels = 4;

// log2 of the number of rows that a level adds up.
inline int log_of_step(int64_t rows) {
  const int bits = rows > 1 ? 64 - __builtin_clzll(uint64_t(rows - 1)) : 0;
  return bits < 5 * sum_levels ? 4 : bits / sum_levels;
}

// What the driver has to know of a type of elements. Sums are of `sum_bytes` each, one for each lane.
struct SumLoops {
  int64_t item_bytes, sum_bytes;
  int vector;  // as many elements side by side are taken as vectors
  int group;   // as many neighbouring outputs, then, have a single sum each
  void (*run)(const SumRun& run, const char* data, const char* parts, char* sums);
  // A long run is made of parts, the sums of two levels, that threads may compute: how many there are, their size, and those from
  // `first` to `last`. (None where lanes are not computed together.)
  int64_t (*count_parts)(const SumRun& run, const char* data, int64_t* part_bytes);
  void (*make_parts)(const SumRun& run, const char* data, int64_t first, int64_t last, char* parts);
  void (*add)(char* total, const char* sums, int lanes);
  void (*finish)(const Array& out, int64_t offset, int64_t stride, const char* sums, int lanes, double divisor);
};

// `out` has as many dimensions as `in`, of size 1 where it is reduced; the sums are divided by `divisor`.
void run_sum(const SumLoops& loops, const Array& out, const Array& in, double divisor);

// Whether more than one dimension is reduced, once neighbours are merged; and whether the elements fill their memory.
bool sums_several(const Array& out, const Array& in);
bool fills_memory(const Array& in);

}  // namespace rl
