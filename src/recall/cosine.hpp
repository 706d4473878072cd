// The cosine of two vectors.
#pragma once

#include <cmath>

namespace companion {

// How far two vectors point in the same direction, -1 to 1; not a number where one has no length.
// Sums of several elements at a time, since one sum alone would wait for each addition.
inline double cosine(const float *a, const float *b, int dimensions)
{
    constexpr int lanes = 16;
    float products[lanes]{}, squares_a[lanes]{}, squares_b[lanes]{};
    int index = 0;
    for (; index + lanes <= dimensions; index += lanes)
        for (int lane = 0; lane < lanes; lane++) {
            const float x = a[index + lane], y = b[index + lane];
            products[lane] += x * y;
            squares_a[lane] += x * x;
            squares_b[lane] += y * y;
        }
    double product = 0, square_a = 0, square_b = 0;
    for (int lane = 0; lane < lanes; lane++) {
        product += products[lane];
        square_a += squares_a[lane];
        square_b += squares_b[lane];
    }
    for (; index < dimensions; index++) {
        product += static_cast<double>(a[index]) * b[index];
        square_a += static_cast<double>(a[index]) * a[index];
        square_b += static_cast<double>(b[index]) * b[index];
    }
    return product / std::sqrt(square_a * square_b);
}

} // namespace companion
