// A Telegram bot on companion: one thread sends what is due, another takes what users write.
#include "sender.hpp"
#include "webhook.hpp"
#include <csignal>

static Stop stop;

// A thread that ends all when it fails
template <typename Work>
static std::thread start(Work work) {
    return std::thread([work] {
        try {
            work();
        } catch (const std::exception &error) {
            say(error.what());
            stop.request(broken);
            int in_order = finished; // what it had begun is not reported
            stop.exit_code.compare_exchange_strong(in_order, broken);
        }
    });
}

int main() try {
    const Settings settings;
    if (settings.token.empty()) {
        say("TELEGRAM_BOT_TOKEN is not set: @BotFather gives you one");
        return misused;
    }
    if (const int port = std::atoi(settings.webhook.c_str());
        !settings.webhook.empty() && settings.webhook.front() != '/' && (port < 1 || port > 65535)) {
        say("TELEGRAM_WEBHOOK is neither a path from the root nor a port");
        return misused;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (const int signal : {SIGTERM, SIGINT})
        std::signal(signal, [](int) { stop.request(finished); });
    std::thread sender = start([&] { Sender(settings, stop).run(); });
    std::thread receiver = start([&] {
        Receiver receiver(settings, stop);
        settings.webhook.empty() ? receiver.poll() : serve_webhook(settings, stop, receiver);
    });
    sender.join();
    receiver.join();
    if (stop.exit_code == token_refused)
        say("Telegram refuses the token (401, 404): nothing is sent until it is right");
    return stop.exit_code;
} catch (const std::logic_error &) { // of std::stol, or seconds
    say("a variable that is to be a number of seconds is none, or out of bounds");
    return misused;
}
