// Several clients at once, each with a connection of its own.
#pragma once

#include "database.hpp"

#include <pqxx/pqxx>

#include <exception>
#include <string>
#include <thread>
#include <vector>

// Call body(client, transaction) for so many clients at once; returns what each call returns, a
// text, or the message of what it throws
template <class Body>
std::vector<std::string> at_once(int clients, Body body)
{
    std::vector<std::string> results(clients);
    std::vector<std::thread> threads;
    for (int client = 0; client < clients; client++)
        threads.emplace_back([&, client] {
            try {
                pqxx::connection connection(test_address());
                pqxx::nontransaction transaction(connection);
                results[client] = body(client, transaction);
            } catch (const std::exception &error) {
                results[client] = error.what();
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    return results;
}
