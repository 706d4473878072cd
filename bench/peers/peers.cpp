// The peers that are SQL, by the same client as ours: a lean queue by hand and, where it is there,
// pgmq. Prints figures as bench/measure.sh says.
#include "by_hand.hpp"

#include <exception>

using namespace bench;

namespace {

bool has_pgmq()
{
    pqxx::connection connection;
    return !pqxx::nontransaction(connection).exec1("SELECT to_regclass('pgmq.q_due')")[0].is_null();
}

void compare(const std::string &how, int batch, int messages, const char *target)
{
    const double our_rate = throughput(ours, batch, messages);
    sample("claim, start, mark sent, " + how + "; by hand on a lean queue", "/s", our_rate,
           throughput(by_hand, batch, messages), target);
    if (has_pgmq())
        sample("  " + how + "; on pgmq", "/s", our_rate, throughput(pgmq, batch, messages), target);
}

} // namespace

int main()
try {
    for (int round = 0; round < rounds(); round++) {
        compare("batches of 50", 50, size(100000, 2000), ">= 1.3");
        compare("one at a time", 1, size(10000, 200), ">= 1");
    }
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return EXIT_FAILURE;
}
