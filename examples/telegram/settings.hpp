// What the bot is told by its environment; README.md says what each is for.
#pragma once
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

inline std::string variable(const char *name, const std::string &otherwise = "") {
    const char *value = std::getenv(name);
    return value && *value ? value : otherwise;
}

// Taken out of the environment, so that a command which writes texts does not get it, nor /proc show it
inline std::string secret(const char *name) {
    const std::string value = variable(name);
    std::fill_n(std::getenv(name), value.size(), ' ');
    unsetenv(name);
    return value;
}

inline long seconds(const char *name, const char *otherwise) {
    const long value = std::stol(variable(name, otherwise));
    return value > 0 && value <= 86400 ? value : throw std::out_of_range(name);
}

struct Settings {
    std::string token = secret("TELEGRAM_BOT_TOKEN");
    std::string api_url = variable("TELEGRAM_API_URL", "https://api.telegram.org");
    long timeout = seconds("TELEGRAM_TIMEOUT", "30");
    std::string webhook = variable("TELEGRAM_WEBHOOK"); // a socket's path or a port; empty: polling
    std::string webhook_url = variable("TELEGRAM_WEBHOOK_URL");
    std::string webhook_secret = secret("TELEGRAM_WEBHOOK_SECRET");
    std::string worker = variable("WORKER_NAME", "telegram:" + std::to_string(getpid()));
    // Who writes the texts: a command, or an endpoint in OpenAI's chat form; with neither, a template
    std::string command = variable("BOT_COMMAND");
    std::string model_url = variable("BOT_MODEL_URL");
    std::string model = variable("BOT_MODEL", "default");
    std::string model_key = secret("BOT_MODEL_KEY");
    long model_timeout = seconds("BOT_MODEL_TIMEOUT", "60");
};
