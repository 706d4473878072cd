// The webhook: a small HTTP server for the user's own, which has TLS, to pass requests on to, one after the other.
#pragma once
#include "receiver.hpp"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>

struct Socket {
    ~Socket() { close(file); }
    const int file;
};

inline int checked(int result) {
    return result >= 0 ? result : throw std::system_error(errno, std::generic_category(), "the webhook");
}

inline void listen_at(const Socket &socket, const std::string &where) {
    sockaddr_un path{AF_UNIX, {}};
    sockaddr_in port{AF_INET, htons(static_cast<uint16_t>(std::atoi(where.c_str()))), {htonl(INADDR_LOOPBACK)}, {}};
    const bool is_path = where.front() == '/';
    const int yes = 1;
    setsockopt(socket.file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    where.copy(path.sun_path, sizeof path.sun_path - 1);
    if (is_path)
        unlink(where.c_str());
    checked(is_path ? bind(socket.file, reinterpret_cast<sockaddr *>(&path), sizeof path)
                    : bind(socket.file, reinterpret_cast<sockaddr *>(&port), sizeof port));
    checked(listen(socket.file, 16));
}

// A header's value, by its name in lower case
inline std::string header_of(const std::string &head, const std::string &name) {
    std::string lower = head;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    const size_t place = lower.find("\r\n" + name + ":"), begin = place + name.size() + 3;
    return place == std::string::npos ? "" : trimmed(head.substr(begin, head.find("\r\n", begin) - begin));
}

// 200 when the update is done with; else Telegram brings it again
inline int take_request(const Socket &client, Receiver &receiver, const std::string &secret) {
    const timeval longest{5, 0};
    setsockopt(client.file, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    std::string request;
    size_t head = std::string::npos;
    char buffer[4096];
    while (head == std::string::npos ||
           request.size() - head - 4 < std::strtoul(header_of(request, "content-length").c_str(), nullptr, 10)) {
        const ssize_t length = recv(client.file, buffer, sizeof buffer, 0);
        if (length <= 0 || request.size() > 1 << 20)
            return 400;
        request.append(buffer, static_cast<size_t>(length));
        head = request.find("\r\n\r\n");
    }
    if (header_of(request.substr(0, head), "x-telegram-bot-api-secret-token") != secret)
        return 403;
    const Json update = Json::parse(request.substr(head + 4), nullptr, false);
    if (update.is_discarded()) // nor could it be when it is brought again
        say("an update that cannot be read: it is skipped");
    return receiver.take(update) ? 200 : 500;
}

inline void serve_webhook(const Settings &settings, Stop &stop, Receiver &receiver) {
    const Socket listener{
        checked(socket(settings.webhook.front() == '/' ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0))};
    listen_at(listener, settings.webhook);
    const Json wanted = {{"url", settings.webhook_url}, {"secret_token", settings.webhook_secret}};
    for (BotApi telegram(settings, stop); !settings.webhook_url.empty() && !stop.is_requested();)
        if (const Reply reply = telegram.ask("setWebhook", wanted); reply.meaning == Reply::done)
            break;
        else if (reply.meaning == Reply::refused) // ask() has said why
            stop.request(broken);
    while (stop.wait(std::chrono::hours(1), listener.file), !stop.is_requested()) {
        const Socket client{accept(listener.file, nullptr, nullptr)};
        if (client.file < 0) // nobody is there any more, or there are too many files; what follows does nothing
            stop.wait(std::chrono::milliseconds(100));
        const std::string status = std::to_string(take_request(client, receiver, settings.webhook_secret));
        const std::string answer = "HTTP/1.1 " + status + " -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        send(client.file, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
}
