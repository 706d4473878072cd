// How the bot's threads learn that it is time to end.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <string>

enum ExitCode { finished = 0, broken = 1, misused = 2, token_refused = 3 };

class Stop {
  public:
    void request(ExitCode code) // the first one counts
    {
        int none = -1;
        exit_code_.compare_exchange_strong(none, code);
        eventfd_write(event_, 1);
    }
    bool is_requested() const { return exit_code_ >= 0; }
    int exit_code() const { return exit_code_; }

    // Wait until it is requested, something can be read from a file, or the time is over
    void wait(std::chrono::milliseconds longest, int file = -1) const
    {
        pollfd files[] = {{event_, POLLIN, 0}, {file, POLLIN, 0}};
        poll(files, 2, static_cast<int>(longest.count()));
    }

  private:
    const int event_ = eventfd(0, EFD_CLOEXEC);
    std::atomic<int> exit_code_{-1};
};

// A line for whoever runs the bot
inline void say(const std::string &line)
{
    std::cerr << line + "\n" << std::flush;
}
