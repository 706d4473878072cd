// The peers that are SQL, by the same client as ours: a lean queue by hand and, where it is there,
// pgmq. Prints figures as bench/measure.sh says.
#include "../plain.hpp"
#include "by_hand.hpp"

#include <exception>

using namespace bench;

namespace {

bool has_pgmq()
{
    pqxx::connection connection;
    return !pqxx::nontransaction(connection).exec1("SELECT to_regclass('pgmq.q_due')")[0].is_null();
}

void compare(const std::string &how, int batch, int slices, int messages, const char *target)
{
    std::vector<Side> sides{ours, by_hand};
    if (has_pgmq())
        sides.push_back(pgmq);
    const std::vector<double> rates = rates_in_turn(sides, batch, slices, messages);
    const char *peers[] = {"by hand on a lean queue", "on pgmq"};
    for (std::size_t i = 1; i < sides.size(); i++)
        sample("claim, start, mark sent, " + how + "; " + peers[i - 1], "/s", rates[0], rates[i],
               target);
    const double limit = throughput(plain, batch, slices * messages);
    sample("  " + how + "; the limit, plain statements that write our rows, by hand", "/s", limit,
           rates[1], "-");
    sample("  " + how + "; ours, and that limit", "/s", throughput(ours, batch, slices * messages),
           limit, ">= 0.85");
}

} // namespace

int main()
try {
    for (int round = 0; round < rounds(); round++) {
        compare("batches of 50", 50, size(10, 2), size(10000, 1000), ">= 1.3");
        compare("one at a time", 1, size(10, 2), size(1000, 100), ">= 1");
    }
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return EXIT_FAILURE;
}
