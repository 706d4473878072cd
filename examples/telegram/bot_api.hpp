// Telegram's Bot API.
#pragma once
#include "http.hpp"
#include "parts.hpp"
#include "settings.hpp"
#include <thread>

// A text that went out, whole or in part
struct Sent {
    Reply reply;                    // to its last part, or to the one that failed
    std::string text;               // what went out
    std::vector<long long> ids;     // of the parts that went out
    Json metadata = Json::object(); // the ids, where there are several, and how many parts are missing
};

class BotApi {
  public:
    BotApi(const Settings &settings, Stop &stop) : settings_(settings), stop_(stop) {}

    // What may be asked again; `longer` is how many seconds Telegram waits. An error is said, and waited after.
    Reply ask(const std::string &method, const Json &parameters, long longer = 0) {
        const Reply reply = post(method, "application/json", dump(parameters), longer, longer > 0 ? &stop_ : nullptr);
        if (reply.meaning == Reply::done || stop_.is_requested())
            return reply;
        say(method + ": " + reply.description);
        if (reply.meaning == Reply::forbidden)
            stop_.request(token_refused);
        stop_.wait(std::chrono::seconds(reply.meaning == Reply::conflict ? 30 : std::max(1, reply.retry_after)));
        return reply;
    }

    Sent send_text(const std::string &chat, const std::string &text) {
        const std::vector<std::string> parts = parts_of(text, 4096);
        Sent sent;
        for (const std::string &part : parts) {
            sent.reply = sent.ids.empty() ? send_part(chat, part) : send_later_part(chat, part);
            if (sent.reply.meaning != Reply::done)
                break;
            sent.ids.push_back(sent.reply.body.at("result").at("message_id"));
            sent.text += part;
        }
        if (parts.size() > 1)
            sent.metadata["telegram_message_ids"] = sent.ids;
        if (parts.size() > sent.ids.size())
            sent.metadata["parts_missing"] = parts.size() - sent.ids.size();
        return sent;
    }

    Reply send_document(const std::string &chat, const std::string &name, const std::string &content) {
        const std::string end = "\r\n--=the-boundary=", field = end + "\r\nContent-Disposition: form-data; name=";
        return post("sendDocument", "multipart/form-data; boundary=\"=the-boundary=\"",
            field + "\"chat_id\"\r\n\r\n" + chat + field + "\"document\"; filename=\"" + name +
                "\"\r\nContent-Type: application/json\r\n\r\n" + content + end + "--\r\n");
    }

  private:
    Reply post(const std::string &method, const std::string &type, const std::string &body, long longer = 0,
        const Stop *stop = nullptr) {
        const std::string url = settings_.api_url + "/bot" + settings_.token + "/" + method;
        return Http::post(url, {"Content-Type: " + type}, body, settings_.timeout + longer, stop);
    }

    // Models write Markdown, and not always such that Telegram takes it
    Reply send_part(const std::string &chat, const std::string &text) {
        Json parameters = {{"chat_id", chat}, {"text", text}, {"parse_mode", "Markdown"}};
        Reply reply = post("sendMessage", "application/json", dump(parameters));
        parameters.erase("parse_mode");
        if (reply.description.find("can't parse entities") != std::string::npos)
            reply = post("sendMessage", "application/json", dump(parameters));
        if (reply.meaning == Reply::done && !at(reply.body, "/result/message_id").is_number_integer())
            reply.meaning = Reply::unknown;
        return reply;
    }

    // Something is out before it, so the whole cannot come again: it waits, though not for ever
    Reply send_later_part(const std::string &chat, const std::string &text) {
        Reply reply = send_part(chat, text);
        for (int i = 0; i < 3 && (reply.meaning == Reply::throttled || reply.meaning == Reply::failed); ++i) {
            std::this_thread::sleep_for(std::chrono::seconds(std::clamp(reply.retry_after, 1, 60)));
            reply = send_part(chat, text);
        }
        return reply;
    }

    const Settings &settings_;
    Stop &stop_;
};
