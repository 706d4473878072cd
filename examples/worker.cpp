// A worker: waits until messages are due, and delivers each of them once.
//
// It connects as libpq does (PGHOST, PGDATABASE, ...), by a role that is a member of
// companion_worker. Delivering is a line on standard output.

#include <pqxx/pqxx>

#include <cstdlib>
#include <exception>
#include <iomanip>
#include <iostream>
#include <string>

namespace {

// Wakes the worker; its payload does not matter, for the queue tells what is due
class Wakeup : public pqxx::notification_receiver {
  public:
    explicit Wakeup(pqxx::connection &connection) : notification_receiver(connection, "companion")
    {
    }
    void operator()(const std::string &, int) override {}
};

void prepare_statements(pqxx::connection &connection)
{
    connection.prepare("claim",
                       "SELECT user_id, message_id, attempt, channel, address, display_name,"
                       "       companion_name, timezone, content,"
                       "       to_char(scheduled_for AT TIME ZONE timezone, 'HH24:MI') AS due,"
                       "       to_char(now() AT TIME ZONE timezone, 'HH24:MI') AS local_time,"
                       "       extract(epoch FROM late_by)::int / 60 AS minutes_late"
                       "  FROM companion.claim_messages($1, 4)");
    connection.prepare("start", "SELECT companion.start_send($1, $2, $3)");
    connection.prepare("sent", "SELECT companion.mark_sent($1, $2, $3, $4)");
    connection.prepare("failed", "SELECT companion.mark_failed($1, $2, $3, $4, permanent => $5)");
}

// Run one of the statements that take a message and answer true or false, in its own transaction.
// While another transaction holds the user it fails after a while, and is tried again; a real
// worker goes on with other users' messages meanwhile.
template <typename... Arguments>
bool report(pqxx::connection &connection, const char *statement, const pqxx::row &message,
            const Arguments &...arguments)
{
    for (;;)
        try {
            pqxx::nontransaction transaction(connection);
            const pqxx::row answer = transaction.exec_prepared1(
                statement, message["user_id"].c_str(), message["message_id"].c_str(),
                message["attempt"].as<int>(), arguments...);
            return answer[0].as<bool>();
        } catch (const pqxx::sql_error &error) {
            if (error.sqlstate() != "55P03")
                throw;
        }
}

// The text of a message: as it was scheduled, or a greeting
std::string compose(const pqxx::row &message)
{
    if (!message["content"].is_null())
        return message["content"].as<std::string>();
    return message["companion_name"].as<std::string>("Your companion") +
           " here. How are you today?";
}

// A real worker posts the text to the address on the channel here, and throws if that fails
void deliver(const std::string &worker, const pqxx::row &message, const std::string &text)
{
    std::cout << worker << "  " << message["local_time"].c_str() << " " << std::left
              << std::setw(20) << message["timezone"].c_str() << std::setw(9)
              << message["channel"].c_str() << std::setw(17) << message["display_name"].c_str()
              << text;
    if (message["minutes_late"].as<int>() > 0)
        std::cout << " (due " << message["due"].c_str() << ", " << message["minutes_late"].c_str()
                  << " minutes late)";
    std::cout << std::endl;
}

void send(pqxx::connection &connection, const std::string &worker, const pqxx::row &message)
{
    const std::string text = compose(message); // safe to repeat, so it comes before start_send
    if (message["address"].is_null()) {
        report(connection, "failed", message, "the user has unlinked this channel", true);
        return;
    }
    // False: the lease ran out meanwhile, and the message is another worker's now
    if (!report(connection, "start", message))
        return;
    try {
        deliver(worker, message, text);
    } catch (const std::exception &error) {
        report(connection, "failed", message, error.what(), false);
        return;
    }
    report(connection, "sent", message, text);
}

pqxx::result claim(pqxx::connection &connection, const std::string &worker)
{
    pqxx::nontransaction transaction(connection);
    return transaction.exec_prepared("claim", worker);
}

[[noreturn]] void work(pqxx::connection &connection, const std::string &worker)
{
    for (;;) {
        const pqxx::result messages = claim(connection, worker);
        for (const auto &message : messages)
            send(connection, worker, pqxx::row(message));
        // A retry becomes due without a notification: look again after ten seconds
        if (messages.empty())
            connection.await_notification(10, 0);
    }
}

} // namespace

int main(int argc, char **argv)
try {
    const std::string worker = argc > 1 ? argv[1] : "worker";
    pqxx::connection connection;
    const Wakeup wakeup(connection);
    prepare_statements(connection);
    work(connection, worker);
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return EXIT_FAILURE;
}
