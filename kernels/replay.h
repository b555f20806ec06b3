// A run of kernels, written down as it happens and done again over other memory: no tensors, no allocation, no dispatch.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "array.h"

namespace rl {

// Where an operand lies: so many bytes behind the start of a slot. Slots are what a run touches: a block that it makes, or memory
// from outside.
struct Spot {
  int32_t slot = -1;  // -1: there is no such operand
  int64_t offset = 0;
};

class Program {
 public:
  enum : int { arena, constants, first_slot };  // the first two slots: what is planned together, and bytes that never change

  // Tells the run of a block of memory, which gets the next slot. Blocks that overlap a known one are refused (false).
  bool know(const char* at, int64_t bytes);
  int slots() const { return int(blocks.size()); }
  int slot_of(const char* at) const;  // -1: in no known block
  void forget(int slot);              // its address may come again, as another block
  int outside = first_slot;           // the slots before are memory from outside

  // What happens now. All but `fail` are without effect once something has failed.
  void kernel(Kernel function, const Array* arrays, int count, const Number* numbers, int number_count, double work);
  void pointwise(const Pointwise* kernel, DType compute, const Array* operands, int count, const Number* numbers,
                 int number_count, double work);
  void loop(Loop function, char* const* data, const int64_t* strides, int count, int64_t n,
            int item);  // `item`: bytes of a number among the operands
  void copy(char* to, const char* from, int64_t bytes);
  void zero(char* at, int64_t bytes);
  void wrote(char* at, int64_t bytes);  // somebody put these bytes there, and would again
  void count(char* at, bool wide,
             int number);  // a count of steps (a float, or a wide one) goes up by one, and is that number of the next kernel
  void drew() { is_random = true; }  // the kernel draws from a generator, whose state nobody else may touch meanwhile
  void fail(const char* why);
  bool failed() const { return !failure.empty(); }
  const char* why() const { return failure.c_str(); }

  // Lays the blocks that are made and needed by nobody but the run into one, each for as long as it is used; `planned` says
  // which.
  void plan(const std::vector<char>& planned);
  int64_t arena_bytes() const { return arena_size; }
  int64_t block_bytes(int slot) const { return blocks[size_t(slot)].bytes; }
  bool is_used(int slot, int from, int to) const;  // by one of those steps

  // Runs steps [from, to); `bases` has an address for each slot but those of the arena.
  void run(char* const* bases, int from, int to);
  int steps() const { return int(all.size()); }
  bool same_as(const Program& other) const;  // the same steps on the same slots with the same numbers

  bool is_random = false;
  double work = 0;  // of all steps, in elements
  bool busy = false;

 private:
  enum class Kind : int8_t { loop, kernel, pointwise, copy, zero, count };
  struct Block {
    const char* at;
    int64_t bytes;
    int64_t place = -1;  // in the arena
  };
  struct Step {
    Kind kind;
    DType compute;
    int32_t first, count;             // its operands
    int32_t number = 0, numbers = 0;  // … its numbers, and of a loop its strides
    union {
      Kernel kernel;
      Loop loop;
      const Pointwise* pointwise;
    };
    int64_t n = 0;  // elements of a loop, bytes of a copy, or of a count
  };

  Spot spot_of(const char* at, int64_t bytes);
  Spot constant(const char* at, int64_t bytes);
  bool add_array(const Array& array);
  Step& add_step(Kind kind, int count);

  std::vector<Step> all;
  std::vector<Array> arrays;  // of all steps, one after another
  std::vector<Spot> spots;    // … and where their data lies
  std::vector<Number> numbers;
  std::vector<std::unique_ptr<int64_t[]>> sizes;
  std::vector<char> constant_bytes;
  std::vector<Block> blocks{{nullptr, 0}, {nullptr, 0}};
  std::map<const char*, int> by_address;
  int64_t arena_size = 0;
  int counted = -1;  // which number of the next kernel is a count
  std::string failure;
  const char* stack_low = nullptr;
  const char* stack_high = nullptr;
};

}  // namespace rl
