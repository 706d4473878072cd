// How the bot's threads learn that it is time to end.
#pragma once
#include <poll.h>
#include <sys/eventfd.h>
#include <atomic>
#include <chrono>
#include <iostream>
#include <string>

enum ExitCode { finished = 0, broken = 1, misused = 2, token_refused = 3 };

struct Stop {
    const int event = eventfd(0, EFD_CLOEXEC);
    std::atomic<int> exit_code{-1};

    void request(ExitCode code) {
        int none = -1;
        exit_code.compare_exchange_strong(none, code); // the first one counts
        eventfd_write(event, 1);
    }
    bool is_requested() const { return exit_code >= 0; }

    // Wait until it is requested, something can be read from a file, or the time is over
    void wait(std::chrono::milliseconds longest, int file = -1) const {
        pollfd files[] = {{event, POLLIN, 0}, {file, POLLIN, 0}};
        poll(files, 2, static_cast<int>(longest.count()));
    }
};

// A line for whoever runs the bot
inline void say(const std::string &line) {
    std::cerr << line + "\n" << std::flush;
}
