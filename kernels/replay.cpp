#include "replay.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>

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

void Program::fail(const char* why) {
  if (failure.empty()) failure = why;
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

void Program::plan(const std::vector<char>& planned) {
  struct Life {
    int slot, from = -1, to = -1;
  };
  std::vector<Life> lives(blocks.size());
  for (size_t i = 0; i < all.size(); ++i)
    for (int k = all[i].first; k < all[i].first + all[i].count; ++k) {
      const int slot = spots[size_t(k)].slot;
      if (slot < 0) continue;
      Life& life = lives[size_t(slot)];
      life.slot = slot;
      if (life.from < 0) life.from = int(i);
      life.to = int(i);
    }
  // The largest first, each at the lowest place that is free for as long as it lives.
  std::vector<Life> order;
  for (const Life& life : lives)
    if (life.from >= 0 && life.slot >= first_slot && planned[size_t(life.slot)]) order.push_back(life);
  std::stable_sort(order.begin(), order.end(),
                   [&](const Life& a, const Life& b) { return blocks[size_t(a.slot)].bytes > blocks[size_t(b.slot)].bytes; });
  std::vector<Life> placed;  // by place
  for (const Life& life : order) {
    const int64_t bytes = (blocks[size_t(life.slot)].bytes + 63) / 64 * 64;
    int64_t place = 0;
    for (const Life& other : placed) {
      if (other.to < life.from || life.to < other.from) continue;
      const Block& block = blocks[size_t(other.slot)];
      if (block.place >= place + bytes) break;
      place = std::max(place, block.place + (block.bytes + 63) / 64 * 64);
    }
    blocks[size_t(life.slot)].place = place;
    arena_size = std::max(arena_size, place + bytes);
    placed.insert(std::upper_bound(
                      placed.begin(), placed.end(), life,
                      [&](const Life& a, const Life& b) { return blocks[size_t(a.slot)].place < blocks[size_t(b.slot)].place; }),
                  life);
  }
  for (Spot& spot : spots)
    if (spot.slot >= first_slot && planned[size_t(spot.slot)]) spot = {arena, spot.offset + blocks[size_t(spot.slot)].place};
  by_address.clear();
}

void Program::run(char* const* given, int from, int to) {
  char* data[max_operands];
  const Spot* spot = spots.data();
  char* const constant_base = constant_bytes.data();
  const auto address = [&](const Spot& s) -> char* {
    return s.slot == constants ? constant_base + s.offset : s.slot < 0 ? nullptr : given[s.slot] + s.offset;
  };
  for (int i = from; i < to; ++i) {
    const Step& step = all[size_t(i)];
    const Spot* at = spot + step.first;
    switch (step.kind) {
      case Kind::loop:
        for (int k = 0; k < step.count; ++k) data[k] = address(at[k]);
        step.loop(data, reinterpret_cast<const int64_t*>(numbers.data() + step.number), step.n, nullptr);
        break;
      case Kind::copy:
        std::memcpy(address(at[0]), address(at[1]), size_t(step.n));
        break;
      case Kind::count: {
        char* const count = address(at[0]);
        const double now = (step.n == 8 ? *reinterpret_cast<double*>(count) : double(*reinterpret_cast<float*>(count))) + 1;
        if (step.n == 8)
          *reinterpret_cast<double*>(count) = now;
        else
          *reinterpret_cast<float*>(count) = float(now);
        numbers[size_t(step.number)].i = int64_t(now);
        break;
      }
      case Kind::zero:
        std::memset(address(at[0]), 0, size_t(step.n));
        break;
      default: {
        Array* operands = arrays.data() + step.first;
        for (int k = 0; k < step.count; ++k) operands[k].data = address(at[k]);
        if (step.kind == Kind::kernel)
          step.kernel(operands, step.count, numbers.data() + step.number);
        else
          run_pointwise(step.pointwise, step.compute, operands, step.count, numbers.data() + step.number);
      }
    }
  }
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
