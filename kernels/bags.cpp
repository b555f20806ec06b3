// Where bags of indices begin and end.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "registry.h"

namespace rl {
namespace {

// bag_bounds: arrays bounds (int64, of the bags' begins and the last one's end), index [n], offsets (int64; all contiguous);
// numbers how many rows there are, whether an index of no row is told with its place, whether offsets were int32. Refuses bags
// that begin elsewhere than at 0, end behind n or run backwards, and indices of no row.
void bag_bounds(const Array* a, int, const Number* n) {
  int64_t* bounds = a[0].as<int64_t>();
  const int64_t *index = a[1].as<int64_t>(), *offsets = a[2].as<int64_t>();
  const int64_t count = a[1].numel(), given = a[2].numel(), rows = n[0].i;
  if (given && offsets[0] != 0)
    throw std::runtime_error(
        "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got " +
        std::to_string(offsets[0]) + "\n[ torch." + (n[2].i ? "Int" : "Long") + "Tensor{} ]");
  if (given && offsets[given - 1] > count)
    throw std::runtime_error("offsets[-1] can not be greater than input's length " + std::to_string(count) +
                             " but got offsets[-1] of " + std::to_string(offsets[given - 1]));
  std::copy(offsets, offsets + given, bounds);
  if (a[0].numel() > given) bounds[given] = count;
  if (!std::is_sorted(bounds, bounds + a[0].numel()))
    throw std::runtime_error(
        "Expected i < index_size to be true, but got false.  (Could this error message be improved?  If so, please report an "
        "enhancement request to PyTorch.)");
  for (int64_t i = 0; i < count; ++i)
    if (uint64_t(index[i]) >= uint64_t(rows))
      throw std::runtime_error(n[1].i ? "Index " + std::to_string(i) + " of input takes value " + std::to_string(index[i]) +
                                            " which is not in the valid range [0, " + std::to_string(rows) + ")"
                                      : "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be " +
                                            std::to_string(index[i]));
}

const Register bag_bounds_("bag_bounds", bag_bounds);

}  // namespace
}  // namespace rl
