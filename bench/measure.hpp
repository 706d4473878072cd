// What the subjects in C++ share: how to report; measure.sh says what a subject is given.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

inline bool is_quick()
{
    return !std::string_view(std::getenv("BENCH_QUICK")).empty();
}

inline int rounds()
{
    return std::stoi(std::getenv("BENCH_ROUNDS"));
}

// The size to measure at: the first, or the second when it is to be quick
inline int size(int full, int quick)
{
    return is_quick() ? quick : full;
}

// The means of ours and of the peer's figure, each measured twice; in this order, as whoever is
// first writes the pages' images after a checkpoint
template <class Ours, class Peer>
std::pair<double, double> measure_in_turn(Ours ours, Peer peer)
{
    double our_sum = ours();
    double peer_sum = peer();
    peer_sum += peer();
    our_sum += ours();
    return {our_sum / 2, peer_sum / 2};
}

// Report one round of one figure
inline void sample(const std::string &figure, const char *unit, double ours, double peer,
                   const char *target)
{
    std::cout << figure << '\t' << unit << '\t' << ours << '\t' << peer << '\t' << target
              << std::endl;
}

} // namespace bench
