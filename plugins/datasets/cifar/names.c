/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

enum { LONGEST_FILE = 1 << 16 };

const char *const cifar10_names[10] = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
};

const char *const cifar100_fine_names[100] = {
    "apple",      "aquarium_fish", "baby",         "bear",       "beaver",      "bed",         "bee",
    "beetle",     "bicycle",       "bottle",       "bowl",       "boy",         "bridge",      "bus",
    "butterfly",  "camel",         "can",          "castle",     "caterpillar", "cattle",      "chair",
    "chimpanzee", "clock",         "cloud",        "cockroach",  "couch",       "crab",        "crocodile",
    "cup",        "dinosaur",      "dolphin",      "elephant",   "flatfish",    "forest",      "fox",
    "girl",       "hamster",       "house",        "kangaroo",   "keyboard",    "lamp",        "lawn_mower",
    "leopard",    "lion",          "lizard",       "lobster",    "man",         "maple_tree",  "motorcycle",
    "mountain",   "mouse",         "mushroom",     "oak_tree",   "orange",      "orchid",      "otter",
    "palm_tree",  "pear",          "pickup_truck", "pine_tree",  "plain",       "plate",       "poppy",
    "porcupine",  "possum",        "rabbit",       "raccoon",    "ray",         "road",        "rocket",
    "rose",       "sea",           "seal",         "shark",      "shrew",       "skunk",       "skyscraper",
    "snail",      "snake",         "spider",       "squirrel",   "streetcar",   "sunflower",   "sweet_pepper",
    "table",      "tank",          "telephone",    "television", "tiger",       "tractor",     "train",
    "trout",      "tulip",         "turtle",       "wardrobe",   "whale",       "willow_tree", "wolf",
    "woman",      "worm",
};

const char *const cifar100_coarse_names[20] = {
    "aquatic_mammals",
    "fish",
    "flowers",
    "food_containers",
    "fruit_and_vegetables",
    "household_electrical_devices",
    "household_furniture",
    "insects",
    "large_carnivores",
    "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes",
    "large_omnivores_and_herbivores",
    "medium_mammals",
    "non-insect_invertebrates",
    "people",
    "reptiles",
    "small_mammals",
    "trees",
    "vehicles_1",
    "vehicles_2",
};

static int check_names(const char *path, const char *const *names, uint32_t found, uint32_t count,
                       struct dvt_error *error) {
  if (found != count)
    return dvt_fail(error, DVT_ERROR_IO, "%s: %u class names; there are %u classes", path, found, count);
  for (uint32_t k = 0; k < count; k++) {
    for (const char *at = names[k]; *at; at++)
      if (*at < ' ' || *at > '~')
        return dvt_fail(error, DVT_ERROR_IO, "%s: the name of class %u is no printable ASCII", path, k);
    for (uint32_t earlier = 0; earlier < k; earlier++)
      if (strcmp(names[k], names[earlier]) == 0)
        return dvt_fail(error, DVT_ERROR_IO, "%s: classes %u and %u are both named '%s'; names are unique", path,
                        earlier, k, names[k]);
  }
  return DVT_OK;
}

/* text: LONGEST_FILE bytes and a NUL. */
static int read_text(const char *path, char *text, struct dvt_error *error) {
  int file;
  uint64_t size;
  const int status = file_open(path, &file, &size, error);
  if (status != DVT_OK) return status;
  const ssize_t length = read(file, text, LONGEST_FILE);
  const int reason = errno;
  close(file);
  if (length < 0) return dvt_fail(error, DVT_ERROR_IO, "cannot read %s: %s", path, strerror(reason));
  text[length] = '\0';
  return DVT_OK;
}

static int split_text(const char *path, char *text, const char **names, uint32_t count, struct dvt_error *error) {
  uint32_t found = 0;
  char *rest = text;
  for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest), found++)
    if (found < count) names[found] = line;
  return check_names(path, names, found, count, error);
}

int names_read(const char *path, uint32_t count, const char ***names, struct dvt_error *error) {
  if (access(path, F_OK) != 0 && errno == ENOENT) return DVT_OK;
  const size_t table = count * sizeof(char *);
  const char **list = malloc(table + LONGEST_FILE + 1);
  if (!list) return dvt_fail(error, DVT_ERROR_MEMORY, "out of memory");
  char *text = (char *)list + table;
  int status = read_text(path, text, error);
  if (status == DVT_OK) status = split_text(path, text, list, count, error);
  if (status == DVT_OK)
    *names = list;
  else
    free(list);
  return status;
}
