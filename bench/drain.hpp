// What the subjects share that drain a queue: a side is a queue and its worker; ours is the real
// one.
#pragma once

#include "measure.hpp"

#include <pqxx/pqxx>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// A statement in its own transaction
template <typename... Arguments>
pqxx::result run(pqxx::connection &connection, const char *statement, const Arguments &...arguments)
{
    pqxx::nontransaction transaction(connection);
    return transaction.exec_prepared(statement, arguments...);
}

// A column of a result as the text of an array
inline std::string array_of(const pqxx::result &rows, int column)
{
    std::string array = "{";
    for (const auto &row : rows)
        array.append(array.size() > 1 ? "," : "").append(row[column].c_str());
    return array + "}";
}

// One side: how its queue is filled, what of it is to be vacuumed, which rows say that a message is
// finished, and how its worker claims and finishes a batch
struct Side {
    std::string fill;
    std::string tables;
    std::string finished;
    void (*prepare)(pqxx::connection &, int batch);
    void (*finish)(pqxx::connection &, const pqxx::result &claimed);
};

inline const std::string text =
    "Good morning! How did you sleep, and what is the one thing for today?";

// The same text for each of the claimed messages
inline std::string texts_for(const pqxx::result &claimed)
{
    std::string texts = "{";
    for (int row = 0; row < static_cast<int>(claimed.size()); row++)
        texts.append(row > 0 ? ",\"" : "\"").append(text).append("\"");
    return texts + "}";
}

inline void prepare_ours(pqxx::connection &connection, int batch)
{
    connection.prepare("claim", "SELECT * FROM companion.claim_messages('bench', " +
                                    std::to_string(batch) + ")");
    connection.prepare("start", "SELECT companion.start_send($1, $2, $3)");
    connection.prepare("sent", "SELECT companion.mark_sent($1, $2, $3, $4)");
    connection.prepare("start_many", "SELECT companion.start_send_many($1, $2, $3)");
    connection.prepare("sent_many", "SELECT companion.mark_sent_many($1, $2, $3, $4)");
}

inline void finish_ours(pqxx::connection &connection, const pqxx::result &claimed)
{
    if (claimed.size() == 1) {
        const auto message = claimed[0];
        run(connection, "start", message[0].c_str(), message[1].c_str(), message[2].c_str());
        run(connection, "sent", message[0].c_str(), message[1].c_str(), message[2].c_str(), text);
        return;
    }
    const std::string users = array_of(claimed, 0);
    const std::string messages = array_of(claimed, 1);
    const std::string attempts = array_of(claimed, 2);
    run(connection, "start_many", users, messages, attempts);
    run(connection, "sent_many", users, messages, attempts, texts_for(claimed));
}

inline const Side ours{"CALL load_ours()",
                       "companion.scheduled_messages, companion.dispatch_queue, companion.messages,"
                       " companion.conversations",
                       "companion.scheduled_messages WHERE status = 'sent'", prepare_ours,
                       finish_ours};

// A statement over a connection of its own
inline void execute(const std::string &statement)
{
    pqxx::connection connection;
    pqxx::nontransaction(connection).exec(statement);
}

// Fill a side's queue and settle the server
inline void load(const Side &side)
{
    execute(side.fill);
    execute("VACUUM ANALYZE " + side.tables);
    execute("CHECKPOINT");
}

// Drain so many messages over one connection; returns how long each claim took, in milliseconds
inline std::vector<double> drain(const Side &side, pqxx::connection &connection, int batch,
                                 std::atomic<int> &left)
{
    std::vector<double> claims;
    while (left.fetch_sub(batch) > 0) {
        const auto start = Clock::now();
        const pqxx::result claimed = run(connection, "claim");
        claims.push_back(seconds_since(start) * 1000);
        if (static_cast<int>(claimed.size()) != batch)
            throw std::runtime_error("claimed " + std::to_string(claimed.size()) + " messages");
        side.finish(connection, claimed);
    }
    return claims;
}

// The workers of a side, over four connections
class Workers {
  public:
    Workers(const Side &side, int batch) : side_(side), batch_(batch)
    {
        for (pqxx::connection &connection : *connections_)
            side.prepare(connection, batch);
    }

    // Drain so many messages; returns the seconds that it took
    double drain(int messages)
    {
        std::atomic<int> left = messages;
        std::vector<std::thread> threads;
        const auto start = Clock::now();
        for (pqxx::connection &connection : *connections_)
            threads.emplace_back([&] { bench::drain(side_, connection, batch_, left); });
        for (std::thread &thread : threads)
            thread.join();
        const double seconds = seconds_since(start);
        finished_ += messages;
        check_finished();
        return seconds;
    }

  private:
    // Refuse a side that has not done what it was timed for
    void check_finished()
    {
        const int finished = pqxx::nontransaction((*connections_)[0])
                                 .exec1("SELECT count(*) FROM " + side_.finished)[0]
                                 .as<int>();
        if (finished != finished_)
            throw std::runtime_error("finished " + std::to_string(finished) + " messages");
    }

    Side side_;
    int batch_;
    int finished_ = 0;
    std::unique_ptr<std::array<pqxx::connection, 4>> connections_ =
        std::make_unique<std::array<pqxx::connection, 4>>();
};

// Messages a second
inline double throughput(const Side &side, int batch, int messages)
{
    load(side);
    return messages / Workers(side, batch).drain(messages);
}

// Messages a second of each of some sides, which take turns, a slice of the messages each, so that
// whatever else the machine does meets all of them
inline std::vector<double> rates_in_turn(const std::vector<Side> &sides, int batch, int slices,
                                         int messages)
{
    std::vector<Workers> workers;
    for (const Side &side : sides) {
        load(side);
        workers.emplace_back(side, batch).drain(4 * batch); // what a new session loads and plans
    }
    std::vector<double> seconds(sides.size());
    for (int slice = 0; slice < slices; slice++)
        for (std::size_t turn = 0; turn < sides.size(); turn++) {
            const std::size_t side = (slice + turn) % sides.size();
            seconds[side] += workers[side].drain(messages);
        }
    for (double &rate : seconds)
        rate = slices * messages / rate;
    return seconds;
}

// Run a script of bench/ for so many users
inline void set_up(const std::string &script, int users)
{
    const std::string command =
        "psql -Xq -v ON_ERROR_STOP=1 -v users=" + std::to_string(users) + " -f bench/" + script;
    if (std::system(command.c_str()) != 0)
        throw std::runtime_error("could not set up");
}

} // namespace bench
