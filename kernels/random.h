// PyTorch's random numbers: the same seed gives the same numbers in the same order, and the same saved state.
//
// The source is the 32-bit Mersenne Twister (Matsumoto & Nishimura 1998), seeded with the low 32 bits of the seed. What a
// distribution draws is part of the contract:
//   random()    one word;
//   random64()  two words, the high half first;
//   a float in [0, 1)   the low 24 bits of one word, over 2^24 (float16 and bfloat16 round that float);
//   a double in [0, 1)  the low 53 bits of random64(), over 2^53;
//   a lone normal number comes in pairs (Box & Muller 1958): the second one waits in the generator.
#pragma once

#include <cstdint>
#include <optional>

namespace rl {

struct Generator {
  static constexpr int words = 624;
  uint64_t initial_seed;
  int32_t left;   // words that may be drawn before the next twist, plus one
  uint32_t next;  // index of the word to draw
  uint32_t state[words];
  std::optional<float> next_float_normal;
  std::optional<double> next_double_normal;

  uint32_t random() {
    if (--left == 0) twist();
    return temper(state[next++]);
  }
  uint64_t random64() {
    uint64_t high = random();
    return high << 32 | random();
  }
  // The next `count` words at once.
  void random_words(uint32_t* out, int64_t count);

  float uniform_float() { return float(random() & 0xffffffu) * 0x1p-24f; }
  double uniform() { return double(random64() & ((uint64_t(1) << 53) - 1)) * 0x1p-53; }
  double normal();

 private:
  static uint32_t temper(uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }
  void twist();
};

Generator* new_generator(uint64_t seed);
Generator* copy_generator(const Generator* generator);
void delete_generator(Generator* generator);

// torch.manual_seed: also forgets a waiting normal number.
void seed_generator(Generator* generator, uint64_t seed);
// torch.seed: a new seed of 53 bits from the system's entropy; returns it.
uint64_t seed_generator_randomly(Generator* generator);
uint64_t initial_seed(const Generator* generator);

// torch.get_rng_state and set_rng_state: the content of their byte tensor. set_state throws std::runtime_error
// with PyTorch's words where the size or the content is wrong, and then changes nothing.
constexpr int64_t generator_state_size = 5056;
void get_state(const Generator* generator, uint8_t* bytes);
void set_state(Generator* generator, const uint8_t* bytes, int64_t size);

}  // namespace rl
