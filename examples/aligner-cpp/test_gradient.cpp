// SPDX-License-Identifier: MIT
// The gradient of this aligner against finite differences, for three networks of two channels, one of which is dead.
#include <dovetail/dovetail.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace {

constexpr uint32_t networks = 3;
constexpr double weight = 3;

struct Network {
  dvt_network network{};
  dvt_batch batch{};
  std::vector<float> values = std::vector<float>(4 * 2 * 3), slopes = std::vector<float>(4 * 2 * 3, 1.0f);
  dvt_tensor features{}, gradient{};

  Network() {
    network.name = "n";
    network.features[0] = 2;
    batch.weight = weight;
    features = gradient = {nullptr, DVT_F32, DVT_PLACE_HOST, 4, 0, {4, 2, 1, 3}};
    features.data = values.data();
    gradient.data = slopes.data();
  }
};

class Scene {
public:
  std::vector<Network> all = std::vector<Network>(networks);

  Scene() {
    const dvt_network *list[networks];
    for (uint32_t t = 0; t < networks; t++) list[t] = &all[t].network;
    if (ops.create(nullptr, &aligner, nullptr) != DVT_OK ||
        ops.init(aligner, nullptr, list, networks, nullptr) != DVT_OK)
      std::abort();
  }
  Scene(const Scene &) = delete;
  Scene &operator=(const Scene &) = delete;
  ~Scene() { ops.destroy(aligner); }

  // Network `frozen` has no gradient.
  double loss(uint32_t frozen) {
    const dvt_batch *batches[networks];
    const dvt_tensor *features[networks];
    dvt_tensor *gradients[networks];
    double loss = NAN;
    for (uint32_t t = 0; t < networks; t++) {
      batches[t] = &all[t].batch;
      features[t] = &all[t].features;
      gradients[t] = t == frozen ? nullptr : &all[t].gradient;
    }
    if (ops.joint_loss(aligner, batches, features, gradients, networks, &loss, nullptr) != DVT_OK) std::abort();
    return loss;
  }

private:
  const dvt_aligner_ops &ops = *static_cast<const dvt_aligner_ops *>(dovetail_plugin.ops);
  void *aligner = nullptr;
};

// The largest difference; the gradient is added to the ones that are there.
double worst_difference(Scene &scene, uint32_t frozen) {
  constexpr float step = 1e-2f;
  double worst = 0;
  scene.loss(frozen);
  const std::vector<Network> after = scene.all;
  for (uint32_t t = 0; t < networks; t++) {
    const std::vector<float> &slopes = after[t].slopes;
    for (std::size_t k = 0; k < slopes.size(); k++) {
      float &value = scene.all[t].values[k];
      const float middle = value;
      value = middle + step;
      const double above = scene.loss(networks);
      value = middle - step;
      const double difference = weight * (above - scene.loss(networks)) / (2 * step);
      value = middle;
      worst = std::max(worst, std::abs(slopes[k] - 1 - (t == frozen ? 0 : difference)));
    }
  }
  return worst;
}

bool report(int number, const char *name, bool good) {
  std::printf("%s %d - %s\n", good ? "ok" : "not ok", number, name);
  return good;
}

} // namespace

int main() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  Scene scene, dead;
  for (Network &network : scene.all)
    for (float &value : network.values) value = normal(random);
  std::printf("1..2\n");
  bool good = report(1, "the gradient agrees with finite differences", worst_difference(scene, 1) < 1e-3);
  for (float &value : dead.all[0].values) value = normal(random);
  const double loss = dead.loss(networks);
  const auto finite = [](float slope) { return std::isfinite(slope); };
  good = report(2, "dead channels give no NaN",
                loss > 0 && std::all_of(dead.all[1].slopes.begin(), dead.all[1].slopes.end(), finite)) &&
         good;
  return good ? 0 : 1;
}
