#include "replay.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>

#include "registry.h"
#include "threads.h"

namespace rl {

namespace {

// From the first element to behind the last, in bytes (strides are not negative outside of kernels).
int64_t extent(const Array& a) {
  int64_t last = 0;
  for (int d = 0; d < a.ndim; ++d) {
    if (a.shape[d] == 0) return 0;
    last += (a.shape[d] - 1) * a.strides[d];
  }
  return (last + 1) * item_bytes[int(a.dtype)];
}

bool same_geometry(const Array& a, const Array& b) {
  return a.dtype == b.dtype && a.ndim == b.ndim &&
         (!a.ndim || (std::equal(a.shape, a.shape + a.ndim, b.shape) && std::equal(a.strides, a.strides + a.ndim, b.strides)));
}

}  // namespace

bool Program::know(const char* at, int64_t bytes) {
  const int slot = int(blocks.size());
  blocks.push_back({at, bytes});
  if (!bytes) return true;
  auto next = by_address.lower_bound(at);
  if (next != by_address.end() && next->first < at + bytes) return false;
  if (next != by_address.begin()) {
    auto before = std::prev(next);
    if (before->first + blocks[size_t(before->second)].bytes > at) return false;
  }
  by_address[at] = slot;
  return true;
}

int Program::slot_of(const char* at) const {
  auto next = by_address.upper_bound(at);
  if (next == by_address.begin()) return -1;
  --next;
  return at < next->first + blocks[size_t(next->second)].bytes ? next->second : -1;
}

void Program::forget(int slot) {
  auto found = by_address.find(blocks[size_t(slot)].at);
  if (found != by_address.end() && found->second == slot) by_address.erase(found);
}

void Program::drew(Generator* generator) {
  if (std::find(generators.begin(), generators.end(), generator) == generators.end()) generators.push_back(generator);
}

void Program::fail(const char* why) {
  if (!failure.empty()) return;
  failure = why;
  failed_line = int(lines.size()) - 1;
}

void Program::at(void* code, int instruction) { lines.push_back({code, instruction}); }

std::string Program::name(int step) const {
  const Step& it = all[size_t(step)];
  switch (it.kind) {
    case Kind::loop:
      return name_of(it.loop);
    case Kind::kernel:
      return name_of(it.kernel);
    case Kind::pointwise:
      return it.pointwise->name;
    case Kind::copy:
      return "copy bytes";
    case Kind::zero:
      return "zero bytes";
    default:
      return "count a step";
  }
}

std::vector<int> Program::operands(int step) const {
  std::vector<int> found;
  for (int k = all[size_t(step)].first; k < all[size_t(step)].first + all[size_t(step)].count; ++k)
    found.push_back(spots[size_t(k)].slot);
  return found;
}

Spot Program::constant(const char* at, int64_t bytes) {
  const int64_t place = (int64_t(constant_bytes.size()) + 15) / 16 * 16;
  constant_bytes.resize(size_t(place + bytes));
  std::memcpy(constant_bytes.data() + place, at, size_t(bytes));
  return {constants, place};
}

Spot Program::spot_of(const char* at, int64_t bytes) {
  if (!at || !bytes) return {};
  const int slot = slot_of(at);
  if (slot >= 0) {
    const Block& block = blocks[size_t(slot)];
    if (at + bytes > block.at + block.bytes) fail("an op reaches beyond its memory");
    return {slot, at - block.at};
  }
  if (!stack_low) {
    pthread_attr_t attributes;
    void* low;
    size_t size;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    stack_low = static_cast<const char*>(low);
    stack_high = stack_low + size;
  }
  // A number among the operands: the caller has it on its stack.
  if (at >= stack_low && at < stack_high) return constant(at, bytes);
  fail("an op touches memory that is neither the function's own nor that of its arguments, or of what it was seen to use");
  return {};
}

bool Program::add_array(const Array& array) {
  Array kept = array;
  if (array.ndim) {
    sizes.emplace_back(new int64_t[size_t(2 * array.ndim)]);
    std::copy(array.shape, array.shape + array.ndim, sizes.back().get());
    std::copy(array.strides, array.strides + array.ndim, sizes.back().get() + array.ndim);
    kept.shape = sizes.back().get();
    kept.strides = sizes.back().get() + array.ndim;
  }
  arrays.push_back(kept);
  spots.push_back(spot_of(array.data, extent(array)));
  return true;
}

Program::Step& Program::add_step(Kind kind, int count) {
  Step step;
  step.kind = kind;
  step.first = int32_t(spots.size());
  step.count = count;
  step.line = int32_t(lines.size()) - 1;
  step.number = int32_t(numbers.size());
  step.kernel = nullptr;
  step.compute = DType::boolean;
  all.push_back(step);
  return all.back();
}

void Program::kernel(Kernel function, const Array* given, int count, const Number* with, int number_count, double elements) {
  if (!failure.empty()) return;
  Step& step = add_step(Kind::kernel, count);
  step.kernel = function;
  step.numbers = number_count;
  numbers.insert(numbers.end(), with, with + number_count);
  if (counted >= 0) {
    numbers[size_t(step.number + counted)].i = 0;
    all[all.size() - 2].number = step.number + counted;
    counted = -1;
  }
  for (int i = 0; i < count; ++i) add_array(given[i]);
  work += elements;
}

void Program::pointwise(const Pointwise* kernel, DType compute, const Array* operands, int count, const Number* with,
                        int number_count, double elements) {
  if (!failure.empty()) return;
  Step& step = add_step(Kind::pointwise, count);
  step.pointwise = kernel;
  step.compute = compute;
  step.numbers = number_count;
  numbers.insert(numbers.end(), with, with + number_count);
  for (int i = 0; i < count; ++i) add_array(operands[i]);
  work += elements;
}

void Program::loop(Loop function, char* const* data, const int64_t* strides, int count, int64_t n, int item) {
  if (!failure.empty() || !n) return;
  Step& step = add_step(Kind::loop, count);
  step.loop = function;
  step.n = n;
  step.numbers = count;
  for (int i = 0; i < count; ++i) {
    Number stride;
    stride.i = strides[i];
    numbers.push_back(stride);
    arrays.push_back(Array{nullptr, DType::u8, 0, nullptr, nullptr});
    spots.push_back(spot_of(data[i], strides[i] ? strides[i] * n : item));
  }
  work += double(n);
}

void Program::copy(char* to, const char* from, int64_t bytes) {
  if (!failure.empty() || !bytes) return;
  Step& step = add_step(Kind::copy, 2);
  step.n = bytes;
  for (const char* at : {static_cast<const char*>(to), from}) {
    arrays.push_back(Array{nullptr, DType::u8, 0, nullptr, nullptr});
    spots.push_back(spot_of(at, bytes));
  }
}

void Program::zero(char* at, int64_t bytes) {
  if (!failure.empty() || !bytes) return;
  Step& step = add_step(Kind::zero, 1);
  step.n = bytes;
  arrays.push_back(Array{nullptr, DType::u8, 0, nullptr, nullptr});
  spots.push_back(spot_of(at, bytes));
}

void Program::wrote(char* at, int64_t bytes) {
  if (!failure.empty() || !bytes) return;
  Step& step = add_step(Kind::copy, 2);
  step.n = bytes;
  arrays.resize(arrays.size() + 2, Array{nullptr, DType::u8, 0, nullptr, nullptr});
  spots.push_back(spot_of(at, bytes));
  spots.push_back(constant(at, bytes));
}

void Program::count(char* at, bool wide, int number) {
  if (!failure.empty()) return;
  Step& step = add_step(Kind::count, 1);
  step.n = wide ? 8 : 4;
  arrays.push_back(Array{nullptr, DType::u8, 0, nullptr, nullptr});
  spots.push_back(spot_of(at, step.n));
  counted = number;
}

bool Program::is_used(int slot, int from, int to) const {
  for (int i = from; i < to; ++i)
    for (int k = all[size_t(i)].first; k < all[size_t(i)].first + all[size_t(i)].count; ++k)
      if (spots[size_t(k)].slot == slot) return true;
  return false;
}

namespace {

struct Life {  // the first and last step that touches a block
  int slot = -1, from = -1, to = -1;
};

int64_t rounded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Each block at the lowest place that is free for as long as it lives, the largest first; returns where the last one ends.
int64_t place_blocks(std::vector<Life> lives, const std::vector<int64_t>& bytes, std::vector<int64_t>& places) {
  int64_t end = 0;
  std::stable_sort(lives.begin(), lives.end(),
                   [&](const Life& a, const Life& b) { return bytes[size_t(a.slot)] > bytes[size_t(b.slot)]; });
  std::vector<Life> placed;  // in the order of places
  const auto by_place = [&](const Life& a, const Life& b) { return places[size_t(a.slot)] < places[size_t(b.slot)]; };
  for (const Life& life : lives) {
    const int64_t size = rounded(bytes[size_t(life.slot)]);
    int64_t place = 0;
    for (const Life& other : placed) {
      if (other.to < life.from || life.to < other.from) continue;
      const int64_t start = places[size_t(other.slot)];
      if (start >= place + size) break;
      place = std::max(place, start + rounded(bytes[size_t(other.slot)]));
    }
    places[size_t(life.slot)] = place;
    end = std::max(end, place + size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), life, by_place), life);
  }
  return end;
}

}  // namespace

// Does an operand of the step, in the pass that begins at `first`, meet what the pass writes otherwise than element by element?
bool Program::meets(const Step& step, int first) const {
  for (const Step* other = &all[size_t(first)]; other < &step; ++other)
    for (int k = 0; k < step.count; ++k)
      for (int j = 0; j < other->count; ++j) {
        const Spot &a = spots[size_t(step.first + k)], &b = spots[size_t(other->first + j)];
        if (a.slot != b.slot || a.slot < first_slot || (k && j)) continue;
        const int64_t p = numbers[size_t(step.number + k)].i, q = numbers[size_t(other->number + j)].i;
        if (a.offset == b.offset && p == q && p) continue;
        if (a.offset < b.offset + q * other->n + 8 && b.offset < a.offset + p * step.n + 8) return true;
      }
  return false;
}

void Program::find_groups(int split) {
  for (Step& step : all) {
    int64_t strides[max_operands];
    if (step.kind != Kind::pointwise) continue;
    const int64_t n = arrays[size_t(step.first)].numel();
    const Loop loop = direct_loop(step.pointwise, step.compute, arrays.data() + step.first, step.count, strides);
    if (!loop || !n) continue;
    step.kind = Kind::loop;
    step.loop = loop;
    step.n = n;
    step.with = step.number;
    step.number = int32_t(numbers.size());
    for (int k = 0; k < step.count; ++k) {
      Number stride;
      stride.i = strides[k];
      numbers.push_back(stride);
    }
  }
  for (int i = 0; i < int(all.size());) {
    int end = i;
    while (end < int(all.size()) && all[size_t(end)].kind == Kind::loop && all[size_t(end)].n == all[size_t(i)].n &&
           (end == i || (end != split && !meets(all[size_t(end)], i))))
      ++end;
    if (end > i && all[size_t(i)].n >= 4 * tile) all[size_t(i)].group = end - i;
    i = std::max(end, i + 1);
  }
}

std::vector<int> Program::plan(const std::vector<char>& planned, int split) {
  find_groups(split);
  std::vector<Life> lives(blocks.size());
  for (size_t i = 0; i < all.size(); ++i)
    for (int k = all[i].first; k < all[i].first + all[i].count; ++k) {
      const int slot = spots[size_t(k)].slot;
      if (slot < first_slot || !planned[size_t(slot)]) continue;
      Life& life = lives[size_t(slot)];
      if (life.from < 0) life.slot = slot, life.from = int(i);
      life.to = int(i);
    }
  std::vector<int64_t> bytes(blocks.size()), places(blocks.size());
  for (size_t slot = 0; slot < blocks.size(); ++slot) bytes[slot] = blocks[slot].bytes;
  // What only a pass touches, and whole, needs room for a tile alone.
  std::vector<char> tiled(blocks.size());
  for (int i = 0; i < int(all.size()); ++i) {
    std::vector<Life> inside;
    for (int g = i; g < i + all[size_t(i)].group; ++g) {
      const Spot& out = spots[size_t(all[size_t(g)].first)];
      if (out.slot < first_slot || !planned[size_t(out.slot)] || out.offset) continue;
      const Life& life = lives[size_t(out.slot)];
      const int64_t stride = numbers[size_t(all[size_t(g)].number)].i;
      if (life.from != g || life.to >= i + all[size_t(i)].group || stride * all[size_t(g)].n > bytes[size_t(out.slot)]) continue;
      tiled[size_t(out.slot)] = 1;
      bytes[size_t(out.slot)] = stride * tile;
      inside.push_back(life);
    }
    if (!inside.empty()) scratch_size = std::max(scratch_size, place_blocks(inside, bytes, places));
  }
  // The steps of a pass take turns: what one of them touches lives for all of it.
  std::vector<int> pass_begin(all.size()), pass_end(all.size());
  for (int i = 0, length; i < int(all.size()); i += length) {
    length = std::max(1, all[size_t(i)].group);
    for (int g = i; g < i + length; ++g) pass_begin[size_t(g)] = i, pass_end[size_t(g)] = i + length - 1;
  }
  std::vector<Life> others;
  for (Life life : lives) {
    if (life.slot < 0 || tiled[size_t(life.slot)]) continue;
    life.from = pass_begin[size_t(life.from)];
    life.to = pass_end[size_t(life.to)];
    others.push_back(life);
  }
  arena_size = place_blocks(others, bytes, places);
  std::vector<int> renumbered(blocks.size(), arena);
  std::vector<Block> kept{blocks[arena], blocks[constants]};
  for (size_t slot = first_slot; slot < blocks.size(); ++slot)
    if (!planned[slot]) {
      renumbered[slot] = int(kept.size());
      kept.push_back(blocks[slot]);
    } else if (tiled[slot]) {
      renumbered[slot] = scratch;
    }
  for (Spot& spot : spots) {
    if (spot.slot < first_slot) continue;
    const size_t slot = size_t(spot.slot);
    spot = {renumbered[slot], spot.offset + (planned[slot] ? places[slot] : 0)};
  }
  blocks = kept;
  by_address.clear();
  for (Step& step : all)
    if (step.kind == Kind::loop) {
      step.strides = reinterpret_cast<const int64_t*>(numbers.data() + step.number);
      step.given = step.with < 0 ? nullptr : numbers.data() + step.with;
    }
  return renumbered;
}

// A pass: tile by tile through all its steps, so that what they hand on stays in the nearest cache.
void Program::run_group(const Step* first, char* const* bases) const {
  parallel_for(first->n, 32 * tile, [&](int64_t begin, int64_t end) {
    static thread_local std::vector<char> room;
    if (int64_t(room.size()) < scratch_size + 64) room.resize(size_t(scratch_size + 64));
    char* const near = room.data() + (64 - reinterpret_cast<uintptr_t>(room.data()) % 64) % 64;
    for (int64_t at = begin; at < end; at += tile) {
      const int64_t n = std::min(tile, end - at);
      for (const Step* step = first; step < first + first->group; ++step) {
        char* data[max_operands];
        for (int k = 0; k < step->count; ++k) {
          const Spot& spot = spots[size_t(step->first + k)];
          data[k] = spot.slot == scratch ? near + spot.offset : address(spot, bases) + at * step->strides[k];
        }
        step->loop(data, step->strides, n, step->given);
      }
    }
  });
}

void Program::run(char** bases, int from, int to) {
  char* data[max_operands];
  bases[constants] = constant_bytes.data();
  for (int i = from; i < to; ++i) {
    const Step& step = all[size_t(i)];
    const Spot* at = spots.data() + step.first;
    switch (step.kind) {
      case Kind::loop:
        if (step.group) {
          run_group(&step, bases);
          i += step.group - 1;
          break;
        }
        // (An operand of a loop over some elements is somewhere.)
        for (int k = 0; k < step.count; ++k) data[k] = bases[at[k].slot] + at[k].offset;
        step.loop(data, step.strides, step.n, step.given);
        break;
      case Kind::copy:
        std::memcpy(address(at[0], bases), address(at[1], bases), size_t(step.n));
        break;
      case Kind::zero:
        std::memset(address(at[0], bases), 0, size_t(step.n));
        break;
      case Kind::count: {
        char* const count = address(at[0], bases);
        const double now = (step.n == 8 ? *reinterpret_cast<double*>(count) : double(*reinterpret_cast<float*>(count))) + 1;
        if (step.n == 8)
          *reinterpret_cast<double*>(count) = now;
        else
          *reinterpret_cast<float*>(count) = float(now);
        numbers[size_t(step.number)].i = int64_t(now);
        break;
      }
      default: {
        Array* operands = arrays.data() + step.first;
        for (int k = 0; k < step.count; ++k) operands[k].data = address(at[k], bases);
        if (step.kind == Kind::kernel)
          step.kernel(operands, step.count, numbers.data() + step.number);
        else
          run_pointwise(step.pointwise, step.compute, operands, step.count, numbers.data() + step.number);
      }
    }
  }
}

bool Program::puts_into(int slot) const {
  return std::any_of(all.begin(), all.end(),
                     [&](const Step& step) { return step.count && spots[size_t(step.first)].slot == slot; });
}

bool Program::same_as(const Program& other) const {
  if (all.size() != other.all.size() || spots.size() != other.spots.size() || numbers.size() != other.numbers.size() ||
      constant_bytes != other.constant_bytes || blocks.size() != other.blocks.size())
    return false;
  for (size_t i = 0; i < all.size(); ++i) {
    const Step &a = all[i], &b = other.all[i];
    if (a.kind != b.kind || a.count != b.count || a.numbers != b.numbers || a.n != b.n || a.kernel != b.kernel ||
        a.compute != b.compute)
      return false;
  }
  for (size_t i = 0; i < spots.size(); ++i)
    if (spots[i].slot != other.spots[i].slot || spots[i].offset != other.spots[i].offset ||
        !same_geometry(arrays[i], other.arrays[i]))
      return false;
  return numbers.empty() || std::memcmp(numbers.data(), other.numbers.data(), numbers.size() * sizeof(Number)) == 0;
}

}  // namespace rl
