// A Telegram bot on companion: one thread sends what is due, another takes what users write.
#include "sender.hpp"
#include "webhook.hpp"

#include <sys/signalfd.h>

#include <csignal>

namespace {

// SIGTERM and SIGINT, as a file to read from; for this thread and those that it starts
int signal_file()
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

// A wrong token is found before anything is claimed; and until Telegram can be reached, nothing is
void send(const Settings &settings, Stop &stop)
{
    BotApi telegram(settings);
    while (!stop.is_requested()) {
        const Reply reply = telegram.call("getMe", Json::object());
        if (reply.meaning == Reply::done)
            return Sender(settings, stop).run();
        say("getMe: " + reply.description);
        if (reply.meaning == Reply::forbidden)
            stop.request(token_refused);
        stop.wait(std::chrono::seconds(std::max(1, reply.retry_after)));
    }
}

void receive(const Settings &settings, Stop &stop)
{
    settings.webhook.empty() ? Receiver(settings, stop).poll() : serve_webhook(settings, stop);
}

std::thread start(void (*work)(const Settings &, Stop &), const Settings &settings, Stop &stop)
{
    return std::thread([=, &settings, &stop] {
        try {
            work(settings, stop);
        } catch (const std::exception &error) {
            say(error.what());
            stop.request(broken);
        }
    });
}

} // namespace

int main()
{
    const Settings settings;
    if (settings.token.empty()) {
        say("TELEGRAM_BOT_TOKEN is not set: @BotFather gives you one");
        return misused;
    }
    const int signals = signal_file();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    Stop stop;
    std::thread sender = start(send, settings, stop), receiver = start(receive, settings, stop);
    stop.wait(std::chrono::milliseconds(-1), signals);
    stop.request(finished); // unless there was another reason
    sender.join();
    receiver.join();
    if (stop.exit_code() == token_refused)
        say("Telegram refuses the token (401, 404): nothing is sent until it is right");
    return stop.exit_code();
}
