// A Telegram bot on companion: one thread sends what is due, another takes what users write.
#include "sender.hpp"
#include "webhook.hpp"

#include <csignal>

namespace {

Stop stop;

// A thread that ends all when it fails
template <typename Work>
std::thread start(Work work) {
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

} // namespace

int main() try {
    const Settings settings;
    if (settings.token.empty()) {
        say("TELEGRAM_BOT_TOKEN is not set: @BotFather gives you one");
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
} catch (const std::invalid_argument &) {
    say("a variable that is to be a number is none");
    return misused;
}
