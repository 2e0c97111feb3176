/* SPDX-License-Identifier: MIT */
#include "drawing.h"

/* clang-format off */
const struct drawing drawings[CLASS_COUNT] = {
    {"house", 6, {
        {BOX, SECOND, {0.35f, -0.95f, 0.6f, -0.3f}},
        {BOX, MAIN, {-0.75f, -0.15f, 0.75f, 0.9f}},
        {TRIANGLE, SECOND, {-1, -0.15f, 0, -0.95f, 1, -0.15f}},
        {BOX, DETAIL, {-0.55f, 0.3f, -0.15f, 0.9f}},
        {BOX, DETAIL, {0.15f, 0.15f, 0.55f, 0.5f}},
        {BOX, SECOND, {0.32f, 0.15f, 0.38f, 0.5f}},
    }},
    {"tree", 4, {
        {BOX, SECOND, {-0.15f, 0.4f, 0.15f, 1}},
        {TRIANGLE, MAIN, {-0.8f, 0.55f, 0, -0.2f, 0.8f, 0.55f}},
        {TRIANGLE, MAIN, {-0.65f, 0.1f, 0, -0.6f, 0.65f, 0.1f}},
        {TRIANGLE, MAIN, {-0.5f, -0.35f, 0, -1, 0.5f, -0.35f}},
    }},
    {"car", 7, {
        {QUAD, MAIN, {-0.6f, -0.05f, -0.35f, -0.55f, 0.3f, -0.55f, 0.6f, -0.05f}},
        {QUAD, DETAIL, {-0.42f, -0.08f, -0.26f, -0.42f, -0.05f, -0.42f, -0.05f, -0.08f}},
        {QUAD, DETAIL, {0.07f, -0.08f, 0.07f, -0.42f, 0.24f, -0.42f, 0.42f, -0.08f}},
        {BOX, MAIN, {-1, -0.1f, 1, 0.4f}},
        {ELLIPSE, SECOND, {-0.75f, 0.15f, -0.25f, 0.65f}},
        {ELLIPSE, SECOND, {0.25f, 0.15f, 0.75f, 0.65f}},
        {BOX, DETAIL, {0.85f, 0, 1, 0.15f}},
    }},
    {"boat", 4, {
        {BOX, SECOND, {-0.1f, -1, 0, 0.35f}},
        {TRIANGLE, DETAIL, {0.05f, -0.9f, 0.05f, 0.2f, 0.75f, 0.2f}},
        {TRIANGLE, DETAIL, {-0.15f, -0.7f, -0.15f, 0.2f, -0.7f, 0.2f}},
        {QUAD, MAIN, {-1, 0.3f, 1, 0.3f, 0.6f, 0.85f, -0.7f, 0.85f}},
    }},
    {"mug", 6, {
        {BOX, SECOND, {0.4f, -0.4f, 0.95f, -0.2f}},
        {BOX, SECOND, {0.77f, -0.4f, 0.95f, 0.45f}},
        {BOX, SECOND, {0.4f, 0.27f, 0.95f, 0.45f}},
        {BOX, MAIN, {-0.7f, -0.6f, 0.5f, 0.8f}},
        {ELLIPSE, MAIN, {-0.7f, 0.6f, 0.5f, 1}},
        {ELLIPSE, DETAIL, {-0.7f, -0.8f, 0.5f, -0.4f}},
    }},
    {"rocket", 6, {
        {TRIANGLE, DETAIL, {-0.2f, 0.6f, 0.2f, 0.6f, 0, 1}},
        {TRIANGLE, SECOND, {-0.3f, 0.05f, -0.75f, 0.75f, -0.3f, 0.65f}},
        {TRIANGLE, SECOND, {0.3f, 0.05f, 0.75f, 0.75f, 0.3f, 0.65f}},
        {BOX, MAIN, {-0.33f, -0.45f, 0.33f, 0.65f}},
        {DOME, SECOND, {-0.33f, -1.05f, 0.33f, -0.4f}},
        {ELLIPSE, DETAIL, {-0.18f, -0.3f, 0.18f, 0.06f}},
    }},
    {"umbrella", 6, {
        {BOX, SECOND, {-0.07f, -1, 0.07f, 0.85f}},
        {BOX, SECOND, {-0.07f, 0.78f, 0.4f, 0.92f}},
        {BOX, SECOND, {0.27f, 0.55f, 0.4f, 0.92f}},
        {DOME, MAIN, {-1, -0.9f, 1, 0.1f}},
        {DOME, DETAIL, {-0.35f, -0.9f, 0.35f, 0.1f}},
        {BOX, SECOND, {-0.07f, -0.05f, 0.07f, 0.15f}},
    }},
    {"lamp", 4, {
        {BOX, SECOND, {-0.09f, -0.2f, 0.09f, 0.9f}},
        {DOME, SECOND, {-0.5f, 0.65f, 0.5f, 0.95f}},
        {QUAD, MAIN, {-0.4f, -0.95f, 0.4f, -0.95f, 0.8f, 0, -0.8f, 0}},
        {QUAD, DETAIL, {-0.73f, -0.16f, 0.73f, -0.16f, 0.8f, 0, -0.8f, 0}},
    }},
    {"mushroom", 5, {
        {QUAD, SECOND, {-0.25f, -0.05f, 0.25f, -0.05f, 0.4f, 0.95f, -0.4f, 0.95f}},
        {DOME, MAIN, {-0.95f, -0.85f, 0.95f, 0.15f}},
        {ELLIPSE, DETAIL, {-0.6f, -0.35f, -0.25f, -0.05f}},
        {ELLIPSE, DETAIL, {-0.1f, -0.7f, 0.25f, -0.4f}},
        {ELLIPSE, DETAIL, {0.3f, -0.3f, 0.6f, 0}},
    }},
    {"snowman", 8, {
        {ELLIPSE, MAIN, {-0.65f, 0, 0.65f, 1}},
        {ELLIPSE, MAIN, {-0.45f, -0.55f, 0.45f, 0.25f}},
        {ELLIPSE, MAIN, {-0.32f, -0.95f, 0.32f, -0.35f}},
        {BOX, SECOND, {-0.45f, -0.9f, 0.45f, -0.75f}},
        {BOX, SECOND, {-0.25f, -1.15f, 0.25f, -0.8f}},
        {TRIANGLE, DETAIL, {0, -0.7f, 0, -0.55f, 0.4f, -0.6f}},
        {ELLIPSE, SECOND, {-0.08f, -0.25f, 0.08f, -0.09f}},
        {ELLIPSE, SECOND, {-0.08f, 0.25f, 0.08f, 0.41f}},
    }},
};
/* clang-format on */
