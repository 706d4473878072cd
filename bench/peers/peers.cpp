// The peers that are SQL, by the same client as ours: a lean queue by hand and, where it is there,
// pgmq. They take turns, a slice of the messages each, so that whatever else the machine does meets
// all of them. Prints figures as bench/measure.sh says.
#include "by_hand.hpp"

#include <deque>
#include <exception>

using namespace bench;

namespace {

struct Turn {
    const Side &side;
    const char *name;
    Workers workers;
    double seconds = 0;
};

bool has_pgmq()
{
    pqxx::connection connection;
    return !pqxx::nontransaction(connection).exec1("SELECT to_regclass('pgmq.q_due')")[0].is_null();
}

void take_turns(std::deque<Turn> &turns, int slices, int messages)
{
    for (int slice = 0; slice < slices; slice++)
        for (std::size_t i = 0; i < turns.size(); i++) {
            Turn &turn = turns[(slice + i) % turns.size()];
            turn.seconds += turn.workers.drain(messages);
        }
}

void compare(const std::string &how, int batch, int slices, int messages, const char *target)
{
    std::deque<Turn> turns;
    turns.push_back({ours, "ours", {ours, batch}});
    turns.push_back({by_hand, "by hand on a lean queue", {by_hand, batch}});
    if (has_pgmq())
        turns.push_back({pgmq, "on pgmq", {pgmq, batch}});
    for (Turn &turn : turns) {
        load(turn.side);
        turn.workers.drain(4 * batch); // what a new connection plans and loads
    }
    take_turns(turns, slices, messages);
    for (std::size_t i = 1; i < turns.size(); i++)
        sample("claim, start, mark sent, " + how + "; " + turns[i].name, "/s",
               slices * messages / turns[0].seconds, slices * messages / turns[i].seconds, target);
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
