// A run of kernels, written down as it happens and done again over other memory: no tensors, no allocation, no dispatch.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "array.h"

namespace rl {

struct Generator;

// Where an operand lies: so many bytes behind the start of a slot. Slots are what a run touches: a block that it makes, or memory
// from outside.
struct Spot {
  int32_t slot = -1;  // -1: there is no such operand
  int64_t offset = 0;
};

class Program {
 public:
  enum : int {
    scratch = -2,
    arena = 0,
    constants,
    first_slot
  };  // the first two slots: what is planned together, and bytes that never change

  // Tells the run of a block of memory, which gets the next slot. Blocks that overlap a known one are refused (false).
  bool know(const char* at, int64_t bytes);
  int slots() const { return int(blocks.size()); }
  int slot_of(const char* at) const;  // -1: in no known block
  void forget(int slot);              // its address may come again, as another block
  int given = first_slot;             // the slots before are memory of arguments
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
  void drew(Generator* generator);  // the kernel draws from it: nobody else may touch its state meanwhile
  void fail(const char* why);
  void at(void* code, int instruction);  // the line of the program that what comes now belongs to
  bool failed() const { return !failure.empty(); }
  const char* why() const { return failure.c_str(); }

  // Lays the blocks that are made and needed by nobody but the run into one, each for as long as it is used; `planned` says
  // which. The others are numbered anew: returns what became of each slot. Element-wise steps behind each other become one pass
  // over tiles; none reaches over the step `split`.
  std::vector<int> plan(const std::vector<char>& planned, int split);
  int64_t arena_bytes() const { return arena_size; }
  int64_t block_bytes(int slot) const { return blocks[size_t(slot)].bytes; }
  bool is_used(int slot, int from, int to) const;  // by one of those steps

  // Runs steps [from, to); `bases` has an address for each slot (that of the constants is filled in here).
  void run(char** bases, int from, int to);
  // What a step is, for people: its name, the slots of its operands, and its line.
  std::string name(int step) const;
  std::vector<int> operands(int step) const;
  struct Line {
    void* code;
    int instruction;
  };
  std::vector<Line> lines;
  int line(int step) const { return all[size_t(step)].line; }
  int failed_line = -1;
  int steps() const { return int(all.size()); }
  bool puts_into(int slot) const;            // is it the first operand of a step?
  bool same_as(const Program& other) const;  // the same steps on the same slots with the same numbers

  static inline int64_t tile = 1024;   // elements that a pass over many takes at a time; what has less than four tiles is no pass
  std::vector<Generator*> generators;  // those that it draws from
  double work = 0;                     // of all steps, in elements
  bool busy = false;

 private:
  enum class Kind : int8_t { loop, kernel, pointwise, copy, zero, count };
  struct Block {
    const char* at;
    int64_t bytes;
  };
  struct Step {
    Kind kind;
    DType compute;
    int32_t first, count;  // its operands
    int32_t line = -1;
    int32_t with = -1;                // the numbers of a loop that has some
    int32_t number = 0, numbers = 0;  // … its numbers, and of a loop its strides
    union {
      Kernel kernel;
      Loop loop;
      const Pointwise* pointwise;
    };
    int32_t group = 0;  // of the first step of a pass: how many it has
    int64_t n = 0;      // elements of a loop, bytes of a copy, or of a count
    // Of a loop, once all is planned: where its strides and numbers are.
    const int64_t* strides = nullptr;
    const Number* given = nullptr;
  };

  void find_groups(int split);
  bool meets(const Step& step, int first) const;
  void run_group(const Step* first, char* const* bases) const;
  char* address(const Spot& spot, char* const* bases) const { return spot.slot < 0 ? nullptr : bases[spot.slot] + spot.offset; }
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
  int counted = -1;          // which number of the next kernel is a count
  int64_t scratch_size = 0;  // of a tile
  std::string failure;
  const char* stack_low = nullptr;
  const char* stack_high = nullptr;
};

}  // namespace rl
