// SPDX-License-Identifier: MIT
// Moments: every channel shall have the same mean and the same standard deviation in the features of every network, so
// that a head meets what its batch norm expects on another network's extractor too.
//
// The loss is the mean over all pairs of networks and all channels of (m_a - m_b)^2 + (s_a - s_b)^2. From dm/dx = 1/n
// and ds/dx = (x - m) / (n s) follows its gradient. The networks need not see the same images.
#include <dovetail/dovetail.h>

#include <cmath>
#include <exception>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Moments {
  double mean = 0, deviation = 0;
};

// One channel of a batch of features [N, C, H, W]: N pieces of H x W floats.
class Channel {
public:
  Channel(const dvt_tensor &tensor, int64_t channel)
      : first_(static_cast<float *>(tensor.data)), images_(tensor.shape[0]), channels_(tensor.shape[1]),
        area_(tensor.shape[2] * tensor.shape[3]), channel_(channel) {}

  std::span<float> image(int64_t n) const {
    return {first_ + (n * channels_ + channel_) * area_, static_cast<std::size_t>(area_)};
  }
  int64_t images() const { return images_; }
  double size() const { return static_cast<double>(images_ * area_); }

private:
  float *first_;
  int64_t images_, channels_, area_, channel_;
};

Moments moments_of(const Channel &channel) {
  constexpr double least = 1e-10; // below the root, so that dead channels have a gradient
  double sum = 0, squares = 0;
  for (int64_t n = 0; n < channel.images(); n++)
    for (float x : channel.image(n)) sum += x;
  const double mean = sum / channel.size();
  for (int64_t n = 0; n < channel.images(); n++)
    for (float x : channel.image(n)) squares += (x - mean) * (x - mean);
  return {mean, std::sqrt(squares / channel.size() + least)};
}

// Adds a + b x to the gradient of every element x.
void add_line(const Channel &features, const Channel &gradient, double a, double b) {
  for (int64_t n = 0; n < features.images(); n++) {
    const auto x = features.image(n), sum = gradient.image(n);
    for (std::size_t k = 0; k < x.size(); k++) sum[k] += static_cast<float>(a + b * x[k]);
  }
}

class Aligner {
public:
  void init(std::span<const dvt_network *const> networks) {
    const dvt_network &first = *networks[0];
    channels_ = first.features[0];
    moments_.resize(networks.size());
    for (const dvt_network *network : networks)
      if (network->features[0] != channels_)
        throw std::invalid_argument("the features of " + std::string(first.name) + " have " +
                                    std::to_string(channels_) + " channels, those of " + network->name + " " +
                                    std::to_string(network->features[0]) + "; they need the same number");
  }

  double loss(std::span<const dvt_batch *const> batches, std::span<const dvt_tensor *const> features,
              std::span<dvt_tensor *const> gradients) {
    double loss = 0;
    for (int64_t c = 0; c < channels_; c++) {
      for (std::size_t t = 0; t < features.size(); t++) moments_[t] = moments_of(Channel(*features[t], c));
      for (std::size_t t = 0; t < features.size(); t++) {
        const Moments slope = add_pairs(t, loss);
        if (gradients[t]) push(Channel(*features[t], c), Channel(*gradients[t], c), t, slope, batches[t]->weight);
      }
    }
    return loss;
  }

private:
  // What one pair and channel count for in the mean.
  double share() const {
    const double networks = static_cast<double>(moments_.size());
    return networks > 1 ? 2 / (networks * (networks - 1) * static_cast<double>(channels_)) : 0;
  }

  // Adds the pairs of network t to the loss, those with later networks only; returns the slope along t's moments.
  Moments add_pairs(std::size_t t, double &loss) const {
    Moments slope;
    for (std::size_t other = 0; other < moments_.size(); other++) {
      const double mean = moments_[t].mean - moments_[other].mean;
      const double deviation = moments_[t].deviation - moments_[other].deviation;
      if (other > t) loss += share() * (mean * mean + deviation * deviation);
      slope.mean += 2 * share() * mean;
      slope.deviation += 2 * share() * deviation;
    }
    return slope;
  }

  void push(const Channel &features, const Channel &gradient, std::size_t t, Moments slope, double weight) const {
    const double along = slope.deviation / moments_[t].deviation;
    const double scale = weight / features.size();
    add_line(features, gradient, scale * (slope.mean - along * moments_[t].mean), scale * along);
  }

  int64_t channels_ = 0;
  std::vector<Moments> moments_; // of one channel, by network
};

// Runs body; whatever it throws becomes a status and a message. No exception may cross the border.
template <typename Body> int guarded(dvt_error *error, Body body) noexcept {
  try {
    body();
    return DVT_OK;
  } catch (const std::bad_alloc &) {
    return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  } catch (const std::invalid_argument &wrong) {
    return dvt_fail(error, DVT_ERROR_ARGUMENT, "%s", wrong.what());
  } catch (const std::exception &defect) {
    return dvt_fail(error, DVT_ERROR_INTERNAL, "%s", defect.what());
  } catch (...) {
    return dvt_fail(error, DVT_ERROR_INTERNAL, "an unknown exception");
  }
}

int create(const dvt_value *, void **aligner, dvt_error *error) {
  return guarded(error, [&] { *aligner = new Aligner; });
}

void destroy(void *aligner) { delete static_cast<Aligner *>(aligner); }

int init(void *aligner, const dvt_aligner_host *, const dvt_network *const *networks, uint32_t count,
         dvt_error *error) {
  return guarded(error, [&] { static_cast<Aligner *>(aligner)->init({networks, count}); });
}

int joint_loss(void *aligner, const dvt_batch *const *batches, const dvt_tensor *const *features,
               dvt_tensor *const *gradients, uint32_t count, double *loss, dvt_error *error) {
  return guarded(error, [&] {
    *loss = static_cast<Aligner *>(aligner)->loss({batches, count}, {features, count}, {gradients, count});
  });
}

const dvt_aligner_ops ops = {
    .struct_size = sizeof ops,
    .create = create,
    .destroy = destroy,
    .init = init,
    .joint_loss = joint_loss,
};

} // namespace

const dvt_plugin dovetail_plugin = {
    DVT_PLUGIN_HEAD,
    .kind = DVT_KIND_ALIGNER,
    .name = "moments",
    .version = "1.0.0",
    .description = "Channels of equal mean and deviation in every network; in C++",
    .author = "The Dovetail authors",
    .licence = "MIT",
    .ops = &ops,
};
