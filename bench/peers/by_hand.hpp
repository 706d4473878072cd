// The same job as a team would write it: on a lean queue of its own, and on pgmq; app.sql has the
// tables. Reading, marking as sending and finishing are a transaction each, as ours are.
#pragma once

#include "../drain.hpp"

#include <fstream>

namespace bench {

// A statement of this folder, with a value for its placeholder
inline std::string statement(const std::string &name, const std::string &placeholder,
                             const std::string &value)
{
    std::ifstream file("bench/peers/" + name + ".sql");
    std::string text, line;
    while (std::getline(file, line))
        if (!line.starts_with("--"))
            text += line + "\n";
    return text.replace(text.find(placeholder), placeholder.size(), value);
}

inline std::string read_pgmq(int batch)
{
    return "SELECT message ->> 'occasion_id', msg_id, read_ct, message FROM pgmq.read('due', "
           "300, " +
           std::to_string(batch) + ")";
}

// In remove and remove_many, $3 is what the queue calls the job, or the jobs
inline void prepare_app(pqxx::connection &connection, const std::string &schema,
                        const std::string &read, const std::string &remove,
                        const std::string &remove_many)
{
    pqxx::nontransaction(connection).exec("SET search_path = " + schema);
    connection.prepare("claim", read);
    connection.prepare("start", statement("sending", ":given", "(VALUES ($1::bigint))"));
    connection.prepare("sent",
                       statement("finish", ":given", "(VALUES ($1::bigint, $2::text))") + remove);
    connection.prepare("start_many", statement("sending", ":given", "unnest($1::bigint[])"));
    connection.prepare("sent_many",
                       statement("finish", ":given", "unnest($1::bigint[], $2::text[])") +
                           remove_many);
}

inline void prepare_by_hand(pqxx::connection &connection, int batch)
{
    prepare_app(connection, "by_hand", statement("read", ":most", std::to_string(batch)),
                "DELETE FROM queue WHERE occasion_id = $3",
                "DELETE FROM queue WHERE occasion_id = ANY ($3)");
}

// Its delete, not its archive: what became of the message stands in occasions
inline void prepare_pgmq(pqxx::connection &connection, int batch)
{
    prepare_app(connection, "on_pgmq", read_pgmq(batch), "SELECT pgmq.delete('due', $3::bigint)",
                "SELECT pgmq.delete('due', $3::bigint[])");
}

inline void finish_app(pqxx::connection &connection, const pqxx::result &read)
{
    if (read.size() == 1) {
        run(connection, "start", read[0][0].c_str());
        run(connection, "sent", read[0][0].c_str(), text, read[0][1].c_str());
        return;
    }
    const std::string occasions = array_of(read, 0);
    run(connection, "start_many", occasions);
    run(connection, "sent_many", occasions, texts_for(read), array_of(read, 1));
}

// A peer that has its tables in a schema, and its queue in a table
inline Side peer(const std::string &schema, const std::string &queue,
                 void (*prepare)(pqxx::connection &, int))
{
    return {"CALL " + schema + ".forget(); CALL " + schema + ".enqueue()",
            schema + ".occasions, " + schema + ".conversations, " + schema + ".messages, " + queue,
            schema + ".occasions AS o JOIN " + schema +
                ".messages AS m ON m.id = o.message_id WHERE o.status = 'sent'",
            prepare, finish_app};
}

inline const Side by_hand = peer("by_hand", "by_hand.queue", prepare_by_hand);
inline const Side pgmq = peer("on_pgmq", "pgmq.q_due", prepare_pgmq);

} // namespace bench
