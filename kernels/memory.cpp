#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstdlib>

namespace rl {
namespace memory {

State state;

namespace {

constexpr int64_t huge_page = int64_t(2) << 20;

int64_t quarter_of_memory() { return int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / 4; }

int64_t limit = quarter_of_memory();

struct SizeClass {
  int index;
  int64_t size;
};

SizeClass size_class(int64_t bytes) {
  if (bytes <= small_limit) {
    const int index = bytes ? int((bytes + step - 1) / step) : 1;
    return {index, index * step};
  }
  // 2^e < bytes <= 2^(e+1), in eighths.
  const int e = 63 - std::countl_zero(uint64_t(bytes - 1));
  const int64_t eighth = int64_t(1) << (e - 3);
  const int part = int((bytes - 1 - (int64_t(1) << e)) / eighth);
  return {small_classes + (e - 12) * 8 + part, (int64_t(1) << e) + (part + 1) * eighth};
}

void* from_system(int64_t size) {
  // Huge pages make the first touch of a large block many times cheaper.
  if (size < 2 * huge_page) return std::aligned_alloc(64, size);
  size = (size + huge_page - 1) / huge_page * huge_page;
  void* block = std::aligned_alloc(huge_page, size);
  if (block) madvise(block, size, MADV_HUGEPAGE);
  return block;
}

}  // namespace

void* allocate_slow(int64_t bytes) {
  if (bytes < 0 || bytes > int64_t(1) << 48) return nullptr;
  const auto [index, size] = size_class(bytes);
  MemoryStatistics& s = state.statistics;
  Block* block = state.free[index];
  if (block) {
    RL_UNPOISON(block, sizeof(Block));
    state.free[index] = block->next;
    s.cached -= size;
  } else {
    block = static_cast<Block*>(from_system(size));
    if (!block) {
      empty_cache();
      block = static_cast<Block*>(from_system(size));
      if (!block) return nullptr;
    }
  }
  ++s.allocations;
  s.allocated += size;
  if (s.allocated > s.peak) s.peak = s.allocated;
  RL_POISON(block, size);
  RL_UNPOISON(block, bytes);
  return block;
}

void release_slow(void* pointer, int64_t bytes) {
  if (!pointer) return;
  const auto [index, size] = size_class(bytes);
  MemoryStatistics& s = state.statistics;
  s.allocated -= size;
  // What was freed long ago makes room for what is in use now.
  if (s.cached + size > limit) empty_cache();
  if (size > limit) {
    RL_UNPOISON(pointer, size);
    std::free(pointer);
    return;
  }
  Block* block = static_cast<Block*>(pointer);
  RL_UNPOISON(block, sizeof(Block));
  block->next = state.free[index];
  state.free[index] = block;
  RL_POISON(block, size);
  s.cached += size;
}

}  // namespace memory

MemoryStatistics memory_statistics() { return memory::state.statistics; }

void reset_peak_memory() { memory::state.statistics.peak = memory::state.statistics.allocated; }

void empty_cache() {
  for (memory::Block*& list : memory::state.free)
    while (memory::Block* block = list) {
      RL_UNPOISON(block, sizeof(memory::Block));
      list = block->next;
      std::free(block);
    }
  memory::state.statistics.cached = 0;
}

void set_cache_limit(int64_t bytes) {
  memory::limit = bytes;
  if (memory::state.statistics.cached > bytes) empty_cache();
}

int64_t cache_limit() { return memory::limit; }

}  // namespace rl
