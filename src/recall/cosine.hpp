// The cosine of two vectors.
#pragma once

#include <cmath>
#include <cstring>

namespace companion {

// Four elements at a time, as every processor of today adds and multiplies them.
using FourFloats = float __attribute__((vector_size(16)));

inline FourFloats four_at(const float *elements)
{
    FourFloats four;
    memcpy(&four, elements, sizeof four);
    return four;
}

inline double sum_of(FourFloats four)
{
    return static_cast<double>(four[0]) + four[1] + four[2] + four[3];
}

// The product of two vectors, and the square of the first one's length. Two sums of each at once,
// since one alone would wait for each addition.
struct Products {
    double of_both = 0, of_first = 0;

    Products(const float *a, const float *b, int dimensions)
    {
        FourFloats both{}, both_next{}, first{}, first_next{};
        int index = 0;
        for (; index + 8 <= dimensions; index += 8) {
            const FourFloats x = four_at(a + index), x_next = four_at(a + index + 4);
            both += x * four_at(b + index);
            both_next += x_next * four_at(b + index + 4);
            first += x * x;
            first_next += x_next * x_next;
        }
        of_both = sum_of(both + both_next);
        of_first = sum_of(first + first_next);
        for (; index < dimensions; index++) {
            of_both += static_cast<double>(a[index]) * b[index];
            of_first += static_cast<double>(a[index]) * a[index];
        }
    }
};

// How far two vectors point in the same direction, -1 to 1, of which the second has this length;
// not a number where one has none.
inline double cosine(const float *a, const float *b, double length_of_b, int dimensions)
{
    const Products products(a, b, dimensions);
    return products.of_both / (std::sqrt(products.of_first) * length_of_b);
}

inline double length_of(const float *a, int dimensions)
{
    return std::sqrt(Products(a, a, dimensions).of_first);
}

inline double cosine(const float *a, const float *b, int dimensions)
{
    return cosine(a, b, length_of(b, dimensions), dimensions);
}

} // namespace companion
