// What the curves of the documentation are drawn from: messages a second against the size of a
// batch, and how soon a cohort that is due at one minute is claimed, by workers that are there
// already, when a tick is one transaction and when it commits in batches. Writes build/plot/*.tsv.
#include "../peers/by_hand.hpp"

#include <algorithm>
#include <exception>
#include <fstream>
#include <mutex>

using namespace bench;

namespace {

void measure_batches(int slices, int messages)
{
    std::ofstream file("build/plot/batches.tsv");
    for (const int batch : {1, 2, 5, 10, 20, 50, 100, 200}) {
        const std::vector<double> rates = rates_in_turn({ours, by_hand}, batch, slices, messages);
        file << batch << '\t' << rates[0] << '\t' << rates[1] << std::endl;
    }
}

// When each of a cohort was claimed, in seconds since the tick began
class Claims {
  public:
    explicit Claims(int cohort) : cohort_(cohort) {}

    bool is_complete()
    {
        const std::lock_guard lock(mutex_);
        return static_cast<int>(seconds_.size()) >= cohort_;
    }

    void add(std::size_t messages)
    {
        const std::lock_guard lock(mutex_);
        seconds_.insert(seconds_.end(), messages, seconds_since(start_));
    }

    // About two hundred of them, with how many were claimed by then
    void write(std::ostream &out)
    {
        std::sort(seconds_.begin(), seconds_.end());
        const std::size_t step = std::max<std::size_t>(1, seconds_.size() / 200);
        for (std::size_t i = 0; i < seconds_.size(); i += step)
            out << seconds_[i] << '\t' << i + 1 << '\n';
        out << seconds_.back() << '\t' << seconds_.size() << "\n\n\n";
    }

  private:
    int cohort_;
    Clock::time_point start_ = Clock::now();
    std::mutex mutex_;
    std::vector<double> seconds_;
};

void work(Claims &claims)
{
    pqxx::connection connection;
    ours.prepare(connection, 50);
    while (!claims.is_complete()) {
        const pqxx::result claimed = run(connection, "claim");
        claims.add(claimed.size());
        if (claimed.empty())
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        else
            ours.finish(connection, claimed);
    }
}

// Workers over four connections, and a tick
void measure_latency(const std::string &tick, int cohort, std::ostream &out)
{
    execute("CALL empty_queue()");
    execute("VACUUM ANALYZE " + ours.tables + ", companion.users");
    execute("CHECKPOINT");
    Claims claims(cohort);
    std::vector<std::thread> workers;
    for (int worker = 0; worker < 4; worker++)
        workers.emplace_back([&] { work(claims); });
    execute(tick);
    for (std::thread &worker : workers)
        worker.join();
    claims.write(out);
}

void measure_latencies(int cohort)
{
    std::ofstream file("build/plot/latency.tsv");
    execute("CALL make_cohort()");
    for (const char *tick : {"SELECT companion.dispatch()", "CALL companion.run_dispatch()"})
        measure_latency(tick, cohort, file);
}

} // namespace

int main()
try {
    const int users = size(100000, 3000);
    set_up("plot/plot.sql", users);
    measure_batches(size(10, 2), size(2000, 200));
    measure_latencies(users);
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return EXIT_FAILURE;
}
